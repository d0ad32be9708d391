// relay/test/declared-spans.test.ts: span events that tell a part of what they say with their declaration: names and keys that
// come often, and spans that a program declared; and those of a trace that a tracer without such events recorded.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tracepoint as fromWire } from '../src/ctf/from-wire.js'
import type { TraceInfo } from '../src/ctf/model.js'
import { PutDecoder } from '../src/ctf/put-decoder.js'
import { parseMetadata } from '../src/ctf/tsdl.js'
import { i64, types } from '../src/protocol/wire.js'
import { NOTHING } from '../src/recording/mark.js'
import { Assembler } from '../src/spans/assembly/assembler.js'
import { spanDecoders } from '../src/spans/assembly/records.js'
import { field, tracepoint } from './client.js'
import { encode, StreamWriter } from './ctf-writer.js'
import { SpanWriter, spanTracepoints } from './span-events.js'

const { Type, Shape } = types
const labels = (...names: string[]) => ({
  container: Type.U8,
  labels: names.map((name, value) => new types.Label({ name, value: i64(value) as never })),
})
const constant = (name: string, ...texts: string[]) => field(name, Type.ENUM, labels(...texts))
const ids = [field('trace_low', Type.U64), field('span', Type.U64)]
const [generalBegin] = spanTracepoints(i64)
const beginFields = (name: string) => [...generalBegin!.fields!.slice(0, 7), constant('name', name)]

const beginCheckout = [
  ...beginFields('checkout'),
  ...[constant('keys', 'cart', 'http.route', 'parent', 'raw', 'sizes'), field('cart', Type.U32)],
  ...[field('http_route', Type.STRING), field('parent_2', Type.BOOL), field('raw', Type.BYTES)],
  field('sizes', Type.U16, { shape: Shape.SEQUENCE }),
]
const declared = [
  tracepoint(7, 'blkin:span_begin.shop.checkout', beginCheckout),
  tracepoint(8, 'blkin:span_end.shop.checkout', [
    ...ids,
    constant('keys', 'total'),
    field('total', Type.F64),
  ]),
  tracepoint(9, 'blkin:span_annotation.shop.checkout.paid', [
    ...[...ids, constant('value', 'paid'), constant('keys', 'by', 'amount')],
    ...[field('by', Type.STRING), field('amount', Type.U8)],
  ]),
  tracepoint(10, 'blkin:span_begin.0', beginFields('GET /users/:id')),
  tracepoint(11, 'blkin:span_tag.0', [...ids, constant('key', 'user'), field('value', Type.STRING)]),
  tracepoint(12, 'blkin:span_number.1', [...ids, constant('key', 'bytes'), field('value', Type.F64)]),
  // As nobody declares them:
  tracepoint(13, 'blkin:span_end.odd', [...ids, field('total', Type.F64)]),
  tracepoint(14, 'blkin:span_tag.odd', [...ids, constant('key', 'a', 'b'), field('value', Type.STRING)]),
  tracepoint(15, 'blkin:span_begin.odd', [...beginFields('x'), constant('keys', 'a'), ...ids]),
  tracepoint(16, 'blkin:session.opened', ids),
]
const info: TraceInfo = {
  ...{ folder: '', uuid: 'u', hostname: 'host', program: 'shop', pid: 1, session: 'default', bootId: 'b' },
  ...{
    offset: 0n,
    contexts: [],
    tracepoints: [...spanTracepoints(i64), ...declared].map((one) => fromWire(one)),
  },
}

function spansOf(trace: TraceInfo, packets: Buffer) {
  const assembler = new Assembler()
  const source = assembler.open('p', 'default', trace.program)
  new PutDecoder(spanDecoders(trace)).each(0, NOTHING, NOTHING.epoch, packets, (item) =>
    assembler.take(source, item, 0),
  )
  return { spans: assembler.finish(), counts: assembler.counts }
}

const idBytes = (span: bigint) => Buffer.concat([encode('u64', 7n), encode('u64', span)])
const beginBytes = (span: bigint, kind = 2) =>
  Buffer.concat([
    ...[encode('u64', 0n), idBytes(span), encode('u64', 0n), encode('u8', kind), encode('u8', 0)],
    ...[encode('f32', 1), encode('u8', 0)],
  ])
const string = (text: string) => encode('string', text)

test('tags of a declared span are in its beginning and its end, and those of an annotation in its text', () => {
  const to = new StreamWriter(Buffer.alloc(16), 0)
  const tags = [encode('u8', 0), encode('u32', 3), string('/cart'), encode('u8', 1)]
  const lists = [
    encode('u32', 2),
    Buffer.from([0xca, 0xfe]),
    encode('u32', 2),
    encode('u16', 5),
    encode('u16', 6),
  ]
  to.event(7, 1000n, Buffer.concat([beginBytes(1n), ...tags, ...lists]))
  const paid = [encode('u8', 0), encode('u8', 0), string('card'), encode('u8', 9)]
  to.event(9, 2000n, Buffer.concat([idBytes(1n), ...paid]))
  to.event(8, 3000n, Buffer.concat([idBytes(1n), encode('u8', 0), encode('f64', 9.5)]))
  const { spans, counts } = spansOf(info, to.take())
  expect(spans).toMatchObject([
    {
      ...{ id: '0000000000000001', kind: 'SERVER', name: 'checkout', duration: 2 },
      annotations: [{ value: 'paid by=card amount=9' }],
      tags: { cart: '3', 'http.route': '/cart', parent: 'true', raw: 'cafe', sizes: '5,6', total: '9.5' },
    },
  ])
  expect(counts).toMatchObject({ events: 3, inSpans: 3, held: 0, malformed: 0 })
})

test('texts that are told with a declaration stand beside those that are told each time', () => {
  const to = new StreamWriter(Buffer.alloc(16), 0)
  const general = new SpanWriter(to)
  to.event(10, 1000n, beginBytes(1n))
  to.event(11, 2000n, Buffer.concat([idBytes(1n), encode('u8', 0), string('ada')]))
  general.tag(2000, { low: 7n, span: 1n }, 'op', 'write')
  to.event(12, 2000n, Buffer.concat([idBytes(1n), encode('u8', 0), encode('f64', 4096)]))
  general.end(3000, { low: 7n, span: 1n })
  const { spans, counts } = spansOf(info, to.take())
  expect(spans).toMatchObject([{ name: 'get /users/:id', tags: { user: 'ada', op: 'write', bytes: '4096' } }])
  expect(counts).toMatchObject({ events: 5, inSpans: 5 })
})

test('what comes twice is told once, with its tags', () => {
  const to = new StreamWriter(Buffer.alloc(16), 0)
  for (let i = 0; i < 2; i++)
    to.event(7, 1000n, Buffer.concat([beginBytes(1n), Buffer.alloc(5), ...[string(''), Buffer.alloc(9)]]))
  for (let i = 0; i < 3; i++)
    to.event(8, 3000n, Buffer.concat([idBytes(1n), encode('u8', 0), encode('f64', 9)]))
  const { spans, counts } = spansOf(info, to.take())
  expect(spans).toMatchObject([{ tags: { total: '9' } }])
  expect(counts).toMatchObject({ events: 5, inSpans: 2, duplicates: 3, held: 0 })
})

test('an event that has one of the names and other fields is malformed, and one of another name none of ours', () => {
  const to = new StreamWriter(Buffer.alloc(16), 0)
  to.event(13, 1n, Buffer.concat([idBytes(1n), encode('f64', 1)]))
  to.event(14, 2n, Buffer.concat([idBytes(1n), encode('u8', 1), string('x')]))
  to.event(15, 3n, Buffer.concat([beginBytes(1n), encode('u8', 0), idBytes(1n)]))
  to.event(16, 4n, idBytes(1n))
  const { spans, counts } = spansOf(info, to.take())
  expect(spans).toEqual([])
  expect(counts).toMatchObject({ events: 3, malformed: 3 })
})

test('a trace of a tracer that told each text each time is read as ever', () => {
  const folder = join(import.meta.dirname, 'recorded/spans-2026-11')
  const trace = parseMetadata(folder, readFileSync(join(folder, 'metadata'), 'utf8'))
  const { spans, counts } = spansOf(trace, readFileSync(join(folder, 'spans_0')))
  expect(counts).toMatchObject({ events: 12, inSpans: 12, incomplete: 1, malformed: 0 })
  const byName = Object.fromEntries(spans.map((span) => [span.name, span]))
  expect(byName.checkout).toMatchObject({
    ...{ traceId: '120d10dcbdfda2e6', id: 'b4564f6e89d67393', kind: 'SERVER', duration: 770 },
    remoteEndpoint: { serviceName: 'shop', ipv4: '10.0.0.9', port: 4711 },
    annotations: [{ value: 'paid' }],
    tags: { cart: '3', user: 'ada', total: '9.5' },
  })
  expect(byName['charge card']).toMatchObject({ parentId: 'b4564f6e89d67393', kind: 'CLIENT' })
  expect(byName.killed?.tags).toMatchObject({ of: 'a span without its end' })
})
