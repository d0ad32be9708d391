// relay/test/assembler.test.ts: from span events to spans: whole ones, odd ones, and that none goes unaccounted for.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tracepoint as fromWire } from '../src/ctf/from-wire.js'
import { type TraceEvent, type TraceInfo, TraceLoss } from '../src/ctf/model.js'
import { Decoders } from '../src/ctf/packet-reader.js'
import { PutDecoder } from '../src/ctf/put-decoder.js'
import { i64 } from '../src/protocol/wire.js'
import { NOTHING as NONE } from '../src/recording/mark.js'
import { Assembler, type SpanItem } from '../src/spans/assembly/assembler.js'
import type { Source } from '../src/spans/assembly/group.js'
import { SpanRecord, spanDecoders } from '../src/spans/assembly/records.js'
import { readText } from '../src/spans/assembly/texts.js'
import { encode, StreamWriter } from './ctf-writer.js'
import { type KindName, SpanWriter, spanTracepoints } from './span-events.js'

const tracepoints = spanTracepoints(i64).map((one) => fromWire(one))
const trace: TraceInfo = {
  ...{ folder: '', uuid: 'u', hostname: 'host', program: 'Store', pid: 1, session: 'default', bootId: 'b' },
  ...{ offset: 0n, contexts: [], tracepoints },
}
/** What is known of a stream that has not begun. */
const EPOCH = 1_700_000_000

type Fields = Record<string, unknown>

const words = (value: unknown) => {
  const all = BigInt(value as number | bigint)
  return { low: Number(BigInt.asIntN(32, all)), high: Number(BigInt.asIntN(32, all >> 32n)) }
}

/** Times are in microseconds after EPOCH; fields are called as the events have them. */
function event(name: string, time: number, fields: Fields): SpanRecord {
  const record = new SpanRecord()
  record.event = `span_${name}` as SpanRecord['event']
  record.time = EPOCH * 1e6 + time
  const { trace_high, trace_low, span, parent, key, value, ...rest } = fields
  ;({ low: record.traceLow, high: record.traceLowHigh } = words(trace_low))
  ;({ low: record.spanLow, high: record.spanHigh } = words(span))
  if (name === 'begin') {
    const [high, up] = [words(trace_high), words(parent)]
    const ids = { traceHighLow: high.low, traceHighHigh: high.high, parentLow: up.low, parentHigh: up.high }
    Object.assign(rest, { time: 0, shift: 0, ...ids })
  }
  record.key = (key as string) ?? ''
  const own = name === 'name' ? rest.name : (value ?? rest)
  record.value = (name === 'end' ? '' : own) as SpanRecord['value']
  return record
}

const begin = (time: number, fields: Fields = {}) =>
  event('begin', time, {
    ...{
      trace_high: 0,
      trace_low: 7,
      span: 1,
      parent: 0,
      kind: 'local',
      flags: 0,
      probability: 1,
      name: 'op',
    },
    ...fields,
  })
const end = (time: number, fields: Fields = {}) => event('end', time, { trace_low: 7, span: 1, ...fields })
const note = (time: number, value: string, fields: Fields = {}) =>
  event('annotation', time, { trace_low: 7, span: 1, value, ...fields })
const rename = (time: number, name: string, fields: Fields = {}) =>
  event('name', time, { trace_low: 7, span: 1, name, ...fields })
const tag = (time: number, key: string, value: string, fields: Fields = {}) =>
  event('tag', time, { trace_low: 7, span: 1, key, value, ...fields })

/** With tags in its own record. */
function tagged(record: SpanRecord): SpanRecord {
  record.tags = ['a', 1, 'b', 'x']
  return record
}

function assembler(limits = {}) {
  const made = new Assembler({ lateMs: 10, goneMs: 100, ...limits })
  return Object.assign(made, { source: made.open('p', 'default', 'Store') as Source })
}

function take(made: Assembler, source: Source, items: SpanItem[], now: number): void {
  for (const item of items) made.take(source, item, now)
}

function accounts({ counts }: Assembler): number {
  const { inSpans, held, duplicates, malformed, orphaned, tooLate, tooMany } = counts
  return inSpans + held + duplicates + malformed + orphaned + tooLate + tooMany
}

test('begin, facts and end become one span, in the terms of Zipkin', () => {
  const made = assembler()
  const ids = { trace_low: 0xabcn, span: (1n << 64n) - 1n }
  take(
    made,
    made.source,
    [
      begin(1000, {
        trace_high: 1n << 63n,
        ...ids,
        parent: 5,
        kind: 'client',
        name: 'Write',
      }),
      ...[
        note(1200, 'queued', ids),
        tag(1300, 'object', 'a', ids),
        event('number', 1400, { ...ids, key: 'bytes', value: 4096 }),
        event('remote', 1500, { ...ids, service: 'Disk', address: '::ffff:10.0.0.1', port: 80 }),
        end(3000, ids),
      ],
    ],
    0,
  )
  expect(made.due(9), 'others may have more of it').toEqual([])
  expect(made.due(10)).toEqual([
    {
      traceId: '80000000000000000000000000000abc',
      parentId: '0000000000000005',
      id: 'ffffffffffffffff',
      kind: 'CLIENT',
      name: 'write',
      timestamp: EPOCH * 1e6 + 1000,
      duration: 2000,
      localEndpoint: { serviceName: 'store' },
      remoteEndpoint: { serviceName: 'disk', ipv4: '10.0.0.1', port: 80 },
      annotations: [{ timestamp: EPOCH * 1e6 + 1200, value: 'queued' }],
      tags: { object: 'a', bytes: '4096' },
    },
  ])
  expect(made.counts).toMatchObject({ events: 6, inSpans: 6, spans: 1, incomplete: 0, held: 0 })
})

test('a span has the last name that it was given, in whichever order the names are read', () => {
  const events = [begin(1), rename(2, 'GET /users'), rename(3, 'GET /users/:id'), end(4)]
  fc.assert(
    fc.property(fc.shuffledSubarray(events, { minLength: 4 }), (shuffled) => {
      const made = assembler()
      take(made, made.source, shuffled, 0)
      expect(made.due(10)).toMatchObject([{ name: 'get /users/:id' }])
      expect(made.counts).toMatchObject({ events: 4, inSpans: 4 })
    }),
  )
})

test('events in any order make the same span, and what comes after the end is told', () => {
  const events = [begin(1), note(2, 'a'), tag(3, 'k', 'v'), end(4)]
  fc.assert(
    fc.property(fc.shuffledSubarray(events, { minLength: 4 }), (shuffled) => {
      const made = assembler()
      for (const one of shuffled) made.take(made.source, one, 0)
      const [span] = made.due(10)
      expect(span).toMatchObject({ duration: 3, tags: { k: 'v' }, annotations: [{ value: 'a' }] })
      expect(made.counts.events).toBe(accounts(made))
    }),
  )
  const made = assembler()
  take(made, made.source, [begin(1), end(4)], 0)
  take(made, made.source, [note(2, 'a')], 5)
  expect(made.due(10)).toMatchObject([{ annotations: [{ value: 'a' }] }])
  expect(made.counts.late).toBe(1)
})

test('a second begin, a second end, and what comes when the span was handed on are told apart', () => {
  const made = assembler()
  take(made, made.source, [begin(1), begin(2), end(4), end(5), end(6)], 0)
  expect(made.due(10)).toMatchObject([{ timestamp: EPOCH * 1e6 + 1, duration: 3 }])
  expect(made.counts).toMatchObject({ duplicates: 3, inSpans: 2 })
  take(made, made.source, [end(7), note(8, 'x'), begin(9)], 20)
  expect(made.due(40)).toEqual([])
  expect(made.counts).toMatchObject({ duplicates: 5, tooLate: 1, events: 8, held: 0 })
})

test('a span that never ends is handed on when its process went, and waits while it may come back', () => {
  const made = assembler()
  take(made, made.source, [begin(1), note(2, 'a')], 0)
  made.close(made.source, 0)
  expect(made.due(99)).toEqual([])
  expect(made.open('p', 'default', 'Store')).toBe(made.source)
  expect(made.due(1000), 'it came back').toEqual([])
  made.close(made.source, 1000)
  expect(made.due(1100)).toMatchObject([{ name: 'op', tags: { 'blkin.incomplete': 'its process ended' } }])
  expect(made.counts).toMatchObject({ incomplete: 1, inSpans: 2, held: 0 })
})

test('of two sessions that tell of a span, the first one counts, whatever becomes of the other', () => {
  const made = assembler()
  const other = made.open('p', 'other', 'Store')
  const told = [begin(1, { kind: 'client' }), note(2, 'sent'), end(5)]
  take(made, made.source, told.slice(0, 2), 0)
  take(made, other, [begin(1.5, { kind: 'client' }), note(2.5, 'sent'), end(5.5)], 0)
  made.close(other, 0)
  expect(made.due(200)).toEqual([])
  take(made, made.source, told.slice(2), 200)
  take(made, other, [end(5.5)], 210)
  expect(made.due(300)).toMatchObject([{ duration: 4, annotations: [{ value: 'sent' }] }])
  expect(made.counts).toMatchObject({ spans: 1, inSpans: 3, duplicates: 4 })
  expect(accounts(made)).toBe(made.counts.events)
})

test('facts and an end without a begin are orphans', () => {
  const made = assembler()
  take(made, made.source, [note(1, 'a'), end(2), new TraceLoss(trace, 0, 0, 0, 1n, 5n, 0n)], 0)
  expect(made.due(50)).toEqual([])
  expect(made.finish()).toEqual([])
  expect(made.counts).toMatchObject({ orphaned: 2, spans: 0, lost: 5, held: 0 })
})

test('too many open spans: the oldest goes on without an end, and its end is told as late', () => {
  const made = assembler({ spans: 2 })
  take(
    made,
    made.source,
    [1, 2, 3].map((span) => begin(span, { span })),
    0,
  )
  expect(made.due(0)).toMatchObject([
    { id: '0000000000000001', tags: { 'blkin.incomplete': 'too many were open' } },
  ])
  take(made, made.source, [end(9, { span: 1 }), tag(9, 'a', 'b', { span: 1 })], 0)
  expect(made.counts).toMatchObject({ incomplete: 1, duplicates: 0, tooLate: 2, held: 2 })
})

test('a span that is forgotten may begin anew', () => {
  const made = assembler({ done: 0 })
  take(made, made.source, [begin(1), end(2)], 0)
  expect(made.due(10)).toHaveLength(1)
  take(made, made.source, [begin(3), end(5)], 20)
  expect(made.due(30)).toMatchObject([{ duration: 2 }])
  expect(made.counts).toMatchObject({ tooLate: 0, duplicates: 0, inSpans: 4 })
})

test('bytes are bounded too, and so are the facts of one span', () => {
  const made = assembler({ bytes: 10_000, facts: 3 })
  take(made, made.source, [begin(1, { span: 2 }), tag(1, 'k', 'x'.repeat(9_900), { span: 2 })], 0)
  expect(made.due(0)).toMatchObject([{ id: '0000000000000002' }])
  take(made, made.source, [begin(1), ...[1, 2, 3, 4, 5].map((n) => note(n, `${n}`)), end(6)], 0)
  expect(made.due(10)).toMatchObject([{ annotations: [{ value: '1' }, { value: '2' }, { value: '3' }] }])
  expect(made.counts.tooMany).toBe(2)
})

test('large facts of one span make as much room as they take', () => {
  const made = assembler({ bytes: 100_000 })
  const small = Array.from({ length: 149 }, (_, i) => begin(0, { span: i + 1 }))
  const large = Array.from({ length: 15 }, (_, i) => note(i, 'x'.repeat(4000), { span: 150 }))
  take(made, made.source, [...small, begin(0, { span: 150 }), ...large], 0)
  expect(made.due(0).length).toBeGreaterThan(70)
  expect(made.finish().at(-1)!.annotations).toHaveLength(15)
  expect(accounts(made)).toBe(made.counts.events)
})

test('a server that shares the id of a client in its own process is a span of its own', () => {
  const made = assembler()
  take(
    made,
    made.source,
    [
      begin(10, { kind: 'client' }),
      tag(11, 'who', 'client'),
      begin(20, { kind: 'server', flags: 2 }),
      tag(21, 'who', 'server'),
      end(30),
      note(35, 'back'),
      end(40),
    ],
    0,
  )
  expect(made.due(10)).toEqual([
    expect.objectContaining({ kind: 'CLIENT', duration: 30, tags: { who: 'client' } }),
    expect.objectContaining({ kind: 'SERVER', duration: 10, tags: { who: 'server' }, shared: true }),
  ])
  expect(made.counts.events).toBe(accounts(made))
})

test('a client that ended before its server began in its process keeps its end', () => {
  const made = assembler()
  const client = [begin(10, { kind: 'client' }), end(15), tag(14, 'who', 'client')]
  const server = [begin(20, { kind: 'server', flags: 2 }), tag(21, 'who', 'server')]
  take(made, made.source, [...client, ...server, end(30)], 0)
  const both = [
    expect.objectContaining({ kind: 'CLIENT', duration: 5, tags: { who: 'client' } }),
    expect.objectContaining({ kind: 'SERVER', duration: 10, tags: { who: 'server' } }),
  ]
  expect(made.due(11)).toEqual(both)
  const slow = assembler()
  take(slow, slow.source, [...client, ...server], 0)
  expect(slow.due(10), 'its server goes on').toEqual([])
  take(slow, slow.source, [end(30)], 20)
  expect(slow.due(30)).toEqual(both)
  const other = assembler()
  take(other, other.source, [...client, ...server], 0)
  expect(other.finish(), 'and its server may not have ended').toEqual([
    both[0],
    expect.objectContaining({
      kind: 'SERVER',
      tags: { who: 'server', 'blkin.incomplete': 'the relay closed' },
    }),
  ])
  for (const { counts } of [made, slow, other])
    expect(counts).toMatchObject({ backwards: 0, duplicates: 0, tooLate: 0 })
})

test('two processes may have the same span, and one process the same span id in two traces', () => {
  const made = assembler({ done: 1 })
  const other = made.open('q', 'default', 'Other')
  take(made, made.source, [begin(1), begin(1, { trace_low: 8, name: 'b' })], 0)
  take(made, other, [begin(2, { flags: 2, kind: 'server' }), end(3)], 0)
  take(made, made.source, [end(5), end(9, { trace_low: 8 })], 0)
  const spans = made
    .due(10)
    .map(({ localEndpoint, duration, name }) => [localEndpoint?.serviceName, name, duration])
  expect(spans.sort()).toEqual([
    ['other', 'op', 1],
    ['store', 'b', 8],
    ['store', 'op', 4],
  ])
  expect(made.counts.held).toBe(0)
})

test('odd values: ids of 0, a parent of itself, time that runs back, text that is no IP address, a probability', () => {
  const made = assembler()
  take(made, made.source, [begin(1, { span: 0 }), begin(1, { trace_low: 0 }), note(1, 'x', { span: 0 })], 0)
  expect(made.counts.malformed).toBe(3)
  take(
    made,
    made.source,
    [
      begin(10, { parent: 1, probability: Math.fround(0.1), flags: 1 }),
      event('remote', 11, { trace_low: 7, span: 1, service: '', address: '/run/socket', port: 0 }),
      tag(11, '__proto__', 'fine'),
      end(5),
    ],
    0,
  )
  const [span] = made.due(10)
  expect(
    JSON.parse(JSON.stringify(span), (key, value) => (key === 'tags' ? Object.entries(value) : value)),
  ).toEqual({
    ...{ traceId: '0000000000000007', id: '0000000000000001', name: 'op', debug: true },
    ...{ timestamp: EPOCH * 1e6 + 10, duration: 1, localEndpoint: { serviceName: 'store' } },
    tags: [
      ['peer.address', '/run/socket'],
      ['__proto__', 'fine'],
    ],
  })
  expect(made.counts.backwards).toBe(1)
})

test('a tracepoint of the right name with other fields is no span event', () => {
  const made = assembler()
  const tracepoint = { ...tracepoints[5]!, fields: [{ name: 'n', type: 'u32' as const }] }
  const info = { ...trace, tracepoints: [...tracepoints.slice(0, 5), tracepoint] }
  const writer = new StreamWriter(Buffer.alloc(16), 0)
  writer.event(5, 1n, encode('u32', 1))
  new PutDecoder(spanDecoders(info)).each(0, NONE, NONE.epoch, writer.take(), (item) =>
    made.take(made.source, item, 0),
  )
  expect(made.counts).toMatchObject({ events: 1, malformed: 1 })
})

test('whatever comes, every event is in a span, held, or counted', () => {
  const ids = fc.record({ trace_low: fc.integer({ min: 0, max: 2 }), span: fc.integer({ min: 0, max: 3 }) })
  const time = fc.integer({ min: 0, max: 50 })
  const events = fc.oneof(
    fc.tuple(time, ids, fc.constantFrom(0, 1, 2)).map(([at, id, flags]) => begin(at, { ...id, flags })),
    fc.tuple(time, ids).map(([at, id]) => end(at, id)),
    fc.tuple(time, ids).map(([at, id]) => tagged(begin(at, id))),
    fc.tuple(time, ids).map(([at, id]) => tagged(end(at, id))),
    fc.tuple(time, ids).map(([at, id]) => tag(at, 'k', 'v', id)),
    fc.tuple(time, ids).map(([at, id]) => note(at, 'x', id)),
    fc.tuple(time, ids).map(([at, id]) => rename(at, 'y', id)),
  )
  const steps = fc.array(fc.tuple(fc.constantFrom('p', 'q'), events, fc.integer({ min: 0, max: 8 })), {
    maxLength: 200,
  })
  fc.assert(
    fc.property(steps, (list) => {
      const made = assembler({ spans: 4, facts: 3, done: 3 })
      const sources = { p: made.source, q: made.open('q', 'default', 'q') }
      let spans = 0
      let now = 0
      for (const [who, one, later] of list) {
        now += later
        made.take(sources[who as 'p' | 'q'], one, now)
        spans += made.due(now).length
        expect(made.held).toBeLessThanOrEqual(4)
        expect(made.counts.events).toBe(accounts(made))
      }
      spans += made.finish().length
      expect(made.counts).toMatchObject({ held: 0, spans, events: list.length })
      expect(accounts(made)).toBe(list.length)
    }),
  )
})

test('records have what the general decoder finds in the same packets', () => {
  const u64 = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 3n }))
  const ids = fc.record({ high: u64, low: u64, span: u64 })
  const text = fc
    .oneof(
      fc.constantFrom('a', 'object', 'x'.repeat(31), 'x'.repeat(32), 'x'.repeat(33)),
      fc.string({ unit: 'grapheme' }),
    )
    .map((some) => some.replaceAll('\0', ''))
  const kind = fc.constantFrom<KindName>('local', 'client', 'server', 'producer', 'consumer')
  const write = fc.oneof(
    fc.tuple(ids, text, kind, u64, fc.nat(3)).map(
      ([id, name, kind, parent, flags]) =>
        (to: SpanWriter, at: number) =>
          to.begin(at, id, name, { kind, parent, flags, probability: 0.25 }),
    ),
    fc.tuple(ids, text).map(
      ([id, value]) =>
        (to: SpanWriter, at: number) =>
          to.annotation(at, id, value),
    ),
    fc.tuple(ids, text, text).map(
      ([id, key, value]) =>
        (to: SpanWriter, at: number) =>
          to.tag(at, id, key, value),
    ),
    fc.tuple(ids, text, fc.double()).map(
      ([id, key, value]) =>
        (to: SpanWriter, at: number) =>
          to.number(at, id, key, value),
    ),
    fc.tuple(ids, text, text, fc.nat(65535)).map(
      ([id, service, address, port]) =>
        (to: SpanWriter, at: number) =>
          to.remote(at, id, service, address, port),
    ),
    ids.map((id) => (to: SpanWriter, at: number) => to.end(at, id)),
    fc.tuple(ids, text).map(
      ([id, name]) =>
        (to: SpanWriter, at: number) =>
          to.rename(at, id, name),
    ),
  )
  fc.assert(
    fc.property(fc.array(write, { maxLength: 40 }), (writes) => {
      const writer = new StreamWriter(Buffer.alloc(16), 0)
      const to = new SpanWriter(writer)
      for (const [i, one] of writes.entries()) one(to, i * 1e8)
      const packets = writer.take()
      const plain = new PutDecoder(new Decoders(trace, () => true)).decode(
        0,
        NONE,
        NONE.epoch,
        packets,
      ) as TraceEvent[]
      const records: unknown[] = []
      new PutDecoder(spanDecoders(trace)).each(0, NONE, NONE.epoch, packets, (item) =>
        records.push({ ...item }),
      )
      const expected = plain.map(({ tracepoint, seconds, nanoseconds, fields }) => {
        const made = event(tracepoint.event.slice(5), 0, fields)
        return { ...made, time: seconds * 1e6 + nanoseconds / 1e3 }
      })
      expect(records).toEqual(expected)
    }),
  )
})

test('texts that share a place among the known ones are told apart', () => {
  const texts = Array.from({ length: 20_000 }, (_, i) => `${100_000 + i}`)
  for (const text of [...texts, ...texts]) {
    const p = { at: 0, end: 7 }
    expect(readText(Buffer.from(`${text}\0`), p)).toBe(text)
    expect(p.at).toBe(7)
  }
})
