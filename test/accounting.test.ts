// test/accounting.test.ts: emitted = recorded + lost, to the event: in small buffers, with the relay away, late or
// killed, with many processes and Workers, and with every way in which a program ends.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { recover } from './support/recover.js'
import { childRelay, freeAddress, relay, until } from './support/relays.js'
import { folder, lastJson, privateShm, program, result, root, run, start } from './support/run.js'
import { describeWith } from './support/tools.js'
import { recorded } from './support/trace.js'

interface Told {
  emitted: number
  lost: { noRoom: number; tooBig: number; badValue: number; noRing: number }
}

const burst = program('burst.mjs')
const small = { BLKIN_BUFFER: '2x8K' }
const total = ({ lost }: Told) => lost.noRoom + lost.tooBig + lost.badValue + lost.noRing

/** The sum over some processes' words must be what their traces hold. */
async function expectExact(output: string, ...told: Told[]): Promise<{ events: number; lost: number }> {
  const { events, lost } = await recorded(output)
  const emitted = told.reduce((sum, one) => sum + one.emitted, 0)
  const refused = told.reduce((sum, one) => sum + total(one), 0)
  expect({ lost, all: events.length + lost }).toEqual({ lost: refused, all: emitted })
  // No event came twice, and each thread's came in order.
  const last = new Map<string, number>()
  for (const { trace, fields } of events) {
    const key = `${trace.uuid} ${fields.thread}`
    expect(fields.n as number).toBeGreaterThan(last.get(key) ?? -1)
    last.set(key, fields.n as number)
  }
  return { events: events.length, lost }
}

describe.each([
  { how: 'per-CPU rings', env: {} },
  { how: 'a ring for each thread', env: { BLKIN_RING: 'thread' } },
])('the account is exact, $how', ({ env }) => {
  test('bursts into small buffers lose, and every loss is counted', async () => {
    const to = await relay()
    const told = await result<Told>(burst, {
      args: ['100000', 'natural'],
      env: { ...to.env, ...small, ...env },
    })
    const { events } = await expectExact(to.output, told)
    expect(told.lost.noRoom, 'this burst is larger than the buffer').toBeGreaterThan(0)
    expect(events).toBeGreaterThan(0)
  })

  test('eight Workers of one process at once', async () => {
    const to = await relay()
    const told = await result<Told>(burst, { args: ['4000', 'natural', '8'], env: { ...to.env, ...env } })
    expect(told.emitted).toBe(32_000)
    expect((await expectExact(to.output, told)).lost).toBe(0)
  })

  test('eight Workers and small buffers', async () => {
    const to = await relay()
    const told = await result<Told>(burst, {
      args: ['4000', 'exit', '8'],
      env: { ...to.env, ...small, ...env },
    })
    await expectExact(to.output, told)
  })

  test('Workers terminated in the middle of bursts, again and again', async () => {
    const to = await relay()
    const told = await result<Told>(program('terminate.mjs'), { args: ['30'], env: { ...to.env, ...env } })
    const { events, lost } = await recorded(to.output)
    // A Worker dies between the emit and the count of it, so each may have emitted one more than it counted.
    const recordedAndLost = events.length + lost
    expect(recordedAndLost).toBeGreaterThanOrEqual(told.emitted)
    expect(recordedAndLost).toBeLessThanOrEqual(told.emitted + 30)
    expect(lost).toBe(total(told))
    expect(told.emitted).toBeGreaterThan(1000)
  })
})

test('eight processes at once', async () => {
  const to = await relay()
  const told = await Promise.all(
    Array.from({ length: 8 }, () => result<Told>(burst, { args: ['5000', 'exit'], env: to.env })),
  )
  await result(recover, { env: to.env }) // where the machine is so busy that 2 s at the exit do not do
  expect((await expectExact(to.output, ...told)).events).toBe(40_000)
})

describe('every way to end delivers what was emitted', () => {
  const ends: [string, number][] = [
    ['natural', 0],
    ['exit', 0],
    ['throw', 1],
    ['reject', 1],
    ['beforeExit', 0],
    ['flush', 0],
  ]
  test.each(ends)('%s', async (end, code) => {
    const to = await relay()
    for (const count of ['1', '3000']) {
      const ended = await run(burst, { args: [count, end], env: to.env })
      expect(ended.code, ended.stderr).toBe(code)
      expect(total(lastJson<Told>(ended))).toBe(0)
    }
    const { events } = await recorded(to.output)
    expect(events).toHaveLength(end === 'beforeExit' ? 6002 : 3001)
  })

  test('emitting until the very end: an event of the last moment is there, or counted', async () => {
    const to = await relay()
    const text = `
      import { writeSync } from 'node:fs'
      import { provider, status, t } from 'blkin'
      const { e } = provider('last', { e: { fields: { thread: t.u8, n: t.u32 } } })
      let n = 0
      process.on('exit', () => {
        e({ thread: 0, n: n++ })
        writeSync(1, JSON.stringify({ emitted: n, lost: status().lost }))
      })
      // Lets the consumer connect, then leaves at a moment of its round that is as good as any.
      setTimeout(() => {
        const end = performance.now() + Number(process.argv.at(-1))
        while (performance.now() < end) e({ thread: 0, n: n++ })
        process.exit()
      }, 30)`
    const told: Told[] = []
    for (let i = 0; i < 24; i += 4) {
      const each = [0, 1, 2, 3].map((k) => result<Told>(text, { args: [`${(i + k) / 10}`], env: to.env }))
      told.push(...(await Promise.all(each)))
    }
    await expectExact(to.output, ...told)
  })
})

test('a process with nothing left to do ends by itself, switched on and with no relay there', async () => {
  const text = `
    import { enable, provider } from 'blkin'
    const p = provider('idle', { e: {} })
    enable('*:*')
    p.e()
    console.log('emitted')`
  const ended = await run(text, { env: { BLKIN_RELAY: await freeAddress() } })
  expect(ended).toMatchObject({ code: 0, signal: null, stdout: 'emitted\n' })
  expect(ended.stderr).toMatch(
    /^blkin: relay 127\.0\.0\.1:\d+: .*refused; start a relay there: .*; events wait in the rings, .*\n$/,
  )
})

test('what was emitted before the relay came is there once it came', async () => {
  const address = await freeAddress()
  const output = folder()
  const text = `
    import { flush, provider, status, t } from 'blkin'
    const { e } = provider('early', { e: { fields: { thread: t.u8, n: t.u32 } } })
    for (let n = 0; n < 1000; n++) e({ thread: 0, n })
    console.log('emitted', await flush(50))
    while (!(await flush(1000)));
    console.log(JSON.stringify({ emitted: 1000, lost: status().lost }))`
  const early = start(text, { env: { BLKIN_RELAY: address, BLKIN_ENABLE: '*:*' } })
  await early.says('emitted false')
  await childRelay(address, output)
  expect((await expectExact(output, lastJson<Told>(await early.ended))).events).toBe(1000)
})

test('a relay killed and started again on the same folder, many times, loses and repeats nothing', async () => {
  const address = await freeAddress()
  const output = folder()
  const text = `
    import { flush, provider, status, t } from 'blkin'
    const { e } = provider('killed', { e: { fields: { thread: t.u8, n: t.u32, text: t.string } } })
    let n = 0
    let going = true
    process.stdin.on('data', () => { going = false; process.stdin.destroy() })
    console.log('ready')
    while (going) {
      for (let i = 0; i < 200; i++) e({ thread: 0, n: n++, text: 'x'.repeat(n % 300) })
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    while (!(await flush(1000)));
    console.log(JSON.stringify({ emitted: n, lost: status().lost }))`
  let to = await childRelay(address, output)
  const env = { BLKIN_RELAY: address, BLKIN_ENABLE: '*:*', BLKIN_BUFFER: '4x64K' }
  const emitting = start(text, { env, stdin: 'pipe', timeout: 40_000 })
  await emitting.says('ready')
  for (let round = 0; round < 5; round++) {
    const before = (await recorded(output)).events.length
    await until(async () => (await recorded(output)).events.length > before) // it is in the middle of storing
    await to.kill()
    to = await childRelay(address, output)
  }
  emitting.child.stdin!.end('stop')
  const told = lastJson<Told>(await emitting.ended)
  const { events } = await expectExact(output, told)
  expect(events).toBeGreaterThan(1000)
}, 60_000)

test('declarations larger than one call of the relay takes', async () => {
  const to = await relay()
  const text = `
    import { flush, provider, status, t } from 'blkin'
    const fields = Object.fromEntries(Array.from({ length: 64 }, (_, i) => ['f'.padEnd(98, 'x') + String(i).padStart(2, '0'), t.u8]))
    const events = Object.fromEntries(Array.from({ length: 300 }, (_, i) => ['e' + i, { fields }]))
    const labels = t.enum(Array.from({ length: 1024 }, (_, i) => (i + '').padEnd(230, 'é').slice(0, 120)))
    const p = provider('large', { ...events, labels: { fields: { a: labels, b: labels, c: labels } } })
    p.labels({ a: '5'.padEnd(120, 'é'), b: '6'.padEnd(120, 'é'), c: '7'.padEnd(120, 'é') })
    const stored = await flush()
    console.log(JSON.stringify({ stored, relay: status().relay, lost: status().lost }))`
  const answer = await result<Told & { stored: boolean }>(text, { env: to.env })
  expect(answer, to.lines.join('\n')).toMatchObject({ stored: true, relay: { state: 'connected' } })
  const { events } = await recorded(to.output)
  expect(events.map(({ fields }) => fields.c)).toEqual(['7'.padEnd(120, 'é')])
})

describeWith(['unshare -m'], 'a process killed by SIGKILL', () => {
  test.each(['cpu', 'thread'])('is recovered to the event, rings by %s', async (ring) => {
    const address = await freeAddress()
    const output = folder()
    // Both share one private /dev/shm: the first dies, the second finds what it left.
    const both = [process.execPath, burst, '6000', 'kill', '2'].join(' ')
    const running = start(recover, {
      before: privateShm(
        '64m',
        `{ ${both} || true; } && echo dead && while ! test -e ${output}/go; do sleep 0.05; done && rm ${output}/go`,
      ),
      env: { BLKIN_RELAY: address, BLKIN_ENABLE: '*:*', BLKIN_RING: ring, BLKIN_BUFFER: '4x32K' },
    })
    await running.says('dead')
    await childRelay(address, output)
    writeFileSync(join(output, 'go'), '')
    const ended = await running.ended
    const told = JSON.parse(ended.stdout.split('\n')[0] as string) as Told
    const { events } = await expectExact(output, told)
    expect(lastJson(ended)).toEqual([{ events, delivered: true, error: '' }])
    expect(told.lost.noRoom).toBeGreaterThan(0)
    expect(events).toBeGreaterThan(0)
  })
})

test('the addon opened twice in one thread, as a module loader that forgets it does: two copies, one account', async () => {
  const to = await relay()
  const text = `
    import { cpSync, symlinkSync } from 'node:fs'
    import { channel } from 'node:diagnostics_channel'
    import { join } from 'node:path'
    const [copy, root] = process.argv.slice(-2)
    cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true })
    cpSync(join(root, 'package.json'), join(copy, 'package.json'))
    for (const name of ['build', 'node_modules']) symlinkSync(join(root, name), join(copy, name))
    const a = await import('blkin')
    delete channel(Symbol.for('blkin'))[Symbol.for('blkin.tracers')] // as if the copies did not meet
    const b = await import(join(copy, 'dist/index.js'))
    const make = ({ provider, t }) => provider('same', { e: { fields: { n: t.u32, s: t.string } }, f: { fields: { n: t.u32 } } })
    const [p, q] = [make(a), make(b)]
    a.enable('*:*')
    for (let n = 0; n < 40; n += 4) { p.e({ n, s: 'a' }); q.e({ n: n + 1, s: 'b' }); p.f({ n: n + 2 }); q.f({ n: n + 3 }) }
    await a.flush()
    console.log(JSON.stringify(b.status().lost))`
  const lost = await result(text, { env: { BLKIN_RELAY: to.address }, args: [folder(), root] })
  expect(lost).toEqual({ noRoom: 0, tooBig: 0, badValue: 0, noRing: 0, overwritten: 0, unstored: 0 })
  const { events } = await recorded(to.output)
  expect(events.map(({ fields }) => fields.n)).toEqual(Array.from({ length: 40 }, (_, n) => n))
})
