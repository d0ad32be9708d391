// test/trace-garbage.test.ts: what a request that is not recorded leaves for the garbage collector: nothing.
import { expect, test } from 'vitest'
import { result } from './support/run.js'

/** Bytes a call of each, once V8 has made fast what is called often: the first of some rounds that has less than one. */
const text = (setUp: string) => `
  import { openSession, spans, t, trace } from 'blkin'
  ${setUp}
  const bytes = Buffer.alloc(64)
  const headers = {}
  const against = Buffer.alloc(24).fill(255, 8, 16)
  const refused = { b3: '0' }
  const server = { kind: 'server' }
  const shop = spans('shop', { checkout: { kind: 'server', tags: { cart: t.u32 }, end: { total: t.f64 }, annotations: { paid: {} } } })
  const cart = { cart: 0 }
  const received = { parent: undefined }
  const cases = {
    start() { const span = trace.start('x', server); span.annotate('a'); span.tag('k', 1); span.end() },
    declared() { cart.cart++; const span = shop.checkout(cart); span.paid(); span.end() },
    pack() { trace.start('x').pack(bytes, 8) },
    b3() { trace.start('x').inject(headers, 'b3') },
    'unpacked zeros'() { trace.unpack(bytes, 40).start('x', server).end() },
    'unpacked decision'() { trace.unpack(against).start('x', server).pack(bytes, 8) },
    'extracted decision'() { trace.extract(refused, 'b3').start('x', server).inject(headers, 'b3') },
    'declared below a decision'() { received.parent = trace.unpack(against); shop.checkout(cart, received).pack(bytes, 8) },
  }
  const calls = 20_000
  const left = {}
  for (const [name, call] of Object.entries(cases)) {
    left[name] = Infinity
    gc()
    for (let round = 0; round < 50 && left[name] >= 1; round++) {
      const before = process.memoryUsage().heapUsed
      for (let i = 0; i < calls; i++) call()
      left[name] = Math.min(left[name], (process.memoryUsage().heapUsed - before) / calls)
    }
  }
  console.log(JSON.stringify(left))`

const nothing = {
  start: 0,
  declared: 0,
  pack: 0,
  b3: 0,
  'unpacked zeros': 0,
  'unpacked decision': 0,
  'extracted decision': 0,
  'declared below a decision': 0,
}

test.each([
  ['while nobody records spans', ''],
  [
    'in traces that are not sampled',
    `openSession('spans', { relay: null, mode: 'overwrite' }).enable('blkin:*'); trace.sample('1/1000000000')`,
  ],
])('no bytes %s', async (_, setUp) => {
  // So much room that nothing is collected in a round of calls, whatever it makes.
  const flags = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64']
  const left = await result<Record<string, number>>(text(setUp), { flags })
  const whole = Object.entries(left).map(([name, bytes]) => [name, Math.floor(bytes)])
  expect(Object.fromEntries(whole)).toEqual(nothing)
})
