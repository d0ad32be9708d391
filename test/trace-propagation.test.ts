// test/trace-propagation.test.ts: contexts on the wire: against OpenTelemetry's propagators and Zipkin's own tracer, against
// examples written by hand, in BlkKin's bytes, and against headers that mean harm.
import {
  context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  trace as otel,
  ROOT_CONTEXT,
} from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3'
import { beforeAll, describe, expect, test } from 'vitest'
import zipkin from 'zipkin'
import { type Format, openSession, type Span, status, trace } from '../lib/index.js'

beforeAll(() => {
  openSession('spans', { relay: null, mode: 'overwrite' }).enable('blkin:*')
})

const ids = ({ traceId, spanId }: Span) => ({ traceId: traceId.padStart(32, '0'), spanId })

const propagators = {
  traceparent: new W3CTraceContextPropagator(),
  b3: new B3Propagator(),
  b3multi: new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }),
}
const formats = Object.keys(propagators) as Format[]

describe.each(formats)('%s beside OpenTelemetry', (format) => {
  const propagator = propagators[format]

  test('what we inject, it extracts', () => {
    const span = trace.start('client', { kind: 'client' })
    const there = propagator.extract(ROOT_CONTEXT, span.inject({}, format), defaultTextMapGetter)
    const { traceFlags, isRemote, ...found } = otel.getSpanContext(there)!
    expect(found).toMatchObject(ids(span))
    expect({ traceFlags, isRemote }).toEqual({ traceFlags: 1, isRemote: true })
  })

  test.each([0, 1])('what it injects, we extract, flags %i', (traceFlags) => {
    const spanContext = {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags,
    }
    const headers = {}
    propagator.inject(otel.setSpanContext(context.active(), spanContext), headers, defaultTextMapSetter)
    const span = trace.extract(headers, format).start('below', { kind: 'client' })
    expect(span.traceId).toBe(spanContext.traceId)
    expect(span.enabled).toBe(traceFlags === 1)
    const on = trace.extract(span.inject({}, format), format).start('further')
    if (traceFlags === 1) expect(on.traceId).toBe(spanContext.traceId)
    expect(on.enabled, 'the decision of the root holds').toBe(traceFlags === 1)
  })
})

describe('W3C', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

  test('tracestate goes on as it came', () => {
    const tracestate = 'congo=t61rcWkgMzE,rojo=00f067aa0ba902b7'
    const span = trace.extract({ traceparent, tracestate }, 'traceparent').start('serve', { kind: 'server' })
    const further = trace.start('call', { kind: 'client', parent: span })
    expect(further.inject({}, 'traceparent')).toEqual({
      traceparent: `00-0af7651916cd43dd8448eb211c80319c-${further.spanId}-01`,
      tracestate,
    })
  })

  test('a later version may say more', () => {
    const later = `cc${traceparent.slice(2)}-what-the-future-will-be-like`
    expect(trace.extract({ traceparent: later }, 'traceparent').start('x').traceId).toBe(
      '0af7651916cd43dd8448eb211c80319c',
    )
  })

  test.each([
    ['version ff', `ff${traceparent.slice(2)}`],
    ['version 00 with more behind', `${traceparent}-00`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
    ['a span of zeros', `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`],
    ['capitals', traceparent.toUpperCase()],
    ['too short', traceparent.slice(0, -1)],
    ['flags behind a NUL', `${traceparent.slice(0, -2)}\0${traceparent.slice(-2)}`],
    ['a space before', ` ${traceparent}`],
    ['a line behind', `${traceparent}\n`],
    ['two of them', `${traceparent}, ${traceparent}`],
    ['a list of two', [traceparent, traceparent]],
    ['a megabyte', '0'.repeat(2 ** 20)],
    ['a number', 7],
  ])('%s is as if nothing was sent', (_, given) => {
    const span = trace.extract({ traceparent: given }, 'traceparent').start('serve')
    expect(span.traceId).toMatch(/^[0-9a-f]{16}$/)
    expect(span.inject({}, 'b3multi')).not.toHaveProperty('x-b3-parentspanid')
  })

  test.each([
    ['too long', 'a=b,'.repeat(2000)],
    ['too many members', Array.from({ length: 33 }, (_, i) => `a${i}=b`).join(',')],
    ['a line break', 'a=b\r\nx-evil: 1'],
    ['a NUL', 'a=\0'],
  ])('a tracestate that is no such is left out: %s', (_, tracestate) => {
    const span = trace.extract({ traceparent, tracestate }, 'traceparent').start('serve')
    expect(Object.keys(span.inject({}, 'traceparent'))).toEqual(['traceparent'])
  })
})

// From the B3 specification, and what Zipkin's own tracers send.
describe('B3', () => {
  const traceId = '463ac35c9f6413ad48485a3953bb6124'
  const spanId = 'a2fb4a1d1a96d312'
  const parentId = '0020000000000001'

  test.each([
    ['b3', { b3: `${traceId}-${spanId}-1-${parentId}` }],
    ['b3', { b3: `${traceId}-${spanId}-1` }],
    ['b3', { b3: `${traceId.slice(16)}-${spanId}-1-${parentId}` }],
    ['b3', { b3: `${traceId}-${spanId}-d-${parentId}` }],
    [
      'b3multi',
      { 'x-b3-traceid': traceId, 'x-b3-spanid': spanId, 'x-b3-sampled': '1', 'x-b3-parentspanid': parentId },
    ],
    ['b3multi', { 'x-b3-traceid': traceId, 'x-b3-spanid': spanId, 'x-b3-sampled': '1' }],
    ['b3multi', { 'x-b3-flags': '1', 'x-b3-traceid': traceId, 'x-b3-spanid': spanId }],
  ] as [Format, object][])("a server's span is the client's own, %s %j", (format, headers) => {
    const remote = trace.extract(headers, format)
    const server = remote.start('serve', { kind: 'server' })
    expect(server.inject({}, format), 'the same trace, span, parent and decision').toEqual(headers)
    const second = remote.start('again', { kind: 'server' })
    expect(second.spanId, 'once').not.toBe(spanId)
    expect(second.inject({}, 'b3multi')).toMatchObject({ 'x-b3-parentspanid': spanId })
  })

  test('names of headers are found whatever their case', () => {
    const headers = { 'X-B3-TraceId': traceId, 'X-B3-SpanId': spanId, 'X-B3-Sampled': 'true' }
    expect(ids(trace.extract(headers, 'b3multi').start('serve', { kind: 'server' }))).toEqual({
      traceId,
      spanId,
    })
    expect(trace.extract(new Headers(headers), 'b3multi').start('serve').traceId).toBe(traceId)
  })

  test.each([
    ['b3', { b3: '0' }],
    ['b3multi', { 'x-b3-sampled': '0' }],
  ] as [Format, object][])('a decision alone is handed on: %s %j', (format, headers) => {
    const span = trace.extract(headers, format).start('serve', { kind: 'server' })
    expect(span.enabled).toBe(false)
    expect(span.inject({}, format)).toEqual(headers)
    expect(trace.start('below', { parent: span }).inject({}, format)).toEqual(headers)
  })

  test('an undecided trace is decided here, and the same by everyone', () => {
    const span = trace.extract({ b3: `${traceId}-${spanId}` }, 'b3').start('serve')
    expect(span.inject({}, 'b3')).toEqual({ b3: `${traceId}-${span.spanId}-1-${spanId}` })
  })

  test('debug is handed on', () => {
    const span = trace.extract({ b3: 'd' }, 'b3').start('serve')
    expect(span.inject({}, 'b3')).toEqual({ b3: `${span.traceId}-${span.spanId}-d` })
    expect(span.inject({}, 'b3multi')).toMatchObject({ 'x-b3-flags': '1' })
    expect(trace.start('loud', { debug: true }).inject({ b3: '' }, 'b3').b3).toMatch(/-d$/)
  })

  test.each([
    { b3: '' },
    { b3: 'x' },
    { b3: '-' },
    { b3: `${'0'.repeat(32)}-${spanId}-1` },
    { b3: `${'0'.repeat(16)}-${spanId}-1` },
    { b3: `${traceId}-${'0'.repeat(16)}-1` },
    { b3: `${traceId}-${spanId}-1-${parentId}-` },
    { b3: `${traceId}${spanId}-1` },
    { b3: `${traceId.slice(1)}-${spanId}-1` },
    { b3: `${traceId}-${spanId}-2` },
  ])('what is no context is as if nothing was sent: %j', (headers) => {
    expect(trace.extract(headers, 'b3').start('serve').traceId).toMatch(/^[0-9a-f]{16}$/)
  })
})

describe("b3multi beside Zipkin's own tracer", () => {
  const { Instrumentation, Request, option } = zipkin
  const tracer = new zipkin.Tracer({
    ctxImpl: new zipkin.ExplicitContext(),
    recorder: { record() {} } as unknown as zipkin.Recorder,
    traceId128Bit: true,
    localServiceName: 'theirs',
  })

  /** What its server makes of headers. */
  const served = (headers: Record<string, string>) => {
    const server = new Instrumentation.HttpServer({ tracer, port: 80 })
    const found = new Map(Object.entries(headers))
    const read = (name: string) => {
      const value = found.get(name.toLowerCase())
      return value === undefined ? option.None : new option.Some(value)
    }
    return tracer.scoped(() =>
      server.recordRequest('GET', 'http://theirs/x', read as never),
    ) as zipkin.TraceId
  }

  test.each([{}, { debug: true }])('what we inject is its span, %j', (options) => {
    const root = trace.start('root', options)
    const span = trace.start('client', { kind: 'client', parent: root })
    const id = served(span.inject({}, 'b3multi'))
    expect(id.traceId).toBe(span.traceId)
    expect(id.spanId, 'shared, as servers do there').toBe(span.spanId)
    expect(id.parentSpanId.getOrElse('')).toBe(root.spanId)
    expect(id.sampled.getOrElse(false)).toBe(true)
    expect(id.isDebug()).toBe('debug' in options)
  })

  test('our decision against is its decision', () => {
    const span = trace.extract({ 'x-b3-sampled': '0' }, 'b3multi').start('serve')
    expect(served(span.inject({}, 'b3multi')).sampled.getOrElse(true)).toBe(false)
  })

  test.each([true, false])('what it injects is our span, sampled %j', (sampled) => {
    const parent = tracer.createRootId(new option.Some(sampled))
    const client = tracer.letId(parent, () => tracer.createChildId())
    const { headers } = Request.addZipkinHeaders({ headers: {} }, client)
    const span = trace.extract(headers, 'b3multi').start('serve', { kind: 'server' })
    expect(span.enabled).toBe(sampled)
    if (sampled) expect(ids(span)).toEqual({ traceId: client.traceId, spanId: client.spanId })
    const back = served(span.inject({}, 'b3multi'))
    expect(back.sampled.getOrElse(!sampled)).toBe(sampled)
    if (sampled) expect(back).toMatchObject({ traceId: client.traceId, spanId: client.spanId })
  })
})

describe("BlkKin's 24 bytes", () => {
  test('trace, span and parent, big-endian, where they were asked for', () => {
    const upstream = trace.extract({ b3: '463ac35c9f6413ad-a2fb4a1d1a96d312-1-0020000000000001' }, 'b3')
    const span = upstream.start('serve', { kind: 'server' })
    const header = Buffer.alloc(42, 0xee)
    expect(span.pack(header, 16)).toBe(true)
    expect(header.toString('hex')).toBe(
      `${'ee'.repeat(16)}463ac35c9f6413ada2fb4a1d1a96d3120020000000000001${'ee'.repeat(2)}`,
    )
    const below = trace.unpack(header, 16).start('put', { kind: 'server' })
    expect(below.inject({}, 'b3')).toEqual({
      b3: `463ac35c9f6413ad-${below.spanId}-1-a2fb4a1d1a96d312`,
    })
  })

  test('all zeros say nothing; a decision against is handed on', () => {
    const zeros = Buffer.alloc(24)
    expect(trace.unpack(zeros).start('serve').enabled, 'a root of its own').toBe(true)
    const against = trace.extract({ b3: '0' }, 'b3').start('serve')
    against.pack(zeros)
    expect(zeros.toString('hex'), 'trace 0: BlkKin itself reads no trace').toBe(
      `${'0'.repeat(16)}${'f'.repeat(16)}${'0'.repeat(16)}`,
    )
    expect(trace.unpack(zeros).start('serve').enabled).toBe(false)
  })

  test('a view in the middle of its buffer is written and nothing around it', () => {
    const whole = new Uint8Array(64)
    trace.start('x').pack(whole.subarray(20, 44))
    expect([...whole.subarray(0, 20), ...whole.subarray(44)].every((byte) => byte === 0)).toBe(true)
    expect(whole.subarray(20, 44).some((byte) => byte !== 0)).toBe(true)
  })

  test.each([
    [Buffer.alloc(23), 0],
    [Buffer.alloc(24), 1],
    [Buffer.alloc(24), -1],
    [Buffer.alloc(24), 0.5],
    [Buffer.alloc(24), Number.NaN],
    [[], 0],
    [undefined, 0],
  ])('what does not fit is refused and counted: %j at %d', (buffer, offset) => {
    const before = status().spans.refused
    expect(trace.start('x').pack(buffer as Uint8Array, offset)).toBe(false)
    expect(trace.unpack(buffer as Uint8Array, offset).start('root').enabled).toBe(true)
    expect(status().spans.refused).toBe(before + 2)
  })
})

test('carriers that cannot be are told apart, and throw nothing', () => {
  const thrower = new Proxy({}, { ownKeys: () => { throw new Error('no') }, getOwnPropertyDescriptor: () => { throw new Error('no') } }) // biome-ignore format: short
  const before = status().spans.refused
  const carriers = [null, undefined, 7, 'x', thrower, Object.freeze({})]
  for (const carrier of carriers) expect(trace.start('x').inject(carrier as object, 'b3')).toBe(carrier)
  expect(trace.start('x').inject({}, 'b4' as Format)).toEqual({})
  expect(trace.start('x').inject({}, 'toString' as Format)).toEqual({})
  for (const carrier of carriers.slice(0, 5))
    expect(trace.extract(carrier as object, 'b3').start('x').enabled).toBe(true)
  expect(trace.extract({}, {} as Format).start('x').enabled).toBe(true)
  expect(status().spans.refused - before).toBeGreaterThanOrEqual(12)
})

test('objects that only look like a buffer or a span are told apart, and throw nothing', () => {
  const { proxy: revoked, revoke } = Proxy.revocable({}, {})
  revoke()
  const before = status().spans.refused
  const odd = [new Proxy(Buffer.alloc(64), {}), Object.create(Uint8Array.prototype), revoked]
  for (const one of odd as never[]) {
    expect(trace.start('x').pack(one)).toBe(false)
    expect(trace.unpack(one).start('x').enabled).toBe(true)
  }
  expect(trace.run(revoked as Span, () => 'done')).toBe('done')
  expect(status().spans.refused - before).toBe(7)
})
