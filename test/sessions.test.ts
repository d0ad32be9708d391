// test/sessions.test.ts: several sessions of one process at once, each with its own rules, rings, mode and relay: what each
// records is exactly its own, and ending one takes it away whole.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { controllerOf, descriptors, folderOf, mapped, rss, spec, threads } from './support/control.js'
import { loaded, lostOf, ofLoaded, sum } from './support/loaded.js'
import { recover } from './support/recover.js'
import { childRelay, freeAddress, relay, until } from './support/relays.js'
import { folder, lastJson, program, result, run, start } from './support/run.js'
import { have } from './support/tools.js'
import { printed, recorded } from './support/trace.js'

/** For programs given as text: a provider, and a way to emit a numbered range. */
const declared = `
  import { disable, enable, flush, openSession, provider, status, t } from 'blkin'
  const p = provider('many', { a: { level: 'info', fields: { n: t.u32 } }, b: { level: 'debug', fields: { n: t.u32 } } })
  const emit = (from, to) => { for (let n = from; n < to; n++) { p.a({ n }); p.b({ n }) } }
  const of = (name) => status().sessions.find((one) => one.name === name)
  const relays = process.argv.at(-1).split(',')
`
const numbers = async (output: string, event: string) =>
  (await recorded(output)).events
    .filter(({ tracepoint }) => tracepoint.event === event)
    .map(({ fields }) => fields.n)
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

test('three sessions at once: each records what its own rules want, in its own trace', async () => {
  const to = [await relay(), await relay(), await relay()]
  const text = `${declared}
    const [x, y, z] = relays.map((relay, i) => openSession('s' + i, { relay, buffer: ['4x64K', '8x16K', '2x1M'][i], contexts: i === 2 ? ['tid'] : [] }))
    x.enable('many:a'); y.enable('*:*', { level: 'info' }); z.enable('many:*', { filter: 'n >= 300' })
    emit(0, 200)
    x.disable('many:a')
    emit(200, 400)
    y.enable('many:b'); y.disable('many:a')
    emit(400, 500)
    console.log(JSON.stringify([await flush(), status().sessions.map(({ name, enabled, lost }) => ({ name, enabled, lost }))]))`
  const none = { noRoom: 0, tooBig: 0, badValue: 0, noRing: 0, overwritten: 0, unstored: 0 }
  expect(await result(text, { args: [to.map(({ address }) => address).join()] })).toEqual([
    true,
    [0, 1, 2].map((i) => ({ name: `s${i}`, enabled: i, lost: none })),
  ])
  const [x, y, z] = to.map(({ output }) => output) as [string, string, string]
  expect([await numbers(x, 'a'), await numbers(x, 'b')]).toEqual([range(0, 200), []])
  expect([await numbers(y, 'a'), await numbers(y, 'b')]).toEqual([range(0, 400), range(400, 500)])
  expect([await numbers(z, 'a'), await numbers(z, 'b')]).toEqual([range(300, 500), range(300, 500)])
  const contexts = await Promise.all(
    [x, z].map(async (output) => (await recorded(output)).events[0]?.context),
  )
  expect(contexts).toEqual([undefined, { tid: expect.any(Number) }])
})

test('an event that sessions of every kind take at once is in each of them, once, at its time', async () => {
  // The time is read once for those whose rings allow it; the one that may wait for room comes last, and reads its own.
  const contexts = [
    ['tid', 'cpu'],
    ['below', 'mine', 'cpu'],
    ['cpu', 'mine', 'thread'],
  ]
  const kinds = [{}, ...contexts.map((contexts) => ({ contexts })), { mode: 'block' }]
  const to = await Promise.all(kinds.map(() => relay()))
  const text = `${declared}
    const { context } = await import('blkin')
    let mine = 0
    context('mine', t.u16, () => mine)
    context('below', t.i8, () => -1 - (mine & 127))
    const kinds = ${JSON.stringify(kinds)}
    for (const [i, kind] of kinds.entries()) openSession('s' + i, { relay: relays[i], buffer: '8x64K', ...kind }).enable('many:a')
    const before = Date.now()
    for (let n = 0; n < 2000; n++) { mine = n * 7; p.a({ n }) }
    const after = Date.now()
    console.log(JSON.stringify([await flush(), before, after, process.pid]))`
  const [flushed, before, after, pid] = await result<[boolean, number, number, number]>(text, {
    args: [to.map(({ address }) => address).join()],
  })
  expect(flushed).toBe(true)
  const traces = await Promise.all(to.map(({ output }) => recorded(output)))
  for (const { events, lost } of traces) {
    expect(lost).toBe(0)
    expect(events.map(({ fields }) => fields.n)).toEqual(range(0, 2000)) // in order of time
    expect(Number(events[0]?.time) / 1e6).toBeGreaterThan(before - 5)
    expect(Number(events.at(-1)?.time) / 1e6).toBeLessThan(after + 5)
  }
  const [plain, numbers, packed, all, block] = traces.map(({ events }) => events.map((one) => one.context))
  expect([...new Set([...(plain ?? []), ...(block ?? [])])]).toEqual([undefined])
  expect(numbers?.every((one) => one?.tid === pid && Number(one?.cpu) < 1024)).toBe(true)
  const below = range(0, 2000).map((n) => ({
    mine: n * 7,
    below: -1 - ((n * 7) & 127),
    cpu: expect.any(Number),
  }))
  expect(packed).toEqual(below)
  expect(all?.map((one) => one?.mine)).toEqual(range(0, 2000).map((n) => n * 7))
  expect(all?.every((one) => one?.thread === 'node' && Number(one?.cpu) < 1024)).toBe(true)
})

test('a memory-only session keeps the newest, and delivers them to a relay that it is given later', async () => {
  const to = await relay()
  const text = `${declared}
    const box = openSession('box', { relay: null, buffer: '4x8K', mode: 'overwrite' })
    box.enable('many:a')
    emit(0, 20000)
    const before = of('box')
    box.change({ relay: relays[0] })
    emit(20000, 20010)
    console.log(JSON.stringify([before, await box.flush(), of('box')]))`
  const [before, flushed, after] = await result<{ lost: { overwritten: number } }[]>(text, {
    args: [to.address],
  })
  expect(flushed).toBe(true)
  expect(before).toMatchObject({ relay: { address: '', state: 'none' } })
  expect(after).toMatchObject({ relay: { address: to.address, state: 'connected' } })
  const { events, lost } = await recorded(to.output)
  const kept = events.map(({ fields }) => fields.n as number).sort((a, b) => a - b)
  // One ring a CPU, each of which keeps its own newest.
  expect(kept.slice(-10)).toEqual(range(20000, 20010))
  expect(kept.length).toBeGreaterThan(500)
  expect(kept.length + lost).toBe(20010)
  expect(lost).toBe(after?.lost.overwritten)
  expect(before?.lost.overwritten).toBeGreaterThan(10000)
})

describe('block', () => {
  test('waits for a relay that is slow, and loses nothing', async () => {
    const to = await relay()
    const text = `${declared}
      const s = openSession('s', { relay: relays[0], buffer: '2x8K', mode: 'block:1000' })
      s.enable('many:*')
      emit(0, 30000)
      console.log(JSON.stringify([await s.flush(), of('s').lost]))`
    const [flushed, lost] = await result<[boolean, object]>(text, { args: [to.address] })
    expect({ flushed, lost: lostOf(lost) }).toEqual({ flushed: true, lost: 0 })
    expect(await numbers(to.output, 'b')).toEqual(range(0, 30000))
  })

  test('gives up after its bound where the relay is away, and counts to the event', async () => {
    const text = `${declared}
      const s = openSession('s', { relay: relays[0], buffer: '1x8K', mode: 'block:1' })
      s.enable('many:a')
      const begin = performance.now()
      emit(0, 1000)
      const took = performance.now() - begin
      const { lost, buffers } = of('s')
      console.log(JSON.stringify({ lost, took, bytes: buffers.rings.map(({ head }) => head) }))`
    const address = await freeAddress()
    const told = await result<{ lost: { noRoom: number }; took: number; bytes: number[] }>(text, {
      args: [address],
    })
    // An event takes 16 bytes of head and 8 of payload, and 341 of them fill a ring.
    const fits = sum(told.bytes.map((bytes) => Math.floor(bytes / 24)))
    expect(told.lost).toMatchObject({ noRoom: 1000 - fits })
    expect(told.lost.noRoom).toBeGreaterThan(100)
    expect(told.took / told.lost.noRoom, 'milliseconds for each refused').toBeGreaterThanOrEqual(1)
  })

  test('ends while emitters wait in it', async () => {
    const to = await freeAddress()
    const program = await loaded(10, 2)
    await program.open('s', { relay: to, buffer: '1x8K', mode: 'block:1000' })
    const control = await controllerOf(program)
    await until(async () => ((await control.process()).sessions[0]?.ringBytes ?? 0) > 0)
    const { delivered, last } = await control.closeSession('s', 100)
    expect({ delivered, name: last.spec.name }).toEqual({ delivered: false, name: 's' })
    expect((await program.stop()).status.sessions).toEqual([])
  })
})

describe('change(), under load', () => {
  test('of geometry, mode, contexts and relay: every event is in one of the traces, once', {
    timeout: 90_000,
  }, async () => {
    const [one, two] = [await relay(), await relay()]
    const program = await loaded(20, 2, { BLKIN_RELAY: one.address })
    await program.open('always', { relay: one.address, buffer: '16x1M', mode: 'block:1000' })
    await program.open('s', { relay: two.address, buffer: '16x1M', mode: 'block:1000' })
    for (const change of [
      { buffer: '8x1M' },
      { contexts: ['tid', 'cpu'] },
      { mode: 'block:900' },
      { buffer: '16x512K', contexts: [] },
      { mode: 'discard', buffer: '16x1M' },
      { mode: 'block:1000', contexts: ['thread'] },
    ]) {
      await program.change('s', change)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const told = await program.stop()
    expect(told.delivered).toBe(true)
    await until(() => !readdirSync(join(one.output)).some((name) => name.startsWith('.')))
    const all = await ofLoaded(one.output, 20)
    const changed = await ofLoaded(two.output, 20)
    // "s" was opened after "always": from the first number that it has of each thread on, they hold the same.
    expect([all.lost, changed.lost]).toEqual([0, 0])
    const numbersOf = ({ events }: typeof all, thread: number) =>
      events.filter(({ fields }) => fields.thread === thread).map(({ fields }) => fields.n as number)
    for (const [thread, emitted] of told.emitted.entries()) {
      const mine = numbersOf(changed, thread).sort((a, b) => a - b)
      expect(mine).toEqual(range(mine[0] as number, emitted))
      expect(numbersOf(all, thread).length).toBeGreaterThanOrEqual(mine.length)
    }
    expect(new Set(changed.events.map(({ trace }) => trace.uuid)).size).toBe(7)
    if (have('babeltrace2'))
      expect(printed(two.output), 'merged by babeltrace2').toHaveLength(changed.events.length)
  })

  test('to another relay: the old one has what came before, the new one what came after', {
    timeout: 90_000,
  }, async () => {
    const [one, two] = [await relay(), await relay()]
    const program = await loaded(5, 1)
    await program.open('s', { relay: one.address, buffer: '16x1M', mode: 'block:1000' })
    await until(async () => (await recorded(one.output)).events.length > 0)
    await program.change('s', { relay: two.address })
    await until(async () => (await recorded(two.output)).events.length > 0)
    const told = await program.stop()
    const [before, after] = [await ofLoaded(one.output, 5), await ofLoaded(two.output, 5)]
    for (const [thread, emitted] of told.emitted.entries()) {
      const [old, young] = [before, after].map(({ events }) =>
        events.filter(({ fields }) => fields.thread === thread).map(({ fields }) => fields.n as number),
      ) as [number[], number[]]
      expect([...old, ...young]).toEqual(range(old[0] as number, emitted))
    }
  })
})

describe('what the rings held when a session was changed', () => {
  /** 1,000 events before a change and 200 behind it; more, and longer, than the end of a session is given. */
  const changed = `${declared}
    const s = openSession('s', { relay: relays[0] })
    s.enable('many:a')
    emit(0, 1000)
    s.change({ buffer: '8x64K' })
    emit(1000, 1200)
    await new Promise((resolve) => setTimeout(resolve, 3000))`

  test('is delivered however long the relay was away, and flush() says true only then', async () => {
    const [address, output] = [await freeAddress(), folder()]
    const running = start(
      `${changed}
      console.log('changed', await s.flush(50))
      while (!(await s.flush(1000)));
      console.log(JSON.stringify({ lost: of('s').lost, sessions: status().sessions.length }))`,
      { args: [address] },
    )
    await running.says('changed false')
    await childRelay(address, output)
    const { lost, sessions } = lastJson<{ lost: object; sessions: number }>(await running.ended)
    expect({ lost: lostOf(lost), sessions }).toEqual({ lost: 0, sessions: 1 })
    const { events } = await recorded(output)
    expect(events.map(({ fields }) => fields.n).sort((a, b) => Number(a) - Number(b))).toEqual(range(0, 1200))
  })

  test('is recovered where the process ended before the relay came', async () => {
    const [address, output] = [await freeAddress(), folder()]
    expect(await run(changed, { args: [address] })).toMatchObject({ code: 0 })
    await childRelay(address, output)
    await result(recover, { env: { BLKIN_RELAY: address } })
    const { events } = await recorded(output)
    expect(events.map(({ fields }) => fields.n).sort((a, b) => Number(a) - Number(b))).toEqual(range(0, 1200))
  })

  test('goes to the relay of the new form where the old one had none', async () => {
    const to = await relay()
    const text = `${declared}
      const s = openSession('s', { relay: null })
      s.enable('many:a')
      emit(0, 1000)
      s.change({ relay: relays[0], buffer: '8x64K' })
      emit(1000, 1200)
      console.log(JSON.stringify(await s.flush()))`
    expect(await result(text, { args: [to.address] })).toBe(true)
    const { events } = await recorded(to.output)
    expect(events.map(({ fields }) => fields.n).sort((a, b) => Number(a) - Number(b))).toEqual(range(0, 1200))
  })

  test('is given up where there is no relay at all, and nothing of it stays', async () => {
    const text = `${declared}
      import { existsSync } from 'node:fs'
      const s = openSession('s', { relay: null })
      s.enable('many:a')
      emit(0, 1000)
      const { folder } = of('s').buffers
      s.change({ buffer: '8x64K' })
      while (existsSync(folder)) await new Promise((resolve) => setTimeout(resolve, 10))
      await s.close()
      console.log(JSON.stringify(folder))`
    const folder = await result<string>(text, { args: [await freeAddress()] })
    expect(existsSync(join(folder, '..'))).toBe(false)
  })

  test('keeps a place among the eight, which is told, and close() gives it up like the session itself', async () => {
    const text = `${declared}
      const s = openSession('s', { relay: relays[0] })
      s.enable('many:a')
      const refused = []
      for (let i = 0; i < 8; i++) {
        emit(0, 10)
        try { s.change({ buffer: (4 << (i & 1)) + 'x64K' }) } catch ({ code, message }) { refused.push([i, code, message]) }
      }
      const closed = await s.close(10)
      for (let i = 0; i < 8; i++) openSession('free' + i, { relay: null })
      console.log(JSON.stringify({ refused, closed }))`
    expect(await result(text, { args: [await freeAddress()] })).toEqual({
      refused: [
        [
          7,
          'ERR_BLKIN_LIMIT',
          '8 sessions are open, 7 of them still deliver what they held; expected one to be closed first',
        ],
      ],
      closed: false,
    })
  })
})

describe('the end of a session', () => {
  test('takes its rings, its memory and its folder away, under load, and leaves the others', async () => {
    const to = await relay()
    const program = await loaded(10, 2)
    await program.open('stays', { relay: to.address, buffer: '16x1M' })
    await program.open('goes', { relay: to.address, buffer: '4x64K' })
    const folder = await folderOf(program)
    const of = (name: string) => mapped(program.pid, folder).filter((path) => path.startsWith(`${name}/`))
    await until(() => of('goes').length > 1)
    await program.close('goes')
    await until(() => of('goes').length === 0)
    await until(() => !existsSync(join(folder, 'goes')))
    expect(of('stays').length).toBeGreaterThan(1)
    const told = await program.stop()
    expect(told.delivered).toBe(true)
    expect(told.status.sessions.map(({ name }) => name)).toEqual(['stays'])
  })

  test('two hundred sessions opened and closed under load: no memory, descriptor or thread stays', {
    timeout: 120_000,
  }, async () => {
    const to = await relay()
    const traced = await loaded(10, 2)
    const control = await controllerOf(traced)
    const folder = await folderOf(traced)
    const events: number[] = []
    const cycle = async (times: number) => {
      for (let i = 0; i < times; i++) {
        const away = i % 4 === 3
        await control.openSession(
          spec(`s${i % 3}`, away ? undefined : to.address, { contexts: i % 2 ? ['tid'] : [] }),
        )
        await control.enable(`s${i % 3}`, { pattern: 'loaded:*' })
        const { last, delivered } = await control.closeSession(`s${i % 3}`, 20_000)
        expect(delivered || away).toBe(true)
        events.push(last.events)
      }
    }
    const now = () => ({
      rss: rss(traced.pid),
      files: descriptors(traced.pid).length,
      threads: threads(traced.pid),
      maps: mapped(traced.pid, folder).length,
    })
    await cycle(50)
    const before = now()
    await cycle(150)
    const after = now()
    const told = await traced.stop()
    expect(told.status.sessions).toEqual([])
    expect({ ...after, rss: 0 }).toEqual({ ...before, rss: 0 })
    expect(after.rss - before.rss).toBeLessThan(16 * 2 ** 20)
    expect((await recorded(to.output)).events.length).toBe(sum(events))
    expect(events.some((n) => n > 0)).toBe(true)
  })

  test('Workers terminated while sessions open, change and close', { timeout: 90_000 }, async () => {
    const to = await relay()
    const running = start(program('terminate.mjs'), {
      args: ['40'],
      env: { ...to.env, BLKIN_BUFFER: '16x1M' },
      timeout: 80_000,
    })
    const control = await controllerOf(running)
    let over = false
    const ended = running.ended.then((how) => {
      over = true
      return how
    })
    let rounds = 0
    while (!over)
      try {
        await control.openSession(spec('aside', to.address))
        await control.enable('aside', { pattern: '*:*' })
        await control.changeSession(spec('aside', to.address, { contexts: ['tid', 'elu'] }))
        await control.closeSession('aside', 1000)
        rounds++
      } catch (error) {
        expect((error as Error).message).toMatch(/gone|broke/) // the process has ended
        break
      }
    const how = await ended
    expect(how).toMatchObject({ code: 0, signal: null })
    const told = lastJson<{ emitted: number; lost: object }>(how)
    const { events } = await recorded(to.output)
    const own = events.filter(({ trace }) => trace.session === 'default')
    expect(own.length + lostOf(told.lost)).toBeGreaterThanOrEqual(told.emitted)
    expect(own.length + lostOf(told.lost)).toBeLessThanOrEqual(told.emitted + 40)
    expect(rounds).toBeGreaterThan(5)
  })
})

describe('a process ends, by process.exit(), within its bound', () => {
  test.each([
    [
      'with a session that waits a minute for its end',
      `void s.close(60_000); setTimeout(() => process.exit(3), 200)`,
    ],
    [
      'with eight sessions whose relays say nothing',
      `for (let i = 1; i < 8; i++) openSession('s' + i, { relay: relays[0] }).enable('*:*'); emit(0, 5); setTimeout(() => process.exit(3), 200)`,
    ],
    ['with a flush of a minute', `void flush(60_000); setTimeout(() => process.exit(3), 200)`],
  ])('%s', async (_, text) => {
    const { createServer } = await import('node:net')
    const mute = createServer((socket) => socket.on('error', () => {}))
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    const { port } = mute.address() as { port: number }
    try {
      const began = performance.now()
      const ended = await run(
        `${declared} const s = openSession('s', { relay: relays[0] }); s.enable('*:*'); emit(0, 5); ${text}`,
        { args: [`127.0.0.1:${port}`] },
      )
      expect(ended).toMatchObject({ code: 3, signal: null })
      console.log(`ended after ${((performance.now() - began) / 1000).toFixed(1)} s`)
    } finally {
      mute.close()
    }
  })
})
