// relay/test/live.test.ts: a relay that keeps nothing and hands events on as they come: their order, and what is told.

import fc from 'fast-check'
import { expect, onTestFinished, test, vi } from 'vitest'
import { tracepoint as fromWire, toWire } from '../src/ctf/from-wire.js'
import { eventBlock, preamble } from '../src/ctf/metadata.js'
import { parseMetadata } from '../src/ctf/tsdl.js'
import { formatJson, readTrace, startRelay, type TraceItem } from '../src/index.js'
import { i64, types } from '../src/protocol/wire.js'
import { Feed, HOLD_MS, MOST_HELD } from '../src/recording/live/feed.js'
import { connect, field, makeHello, makePut, tracepoint } from './client.js'
import { encode, StreamWriter } from './ctf-writer.js'
import { folder, relayIn, until } from './helpers.js'

const { Type, Shape } = types

async function liveRelay() {
  const items: TraceItem[] = []
  const relay = await startRelay({
    listen: '127.0.0.1:0',
    live: (more) => {
      for (const item of more) items.push(item)
    },
  })
  onTestFinished(() => relay.close())
  return Object.assign(relay, { items })
}

const n = (item: TraceItem) => (item.kind === 'event' ? item.fields.n : `lost ${item.events}`)

test('events of several streams come in the order of time, with losses among them and contexts before them', async () => {
  const relay = await liveRelay()
  const client = await connect(relay.address)
  const hello = makeHello({ contexts: [field('span', Type.U64)] })
  await client.hello(hello)
  await client.declare([tracepoint(0, 'p:e')])
  const event = (value: number) => Buffer.concat([encode('u64', 255n), encode('u32', value)])
  const [one, two] = [0, 1].map((stream) => new StreamWriter(hello.uuid, stream)) as [
    StreamWriter,
    StreamWriter,
  ]
  one.start(1n)
  two.start(1n)
  for (const time of [10, 30, 50]) one.event(0, BigInt(time), event(time))
  for (const time of [20, 40, 60]) two.event(0, BigInt(time), event(time))
  const puts = [makePut(0, 1, one.take()), makePut(1, 1, two.take())]
  one.event(0, 70n, event(70))
  const lost = new types.Lost({ noRoom: i64(4), tooBig: i64(0), badValue: i64(0), noRing: i64(0) })
  puts.push(makePut(0, 2, one.take(4n), { lost }))
  await Promise.all(puts.map((put) => client.put(put)))
  await until(() => relay.items.length === 8)
  expect(relay.items.map(n)).toEqual([10, 20, 30, 40, 50, 'lost 4', 60, 70])
  expect(JSON.parse(formatJson(relay.items[0]!))).toMatchObject({
    ...{ host: 'host', pid: 4711, program: 'node', event: 'e', cpu: 0 },
    ...{ context: { span: '00000000000000ff' }, fields: { n: 10 } },
  })
  expect(relay.stats().processes).toMatchObject([
    { folder: '', events: 3, lost: { noRoom: 4 }, tracepoints: 1 },
  ])
  client.end()
})

test('a process that comes again goes on where it was, and nothing is handed on twice', async () => {
  const relay = await liveRelay()
  const hello = makeHello()
  const writer = new StreamWriter(hello.uuid, 3)
  writer.start(1n)
  const first = await connect(relay.address)
  await first.hello(hello)
  await first.declare([tracepoint(0, 'p:e')])
  writer.event(0, 5n, encode('u32', 5))
  const bytes = writer.take()
  await first.put(makePut(3, 1, bytes))
  first.end()
  await until(() => relay.stats().connections.open === 0)
  const second = await connect(relay.address)
  const reply = await second.hello(hello)
  expect(reply.tracepoints).toBe(1)
  expect(reply.held.map((held) => [held.stream, held.sequence.toNumber()])).toEqual([[3, 1]])
  await second.put(makePut(3, 1, bytes))
  writer.event(0, 6n, encode('u32', 6))
  await second.put(makePut(3, 2, writer.take()))
  await until(() => relay.items.length === 2)
  expect(relay.items.map(n)).toEqual([5, 6])
  second.end()
})

test('a put whose events are not as declared is refused, and costs no other process anything', async () => {
  const relay = await liveRelay()
  const bad = await connect(relay.address)
  const hello = makeHello()
  await bad.hello(hello)
  await bad.declare([tracepoint(0, 'p:e', [field('s', Type.STRING)])])
  const writer = new StreamWriter(hello.uuid, 0)
  writer.start(1n)
  writer.event(0, 2n, Buffer.from('no end'))
  await expect(bad.put(makePut(0, 1, writer.take()))).rejects.toThrow(
    'stream 0, put 1: an event reaches beyond its end in one of its packets',
  )
  const other = new StreamWriter(hello.uuid, 1)
  other.start(1n)
  other.event(7, 2n, Buffer.alloc(0))
  await expect(bad.put(makePut(1, 1, other.take()))).rejects.toThrow(
    /event id 7 is in no metadata, in one of/,
  )
  expect(relay.stats().processes[0]).toMatchObject({ events: 0, connected: true })
  const good = await connect(relay.address)
  const its = makeHello()
  await good.hello(its)
  await good.declare([tracepoint(0, 'p:e')])
  const stream = new StreamWriter(its.uuid, 0)
  stream.start(1n)
  stream.event(0, 2n, encode('u32', 1))
  await good.put(makePut(0, 1, stream.take()))
  await until(() => relay.items.length === 1)
  for (const client of [bad, good]) client.end()
})

test('a relay needs to be told where events go, and only once', async () => {
  for (const where of [{}, { output: folder(), live: () => {} }]) {
    await expect(startRelay({ listen: '127.0.0.1:0', ...where })).rejects.toThrow(
      /output and live are both given or both missing; expected one of them/,
    )
  }
})

/** As much of an item as the feed looks at. */
const made = (stream: number, time: number) =>
  ({ trace: { uuid: 'u' }, stream, seconds: 1, nanoseconds: time }) as unknown as TraceItem

test('whatever comes within the hold is put in order; what comes later keeps the order of its stream', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  try {
    const put = fc.record({
      stream: fc.nat({ max: 3 }),
      steps: fc.array(fc.nat({ max: 50 })),
      wait: fc.nat({ max: 70 }),
    })
    fc.assert(
      fc.property(fc.array(put), fc.boolean(), (puts, slowly) => {
        const out: TraceItem[] = []
        const feed = new Feed((items) => out.push(...items))
        const times = [0, 0, 0, 0]
        let count = 0
        for (const { stream, steps, wait } of puts) {
          const items = steps.map((step) => {
            times[stream] = times[stream]! + step
            return made(stream, times[stream])
          })
          feed.hold(items)
          count += items.length
          if (slowly) vi.advanceTimersByTime(wait)
        }
        vi.advanceTimersByTime(HOLD_MS + 40)
        expect(out.length, 'all are out').toBe(count)
        for (const stream of [0, 1, 2, 3]) {
          const own = out.filter((item) => item.stream === stream).map((item) => item.nanoseconds)
          expect(own).toEqual([...own].sort((a, b) => a - b))
        }
        if (slowly) return
        const all = out.map((item) => item.nanoseconds)
        expect(all).toEqual([...all].sort((a, b) => a - b))
      }),
    )
  } finally {
    vi.useRealTimers()
  }
})

test('an item waits as long as the hold, and what came meanwhile and is older goes before it', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  try {
    const out: number[] = []
    const feed = new Feed((items) => out.push(...items.map((item) => item.nanoseconds)))
    feed.hold([made(0, 10)])
    vi.advanceTimersByTime(HOLD_MS - 10)
    feed.hold([made(1, 5), made(1, 15)])
    expect(out).toEqual([])
    vi.advanceTimersByTime(40)
    expect(out, 'and what is newer waits').toEqual([5, 10])
    vi.advanceTimersByTime(HOLD_MS)
    expect(out).toEqual([5, 10, 15])
    expect(vi.getTimerCount(), 'nothing held, nothing to wake for').toBe(0)
  } finally {
    vi.useRealTimers()
  }
})

test('more than may be held goes on at once', () => {
  let out = 0
  const feed = new Feed((items) => {
    out += items.length
  })
  const items = (count: number) => Array.from({ length: count }, (_, i) => made(0, i))
  feed.hold(items(MOST_HELD))
  expect(out).toBe(0)
  feed.hold(items(1))
  expect(out).toBe(MOST_HELD + 1)
})

test('a declaration is the same to a reader whether it came over the wire or from metadata, and back', () => {
  const labels = [new types.Label({ name: 'a"b', value: i64(-7) })]
  const shapes = [{}, { shape: Shape.SEQUENCE }, { shape: Shape.ARRAY, length: 3 }]
  const fields = Object.values(Type)
    .filter((type) => typeof type === 'number')
    .flatMap((type) =>
      (type === Type.BYTES ? [{}] : shapes).map((shape, i) => {
        const extra = type === Type.ENUM ? { container: Type.I32, labels } : {}
        return field(`f${type}_${i}`, type, { ...shape, ...extra })
      }),
    )
  const declared = tracepoint(0, 'p:e', fields)
  const process = { uuid: Buffer.alloc(16), hostname: 'h', program: 'p', pid: 1, bootId: Buffer.alloc(16) }
  const more = { clockOffset: 0n, synced: false, startedAt: 1n, session: 'default', contexts: [] }
  const info = parseMetadata('x', preamble({ ...process, ...more }) + eventBlock(declared))
  expect(fields.length).toBe(40)
  expect([fromWire(declared)]).toEqual(info.tracepoints)
  expect(eventBlock(toWire(info.tracepoints[0]!))).toBe(eventBlock(declared))
})

test('a file of a trace, and its events handed on live, are the same lines', async () => {
  const live = await liveRelay()
  const files = await relayIn(folder())
  const hello = makeHello()
  const puts = [0, 1].map((stream) => {
    const writer = new StreamWriter(hello.uuid, stream)
    writer.start(1n)
    for (let i = 1; i < 2000; i++) writer.event(0, BigInt(i * 1000 + stream), encode('u32', i))
    return makePut(stream, 1, writer.take())
  })
  for (const relay of [live, files]) {
    const client = await connect(relay.address)
    await client.hello(hello)
    await client.declare([tracepoint(0, 'p:e')])
    await Promise.all(puts.map((put) => client.put(put)))
    client.end()
  }
  await until(() => live.items.length === 3998)
  const lines: string[] = []
  for await (const item of readTrace(files.stats().processes[0]!.folder)) lines.push(formatJson(item))
  expect(live.items.map(formatJson)).toEqual(lines)
})
