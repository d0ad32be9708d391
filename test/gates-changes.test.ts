// test/gates-changes.test.ts: rules that change while events are on their way, rules that turn out not to fit a tracepoint,
// and filters over the events that spans are made of. With both forms of a filter.
import { describe, expect, test } from 'vitest'
import { controllerOf, spec } from './support/control.js'
import { relay, until } from './support/relays.js'
import { result, start } from './support/run.js'
import { recorded } from './support/trace.js'

// At every moment some rule stands that keeps everything: so everything is recorded, or counted as lost, once.
const toggled = `
import { Worker } from 'node:worker_threads'
import { enable, flush, provider, status, t } from 'blkin'
const one = provider('one', { fixed: { fields: { n: t.u32 } }, mixed: { fields: { n: t.u32, text: t.string } } })
enable('one:*', { filter: 'n >= 0' })
const stop = new Int32Array(new SharedArrayBuffer(8))
const worker = new Worker(\`
  import { workerData as stop } from 'node:worker_threads'
  import { enable } from 'blkin'
  for (let n = 0; Atomics.load(stop, 0) === 0; n++) {
    const { disable } = enable('one:*', { filter: 'n >= ' + -n })
    Atomics.store(stop, 1, n)
    disable()
  }\`, { eval: true, workerData: stop })
while (Atomics.load(stop, 1) < 10) await new Promise(setImmediate)
let emitted = 0
for (; emitted < 30_000 || Atomics.load(stop, 1) < 300; emitted++) {
  one.fixed({ n: emitted })
  one.mixed({ n: emitted, text: 'x' })
}
Atomics.store(stop, 0, 1)
await new Promise((resolve) => worker.once('exit', resolve))
await flush(20_000)
console.log(JSON.stringify({ emitted, lost: status().lost }))
`

// The source of a context changes the rules each time it is read, which is just before the event is asked.
const restless = `
import { context, enable, flush, provider, t } from 'blkin'
const { e } = provider('one', { e: { fields: { n: t.u32 } } })
let rule
const again = () => {
  rule?.disable()
  rule = enable('one:e', { filter: '$ctx.restless == 7 && n >= 0' })
}
context('restless', t.u32, () => (again(), 7))
again()
for (let n = 0; n < 200; n++) e({ n })
console.log(JSON.stringify(await flush(10_000)))
`

const spans = `
import { enable, flush, trace } from 'blkin'
enable('blkin:span_begin', { filter: 'kind == "client" && name == "a*" && span != 0 && probability == 1' })
enable('blkin:span_tag', { filter: 'key == "k" && value >= "m"' })
enable('blkin:span_number', { filter: 'value > 1.5' })
enable('blkin:span_annotation', { filter: 'value == "*y"' })
enable('blkin:span_end', { filter: '$ctx.tid > 1 && trace_low == trace_low', sample: '999999999/1000000000' })
for (const [name, kind] of [['a1', 'client'], ['a2', 'server'], ['b', 'client']]) {
  const span = trace.start(name, { kind, tags: { k: 'l' } })
  span.tag('k', 'n')
  span.tag('j', 'n')
  span.tag('number', 1)
  span.tag('number', 2)
  span.annotate('x')
  span.annotate('xy')
  span.end()
}
console.log(JSON.stringify(await flush(10_000)))
`

describe.each([
  { how: 'text', flags: [] },
  { how: 'functions', flags: ['--disallow-code-generation-from-strings'] },
])('filters that are $how', ({ flags }) => {
  test('every event meets the rules of one moment, while another thread changes them', async () => {
    const { output, env } = await relay()
    const { emitted, lost } = await result<{ emitted: number; lost: Record<string, number> }>(toggled, {
      env: { ...env, BLKIN_BUFFER: '8x1M' },
      flags,
    })
    const { events } = await recorded(output)
    for (const name of ['fixed', 'mixed']) {
      const numbers = events
        .filter(({ tracepoint }) => tracepoint.event === name)
        .map(({ fields }) => fields.n)
      expect(new Set(numbers).size, `${name}: none twice`).toBe(numbers.length)
    }
    const { noRoom = 0, ...others } = lost
    expect(others).toEqual({ tooBig: 0, badValue: 0, noRing: 0, overwritten: 0, unstored: 0 })
    expect(events.length + noRoom).toBe(2 * emitted)
  }, 60_000)

  test('a context that changes the rules whenever it is read keeps no event from them', async () => {
    const { output, env } = await relay()
    expect(await result<boolean>(restless, { env, flags })).toBe(true)
    const { events } = await recorded(output)
    expect(events.map(({ fields }) => fields.n)).toEqual(Array.from({ length: 200 }, (_, n) => n))
  })

  test('the events of spans are asked as any other', async () => {
    const { output, env } = await relay()
    expect(await result<boolean>(spans, { env, flags })).toBe(true)
    const { events } = await recorded(output)
    const of = (event: string, ...fields: string[]) =>
      events
        .filter(({ tracepoint }) => tracepoint.event === event)
        .map((one) => fields.map((field) => one.fields[field]).join(' '))
    expect(of('span_begin', 'name', 'kind')).toEqual(['a1 client'])
    expect(of('span_tag', 'key', 'value')).toEqual(['k n', 'k n', 'k n'])
    expect(of('span_number', 'key', 'value')).toEqual(['number 2', 'number 2', 'number 2'])
    expect(of('span_annotation', 'value')).toEqual(['xy', 'xy', 'xy'])
    expect(of('span_end')).toHaveLength(3)
  })

  test('a rule that turns out not to fit leaves the tracepoint to the rule before', async () => {
    const to = await relay()
    const running = start(
      `import { provider, t } from 'blkin'
      const disk = provider('disk', { a: { fields: { n: t.u32 } }, b: { fields: { m: t.u32 } } })
      let n = 0
      setInterval(() => { disk.a({ n }); disk.b({ m: n }); n = 1 - n }, 1)
      console.log('ready')`,
      { flags },
    )
    await running.says('ready')
    const control = await controllerOf(running)
    await control.openSession(spec('s', to.address))
    const { rule: before } = await control.enable('s', { pattern: 'disk:b' })
    const { rule, unfit } = await control.enable('s', { pattern: 'disk:*', filter: 'n == 1' })
    expect(unfit, 'nobody has looked').toEqual([])
    const deciding = async () =>
      (await control.tracepoints()).map(({ tracepoint, on }) => [tracepoint.event, on[0]?.rule])
    await until(async () =>
      (await deciding()).every(([event, one]) => one === (event === 'a' ? rule : before)),
    )
    await control.enable('s', { pattern: 'disk:b', filter: 'this is no filter' })
    await until(async () => (await deciding())[1]?.[1] === before)
    const values = async (name: string, field: string) => {
      const { events } = await recorded(to.output)
      const own = events.filter(({ tracepoint }) => tracepoint.event === name)
      return new Set(own.map(({ fields }) => fields[field]))
    }
    await until(async () => (await values('b', 'm')).size === 2 && (await values('a', 'n')).size > 0)
    await control.closeSession('s', 5000)
    expect(await values('a', 'n')).toEqual(new Set([1]))
    expect(await values('b', 'm')).toEqual(new Set([0, 1]))
  })
})
