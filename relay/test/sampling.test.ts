// relay/test/sampling.test.ts: the second decision: what is kept, what is not, and that the books balance.

import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Rejections } from '../src/common/rejections.js'
import { Lag, processUse } from '../src/metrics/process.js'
import { Chance } from '../src/pipeline/sample/chance.js'
import { Roots } from '../src/pipeline/sample/roots.js'
import { Sampler } from '../src/pipeline/sample/sampler.js'
import type { Writer } from '../src/pipeline/store/writer.js'
import { LIMITS } from '../src/spans/assembly/assembler.js'
import { SpanRecord } from '../src/spans/assembly/records.js'
import type { V1Span } from '../src/spans/formats/v1-span.js'
import type { Span } from '../src/spans/span.js'
import { Tracing } from '../src/thread/tracing.js'
import { folder, postText, relayIn } from './helpers.js'
import { randomFrom } from './span-makers.js'

const rejections = new Rejections(() => {})
const totals = {
  events: 0,
  bytes: 0,
  puts: 0,
  lost: { noRoom: 0, tooBig: 0, badValue: 0, noRing: 0, overwritten: 0, unstored: 0 },
}
const connections = { open: 0, refused: 0, ended: 0 }
const counts = () => ({ processes: [], totals, connections, rejections: [] })
const ask = async () => ({ counts: counts(), use: processUse(new Lag(50)) })
const context = { tokens: {}, version: '0', rejections, ask }
const noTrace = {
  ...{ folder: '', uuid: '', hostname: '', program: '', pid: 1, session: '', bootId: '' },
  ...{ offset: 0n, contexts: [] },
}
const hex = (n: number) => n.toString(16).padStart(16, '0')

/** The root of trace `n`. */
const root = (n: number, more: Partial<Span> = {}): Span => ({
  ...{ traceId: hex(n), id: hex(n), name: 'get', timestamp: 1, duration: 1000 },
  localEndpoint: { serviceName: 'front' },
  ...more,
})
const child = (n: number, more: Partial<Span> = {}): Span =>
  root(n, { id: hex(n + 2 ** 40), parentId: hex(n), ...more })

/** Whole, as Zipkin's first format has it. */
const v1Span = (n: number): V1Span => ({
  ...{ traceId: hex(n), parentId: undefined, id: hex(n), name: 'get', debug: false },
  ...{ timestamp: 1, duration: 1, annotations: [], tags: [], peers: {} },
})

/** Next to none by chance, and the root `front get` is not rare any more. */
function sampler(limits = {}) {
  const made = new Sampler({ share: 1e-9 }, { quietMs: 100, rootMs: 1000, ...limits })
  made.add([root(1)], 0)
  expect(made.due(100)).toMatchObject([{ tags: { 'blkin.kept': 'rare' } }])
  return made
}

test('a trace is decided once it has its root and is quiet, and late spans go its way', () => {
  const made = sampler()
  made.add([child(2), child(3, { tags: { error: '' } })], 100)
  made.add([root(2), root(3)], 190)
  expect(made.due(200), 'others may come').toEqual([])
  expect(made.due(300).map(({ traceId }) => traceId)).toEqual([hex(3), hex(3)])
  expect(made.sampledOut).toBe(2)
  made.add([child(2, { tags: { error: '' } }), child(3)], 5000)
  expect(made.waiting, 'one is kept, and not fetched yet').toBe(1)
  expect(made.due(5000)).toEqual([child(3)])
  expect(made.sampledOut).toBe(3)
  expect(made.traces).toEqual({ rare: 1, failed: 1, out: 1, debug: 0, alert: 0, slow: 0, chance: 0 })
})

test('a trace whose root does not come waits longer', () => {
  const made = sampler()
  made.add([child(2, { tags: { error: '' } })], 100)
  for (let now = 150; now < 1100; now += 50) expect(made.due(now)).toEqual([])
  expect(made.due(1200)).toHaveLength(1)
})

test('debug traces are kept, whichever span says so, and so are failed ones', () => {
  const made = sampler()
  made.add([root(2), child(2, { debug: true }), root(3, { tags: { error: 'x' } }), root(4)], 100)
  const kept = made.due(200)
  expect(kept.map(({ traceId, tags }) => [traceId, tags?.['blkin.kept']])).toEqual([
    [hex(2), 'debug'],
    [hex(2), undefined],
    [hex(3), 'failed'],
  ])
})

test('the slowest of each root are kept: about one in a hundred, and none where all take as long', () => {
  const made = sampler()
  const random = randomFrom(1)
  const roots = [
    { name: 'fast', takes: () => 100 + random(1000) },
    { name: 'slow', takes: () => 1_000_000 + random(1_000_000) },
    { name: 'even', takes: () => 5000 },
  ]
  for (let n = 2; n < 30_000; n++) {
    const { name, takes } = roots[n % 3]!
    made.add([root(n, { name, duration: takes() })], 200)
  }
  const kept = made.due(300).filter(({ tags }) => tags!['blkin.kept'] === 'slow')
  const of = (name: string) => kept.filter((span) => span.name === name)
  for (const name of ['fast', 'slow']) expect(of(name).length, name).toBeLessThan(300)
  expect(of('even')).toEqual([])
  made.add([root(30_001, { name: 'fast', duration: 50_000 })], 300)
  made.add([root(30_002, { name: 'slow', duration: 1_500_000 })], 300)
  expect(made.due(400), 'what is usual for one root is slow for another').toMatchObject([
    { traceId: hex(30_001) },
  ])
})

test('a root that is seen once a minute or less is kept each time, one that is seen more often once a minute', () => {
  const roots = new Roots()
  const why = (name: string, now: number) => roots.look(root(1, { name }), false, now)
  const minutes = Array.from({ length: 10 }, (_, i) => i * 60_000)
  expect(minutes.map((now) => why('seldom', now))).toEqual(minutes.map(() => 'rare'))
  let kept = 0
  for (let now = 0; now < 600_000; now += 100) if (why('often', now) === 'rare') kept++
  expect(kept).toBe(10)
})

test('names that a program makes up without end are not rare', () => {
  const roots = new Roots(10)
  const kept = Array.from({ length: 100 }, (_, n) => roots.look(root(n, { name: `get /${n}` }), false, n))
  expect(kept.filter((why) => why === 'rare')).toHaveLength(10)
  expect(roots.look(root(1, { name: 'new' }), false, 60_050), 'they are forgotten').toBe('rare')
})

test('chance keeps its share, whatever the ids look like, and a larger share keeps the same traces and more', () => {
  const random = randomFrom(2)
  const ids: Record<string, (n: number) => string> = {
    'one after the other': (n) => hex(n),
    'small lowest bits, as tracers leave that sample by them': (n) =>
      hex(n * 2 ** 32).slice(0, 12) + hex(random(600)).slice(12),
    'time in the upper half': (n) => hex(1_700_000_000 + (n >> 10)).slice(8) + hex(random(2 ** 32)).slice(8),
  }
  for (const [name, make] of Object.entries(ids)) {
    const [some, more] = [new Chance({ share: 0.1 }), new Chance({ share: 0.3 })]
    const distinct = [...new Set(Array.from({ length: 20_000 }, (_, n) => make(n)))]
    const kept = distinct.filter((id) => some.keeps(id))
    const keptByMore = new Set(distinct.filter((id) => more.keeps(id)))
    expect(kept.length / distinct.length, name).toBeGreaterThan(0.09)
    expect(kept.length / distinct.length, name).toBeLessThan(0.11)
    expect(
      kept.every((id) => keptByMore.has(id)),
      name,
    ).toBe(true)
  }
})

test('a number a second is kept whatever the load, and a burst is held down before the next turn', () => {
  const chance = new Chance({ perSecond: 50 })
  let n = 0
  const second = (at: number, traces: number) => {
    let kept = 0
    for (let ms = 0; ms < 1000; ms += 50) {
      chance.turn(at * 1000 + ms)
      for (let i = 0; i < traces / 20; i++) if (chance.keeps(hex(n++))) kept++
    }
    return kept
  }
  const mean = (from: number, seconds: number, traces: number) =>
    Array.from({ length: seconds }, (_, i) => second(from + i, traces)).reduce((a, b) => a + b) / seconds
  expect(second(0, 20), 'below the rate all').toBe(20)
  mean(1, 5, 2000)
  for (const [from, traces] of [
    [10, 2000],
    [110, 20_000],
  ] as const) {
    second(from - 3, traces)
    second(from - 2, traces)
    const kept = mean(from, 90, traces)
    expect(kept, `${traces} a second`).toBeGreaterThan(40)
    expect(kept, `${traces} a second`).toBeLessThan(60)
  }
  const fresh = new Chance({ perSecond: 50 })
  const burst = Array.from({ length: 100_000 }, (_, i) => fresh.keeps(hex(i))).filter(Boolean).length
  expect(burst).toBeLessThan(50 * 10)
})

test('what waits is bounded by spans and by bytes: the oldest trace is decided before its time', () => {
  const few = sampler({ spans: 3 })
  few.add([root(2, { tags: { error: '' } }), root(3), root(4), root(5)], 100)
  expect(few.held).toBe(3)
  expect(few.due(100)).toMatchObject([{ traceId: hex(2) }])
  const small = sampler({ bytes: 100_000 })
  small.add([root(2, { tags: { error: 'x'.repeat(99_000) } }), root(3)], 100)
  expect(small.held).toBe(1)
  small.add([root(4, { tags: { error: 'x'.repeat(200_000) } })], 100)
  expect(small.held, 'one that is too large alone').toBe(0)
  expect(small.due(100)).toHaveLength(2)
})

test('decisions are forgotten after a while, and then chance decides alike', () => {
  const made = new Sampler({ share: 0.5 }, { quietMs: 100, rootMs: 100, decisions: 50 })
  const first = new Set<string>()
  for (const pass of [0, 1]) {
    for (let n = 0; n < 1000; n++) {
      made.add([child(n)], pass * 100_000 + n)
      for (const { traceId } of made.due(pass * 100_000 + n)) {
        if (pass === 0) first.add(traceId)
        else expect(first).toContain(traceId)
      }
    }
    made.finish(0)
  }
  expect(first.size).toBeGreaterThan(300)
})

test('whatever comes: received = handed on + sampled out + held', () => {
  const span = fc.record({
    n: fc.integer({ min: 1, max: 30 }),
    isRoot: fc.boolean(),
    name: fc.constantFrom('a', 'b', 'c'),
    duration: fc.option(fc.integer({ min: 1, max: 1e9 }), { nil: undefined }),
    tags: fc.option(fc.constantFrom({ error: '' }, { k: 'x'.repeat(3000) }), { nil: undefined }),
    debug: fc.constantFrom(undefined, undefined, true as const),
    later: fc.integer({ min: 0, max: 80 }),
  })
  const sample = fc.constantFrom({ share: 0.2 }, { share: 1 }, { perSecond: 5 })
  fc.assert(
    fc.property(fc.array(span, { maxLength: 300 }), sample, (list, rate) => {
      const made = new Sampler(rate, { quietMs: 50, rootMs: 300, spans: 20, bytes: 20_000, decisions: 5 })
      let now = 0
      let received = 0
      let handedOn = 0
      for (const { n, isRoot, later, ...more } of list) {
        now += later
        made.add([(isRoot ? root : child)(n, more as Partial<Span>)], now)
        received++
        expect(received).toBe(handedOn + made.sampledOut + made.waiting)
        if (later % 3 === 0) handedOn += made.due(now).length
        expect(made.held).toBeLessThanOrEqual(20)
      }
      handedOn += made.due(now).length
      expect(received).toBe(handedOn + made.sampledOut + made.held)
      handedOn += made.finish(now).length
      expect(made.held).toBe(0)
      expect(received).toBe(handedOn + made.sampledOut)
      if (rate.share === 1) expect(made.sampledOut).toBe(0)
    }),
  )
})

test('spans that had to make room wait like all others', async () => {
  const listen = '127.0.0.1:0'
  const tracing = await Tracing.open(folder(), { listen, sample: { share: 1 } }, context)
  const source = tracing.pipeline.recorded.assembler.open('p', 'default', 'store')
  const ids = { traceHighLow: 0, traceHighHigh: 0, parentLow: 0, parentHigh: 0 }
  const begin = { time: 0, ...ids, kind: 'local', flags: 0, probability: 1, name: 'op' }
  for (let spanLow = 1; spanLow <= LIMITS.spans + 10; spanLow++) {
    const record = Object.assign(new SpanRecord(), { event: 'span_begin', time: 1, traceLow: 1, spanLow })
    tracing.pipeline.recorded.assembler.take(source, Object.assign(record, { value: { ...begin } }), 0)
  }
  const { received, stored, sampledOut, refused, waiting } = tracing.pipeline.stats()
  expect({ received, stored, sampledOut, refused, waiting }).toEqual({
    ...{ received: 10, stored: 0, sampledOut: 0, refused: 0, waiting: 10 },
  })
  await tracing.close()
  expect(tracing.pipeline.stats()).toMatchObject({
    received: LIMITS.spans + 10,
    stored: LIMITS.spans + 10,
    waiting: 0,
  })
})

test('a relay stores what was kept, counts the rest, and refuses a sample that is none', async () => {
  const tracing = { listen: '127.0.0.1:0', sample: { share: 0.2 } }
  const relay = await relayIn(folder(), { tracing })
  const spans = Array.from({ length: 5000 }, (_, n) => [root(n + 1), child(n + 1)]).flat()
  for (let at = 0; at < spans.length; at += 1000) {
    const body = JSON.stringify(spans.slice(at, at + 1000))
    await postText(`http://${relay.httpAddress}`, body)
    const { received, stored, sampledOut, refused, waiting } = relay.stats().tracing!
    expect(received).toBe(stored + sampledOut + refused + waiting)
  }
  await relay.close()
  const { received, stored, sampledOut, refused, waiting, traces } = relay.stats().tracing!
  expect({ received, refused, waiting }).toEqual({ received: 10_000, refused: 0, waiting: 0 })
  expect(received).toBe(stored + sampledOut)
  expect(stored).toBe(2 * (traces!.chance + traces!.rare))
  expect(traces!.chance).toBeGreaterThan(900)
  expect(traces!.chance).toBeLessThan(1100)
  const wrong = relayIn(folder(), { tracing: { ...tracing, sample: { share: 2 } } })
  await expect(wrong).rejects.toThrow('sample.share is 2; expected a number above 0, at most 1')
})

test('what is turned away for want of room, and what cannot be written, is refused', async () => {
  const tracing = await Tracing.open(folder(), { listen: '127.0.0.1:0' }, context)
  const { writer } = tracing.pipeline.store
  const balance = () => {
    const { received, stored, sampledOut, refused, waiting } = tracing.pipeline.stats()
    expect(received).toBe(stored + sampledOut + refused + waiting)
    return { received, stored, refused, waiting }
  }
  const post = async (from: number) => {
    const body = JSON.stringify(
      Array.from({ length: 25_000 }, (_, n) => ({ traceId: hex(from + n + 1), id: hex(n + 1) })),
    )
    const { status } = await postText(`http://${tracing.http!.address}`, body)
    return status
  }
  let open = () => {}
  const held = writer.alone(() => new Promise((resolve) => (open = resolve)))
  const statuses: number[] = []
  for (let i = 0; i < 5; i++) statuses.push(await post(i * 25_000))
  expect(statuses).toEqual([202, 202, 202, 202, 503])
  expect(balance()).toEqual({ received: 125_000, stored: 0, refused: 25_000, waiting: 100_000 })
  open()
  await held
  await writer.flush()
  expect(balance()).toEqual({ received: 125_000, stored: 100_000, refused: 25_000, waiting: 0 })
  await writer.alone(async (connection) => void (await connection.run('DROP TABLE spans')))
  expect(await post(0)).toBe(202)
  await tracing.close()
  expect(balance()).toEqual({ received: 150_000, stored: 100_000, refused: 50_000, waiting: 0 })
})

/** The disk is slow: the next batch of the writer's is not there before commit(). */
function heldCommit({ connection }: Writer): { isReached: Promise<void>; commit: () => void } {
  const run = connection.run.bind(connection)
  let commit = () => {}
  const isOver = new Promise<void>((resolve) => (commit = resolve))
  const isReached = new Promise<void>((reached) => {
    connection.run = async (sql) => {
      if (sql !== 'COMMIT') return run(sql)
      reached()
      await isOver
      connection.run = run
      return run(sql)
    }
  })
  return { isReached, commit }
}

test('what is being written waits too, and a post is taken where there is room for all of it', async () => {
  const tracing = await Tracing.open(folder(), { listen: '127.0.0.1:0' }, context)
  const { writer } = tracing.pipeline.store
  const post = async (count: number) => {
    const body = JSON.stringify(Array.from({ length: count }, (_, n) => ({ traceId: hex(n + 1), id: 'a' })))
    return (await postText(`http://${tracing.http!.address}`, body)).status
  }
  const { isReached, commit } = heldCommit(writer)
  expect([await post(20_000), await post(20_000)]).toEqual([202, 202])
  await isReached
  expect([await post(25_000), await post(25_000)]).toEqual([202, 202])
  expect([await post(10_001), await post(9999), await post(2), await post(1)]).toEqual([503, 202, 503, 202])
  expect(tracing.pipeline.takeScribed([v1Span(1)]), 'its sender keeps it').toBe(false)
  expect(tracing.pipeline.stats()).toMatchObject({
    ...{ received: 110_003, stored: 0, refused: 10_003, waiting: 100_000, pieces: 0 },
  })
  const info = { ...noTrace, tracepoints: [] }
  const session = { process: 'p', session: 'default', service: 'store', host: '' }
  tracing.pipeline.recorded.note([{ kind: 'open', recording: 0, ...session, info }])
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(tracing.pipeline.recorded.backlog.isEmpty, 'puts wait').toBe(false)
  commit()
  while (!tracing.pipeline.recorded.backlog.isEmpty) await new Promise(setImmediate)
  expect(tracing.pipeline.takeScribed([v1Span(1)])).toBe(true)
  await tracing.close()
  expect(tracing.pipeline.stats()).toMatchObject({
    ...{ received: 110_004, stored: 100_001, refused: 10_003, waiting: 0 },
  })
})

test('what is more than may ever wait is taken where half is free', async () => {
  const tracing = await Tracing.open(folder(), {}, context)
  const { writer } = tracing.pipeline.store
  let open = () => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  const held = writer.alone(() => opened)
  const many = (count: number) => Array.from({ length: count }, (_, n) => v1Span(n + 1))
  expect([tracing.pipeline.takeScribed(many(30_000)), tracing.pipeline.takeScribed(many(120_000))]).toEqual([
    true,
    true,
  ])
  expect(tracing.pipeline.takeScribed(many(1))).toBe(false)
  open()
  await held
  await tracing.close()
  expect(tracing.pipeline.stats()).toMatchObject({
    received: 150_000,
    stored: 150_000,
    waiting: 0,
    refused: 0,
  })
})

test('large spans are turned away for what they take, few as they are', async () => {
  const tracing = await Tracing.open(folder(), { listen: '127.0.0.1:0' }, context)
  const { isReached, commit } = heldCommit(tracing.pipeline.store.writer)
  const tags = { large: 'x'.repeat(31 * 2 ** 20) }
  const statuses: (number | undefined)[] = []
  for (let i = 1; i <= 10; i++) {
    if (i === 4) await isReached // what is being written counts
    const body = gzipSync(JSON.stringify([{ traceId: hex(i), id: hex(i), tags }]))
    statuses.push(await post(tracing.http!.address, body))
  }
  expect(statuses).toEqual([...Array(9).fill(202), 503])
  commit()
  await tracing.close()
  expect(tracing.pipeline.stats()).toMatchObject({ received: 10, stored: 9, refused: 1, waiting: 0 })
}, 120_000)

/** Over a connection of its own: one that is kept is closed where this process was too busy to use it within 5 s. */
async function post(address: string, body: Buffer): Promise<number | undefined> {
  const headers = { 'content-encoding': 'gzip', 'content-length': body.length }
  const sent = request(`http://${address}/api/v2/spans`, { method: 'POST', agent: false, headers })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  response.resume()
  return response.statusCode
}
