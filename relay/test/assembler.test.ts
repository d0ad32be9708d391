// relay/test/assembler.test.ts: from span events to spans: whole ones, odd ones, and that none goes unaccounted for.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tracepoint as fromWire } from '../src/read/from-wire.js'
import { TraceEvent, type TraceInfo, TraceLoss, type TraceValue } from '../src/read/model.js'
import { Assembler } from '../src/spans/assembler.js'
import type { Source } from '../src/spans/group.js'
import { i64 } from '../src/wire.js'
import { spanTracepoints } from './span-events.js'

const tracepoints = spanTracepoints(i64).map((one) => fromWire(one))
const trace: TraceInfo = {
  ...{ folder: '', uuid: 'u', hostname: 'host', program: 'Store', pid: 1, session: 'default', bootId: 'b' },
  ...{ offset: 0n, contexts: [], tracepoints },
}
const EPOCH = 1_700_000_000

type Fields = Record<string, TraceValue>

/** Times are in microseconds after EPOCH. */
function event(name: string, time: number, fields: Fields): TraceEvent {
  const tracepoint = tracepoints.find((one) => one.event === `span_${name}`)!
  const seconds = EPOCH + Math.floor(time / 1e6)
  return new TraceEvent(trace, 0, seconds, (time % 1e6) * 1000, tracepoint, 0, undefined, fields)
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
const tag = (time: number, key: string, value: string, fields: Fields = {}) =>
  event('tag', time, { trace_low: 7, span: 1, key, value, ...fields })

function assembler(limits = {}) {
  const made = new Assembler({ lateMs: 10, goneMs: 100, ...limits })
  return Object.assign(made, { source: made.open('p', 'Store') as Source })
}

function accounts({ counts }: Assembler): number {
  const { inSpans, held, duplicates, malformed, orphaned, tooLate, tooMany } = counts
  return inSpans + held + duplicates + malformed + orphaned + tooLate + tooMany
}

test('begin, facts and end become one span, in the terms of Zipkin', () => {
  const made = assembler()
  made.take(
    made.source,
    [
      begin(1000, {
        trace_high: 1n << 63n,
        trace_low: 0xabcn,
        span: (1n << 64n) - 1n,
        parent: 5,
        kind: 'client',
        name: 'Write',
      }),
      ...[
        note(1200, 'queued'),
        tag(1300, 'object', 'a'),
        event('number', 1400, { trace_low: 7, span: 1, key: 'bytes', value: 4096 }),
        event('remote', 1500, {
          trace_low: 7,
          span: 1,
          service: 'Disk',
          address: '::ffff:10.0.0.1',
          port: 80,
        }),
        end(3000),
      ].map(({ seconds, nanoseconds, tracepoint, fields }) => {
        const ids = { trace_low: 0xabcn, span: (1n << 64n) - 1n }
        return new TraceEvent(trace, 0, seconds, nanoseconds, tracepoint, 0, undefined, { ...fields, ...ids })
      }),
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

test('events in any order make the same span, and what comes after the end is told', () => {
  const events = [begin(1), note(2, 'a'), tag(3, 'k', 'v'), end(4)]
  fc.assert(
    fc.property(fc.shuffledSubarray(events, { minLength: 4 }), (shuffled) => {
      const made = assembler()
      for (const one of shuffled) made.take(made.source, [one], 0)
      const [span] = made.due(10)
      expect(span).toMatchObject({ duration: 3, tags: { k: 'v' }, annotations: [{ value: 'a' }] })
      expect(made.counts.events).toBe(accounts(made))
    }),
  )
  const made = assembler()
  made.take(made.source, [begin(1), end(4)], 0)
  made.take(made.source, [note(2, 'a')], 5)
  expect(made.due(10)).toMatchObject([{ annotations: [{ value: 'a' }] }])
  expect(made.counts.late).toBe(1)
})

test('a second begin, a second end, and what comes when the span was handed on are told apart', () => {
  const made = assembler()
  made.take(made.source, [begin(1), begin(2), end(4), end(5), end(6)], 0)
  expect(made.due(10)).toMatchObject([{ timestamp: EPOCH * 1e6 + 1, duration: 3 }])
  expect(made.counts).toMatchObject({ duplicates: 3, inSpans: 2 })
  made.take(made.source, [end(7), note(8, 'x'), begin(9)], 20)
  expect(made.due(40)).toEqual([])
  expect(made.counts).toMatchObject({ duplicates: 5, tooLate: 1, events: 8, held: 0 })
})

test('a span that never ends is handed on when its process went, and waits while it may come back', () => {
  const made = assembler()
  made.take(made.source, [begin(1), note(2, 'a')], 0)
  made.close(made.source, 0)
  expect(made.due(99)).toEqual([])
  expect(made.open('p', 'Store')).toBe(made.source)
  expect(made.due(1000), 'it came back').toEqual([])
  made.close(made.source, 1000)
  expect(made.due(1100)).toMatchObject([{ name: 'op', tags: { 'blkin.incomplete': 'its process ended' } }])
  expect(made.counts).toMatchObject({ incomplete: 1, inSpans: 2, held: 0 })
})

test('facts and an end without a begin are orphans', () => {
  const made = assembler()
  made.take(made.source, [note(1, 'a'), end(2), new TraceLoss(trace, 0, 0, 0, 1n, 5n, 0n)], 0)
  expect(made.due(50)).toEqual([])
  expect(made.finish()).toEqual([])
  expect(made.counts).toMatchObject({ orphaned: 2, spans: 0, lost: 5, held: 0 })
})

test('too many open spans: the oldest goes on without an end, and its end is told as late', () => {
  const made = assembler({ spans: 2 })
  made.take(
    made.source,
    [1, 2, 3].map((span) => begin(span, { span })),
    0,
  )
  expect(made.due(0)).toMatchObject([
    { id: '0000000000000001', tags: { 'blkin.incomplete': 'too many were open' } },
  ])
  made.take(made.source, [end(9, { span: 1 }), tag(9, 'a', 'b', { span: 1 })], 0)
  expect(made.counts).toMatchObject({ incomplete: 1, duplicates: 0, tooLate: 2, held: 2 })
})

test('bytes are bounded too, and so are the facts of one span', () => {
  const made = assembler({ bytes: 10_000, facts: 3 })
  made.take(made.source, [begin(1, { span: 2 }), tag(1, 'k', 'x'.repeat(9_900), { span: 2 })], 0)
  expect(made.due(0)).toMatchObject([{ id: '0000000000000002' }])
  made.take(made.source, [begin(1), ...[1, 2, 3, 4, 5].map((n) => note(n, `${n}`)), end(6)], 0)
  expect(made.due(10)).toMatchObject([{ annotations: [{ value: '1' }, { value: '2' }, { value: '3' }] }])
  expect(made.counts.tooMany).toBe(2)
})

test('a server that shares the id of a client in its own process is a span of its own', () => {
  const made = assembler()
  made.take(
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

test('two processes may have the same span, and one process the same span id in two traces', () => {
  const made = assembler({ done: 1 })
  const other = made.open('q', 'Other')
  made.take(made.source, [begin(1), begin(1, { trace_low: 8, name: 'b' })], 0)
  made.take(other, [begin(2, { flags: 2, kind: 'server' }), end(3)], 0)
  made.take(made.source, [end(5), end(9, { trace_low: 8 })], 0)
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
  made.take(made.source, [begin(1, { span: 0 }), begin(1, { trace_low: 0 }), note(1, 'x', { span: 0 })], 0)
  expect(made.counts.malformed).toBe(3)
  made.take(
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
  made.take(made.source, [new TraceEvent(trace, 0, 1, 0, tracepoint, 0, undefined, { n: 1 })], 0)
  expect(made.counts).toMatchObject({ events: 1, malformed: 1 })
})

test('whatever comes, every event is in a span, held, or counted', () => {
  const ids = fc.record({ trace_low: fc.integer({ min: 0, max: 2 }), span: fc.integer({ min: 0, max: 3 }) })
  const time = fc.integer({ min: 0, max: 50 })
  const events = fc.oneof(
    fc.tuple(time, ids, fc.constantFrom(0, 1, 2)).map(([at, id, flags]) => begin(at, { ...id, flags })),
    fc.tuple(time, ids).map(([at, id]) => end(at, id)),
    fc.tuple(time, ids).map(([at, id]) => tag(at, 'k', 'v', id)),
    fc.tuple(time, ids).map(([at, id]) => note(at, 'x', id)),
  )
  const steps = fc.array(fc.tuple(fc.constantFrom('p', 'q'), events, fc.integer({ min: 0, max: 8 })), {
    maxLength: 200,
  })
  fc.assert(
    fc.property(steps, (list) => {
      const made = assembler({ spans: 4, facts: 3, done: 3 })
      const sources = { p: made.source, q: made.open('q', 'q') }
      let spans = 0
      let now = 0
      for (const [who, one, later] of list) {
        now += later
        made.take(sources[who as 'p' | 'q'], [one], now)
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
