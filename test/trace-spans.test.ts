// test/trace-spans.test.ts: spans as they come out at the other end: events of the provider `blkin`, which a relay stores
// like any other; and the ordinary events that join them.
import { describe, expect, test } from 'vitest'
import { openSession, type Span, status, trace } from '../lib/index.js'
import { relay, until } from './support/relays.js'
import { program, result } from './support/run.js'
import { recorded } from './support/trace.js'

interface Told {
  traceId: string
  spanId: string
  spans: { kept: number; sampledOut: number; endedTwice: number; usedAfterEnd: number; refused: number }
}
type Fields = Record<string, string | number | bigint>

const hex = (id: unknown) =>
  BigInt(id as number | bigint)
    .toString(16)
    .padStart(16, '0')

async function traced(env: Record<string, string> = {}, flags: string[] = []) {
  const to = await relay()
  const told = await result<Told>(program('spans.mjs'), { env: { ...to.env, ...env }, flags })
  const { events, lost } = await recorded(to.output)
  expect(lost).toBe(0)
  const all = events.map(({ tracepoint: { provider, event }, context, fields }) => ({
    name: `${provider}:${event}`,
    context: context as Fields,
    fields: fields as Fields,
  }))
  const of = (name: string) => all.filter((one) => one.name === name).map((one) => one.fields)
  const begun = of('blkin:span_begin')
  const byName = new Map(begun.map((fields) => [fields.name as string, fields]))
  return { told, events: all, of, begun, byName }
}

const inRoot = ['await', 'timer', 'tick', 'callback', 'inner', 'behind', 'far']

describe.each([
  { how: 'generated code', flags: [] },
  { how: 'no code generation', flags: ['--disallow-code-generation-from-strings'] },
])('a trace over await, timers, callbacks and a Worker, $how', ({ flags }) => {
  test('every span has its parent, and ends once', async () => {
    const { told, begun, byName, of } = await traced({ BLKIN_CONTEXT: 'trace_low,span' }, flags)
    const root = byName.get('request')!
    expect(root).toMatchObject({ trace_high: 0, parent: 0, kind: 'server', flags: 0, probability: 1 })
    expect([hex(root.trace_low), hex(root.span)]).toEqual([told.traceId, told.spanId])
    const parents = Object.fromEntries(begun.map((fields) => [fields.name, hex(fields.parent)]))
    const spanOf = (name: string) => hex(byName.get(name)!.span)
    for (const name of inRoot) expect([name, parents[name]]).toEqual([name, told.spanId])
    expect([parents.parallel1, parents.parallel2]).toEqual([spanOf('inner'), spanOf('inner')])
    expect([parents['worker, packed'], parents['worker, headers']]).toEqual([spanOf('far'), spanOf('far')])
    expect(parents['in the worker']).toBe(spanOf('worker, headers'))
    for (const name of ['root of its own', 'listener']) {
      expect(parents[name], name).toBe('0000000000000000')
      expect(hex(byName.get(name)!.trace_low), name).not.toBe(told.traceId)
    }
    expect(byName.get('worker, headers')).toMatchObject({
      trace_low: root.trace_low,
      probability: 0,
      flags: 0,
    })
    const ended = of('blkin:span_end').map((fields) => fields.span)
    expect(new Set(ended).size).toBe(ended.length)
    expect(new Set(ended)).toEqual(new Set(begun.map((fields) => fields.span)))
    expect(told.spans).toEqual({ kept: 3, sampledOut: 0, endedTwice: 1, usedAfterEnd: 2, refused: 0 })
  })

  test('what is said of a span is told at once, in order, each in its event', async () => {
    const { told, events } = await traced({}, flags)
    const about = events
      .filter(({ name, fields }) => name.startsWith('blkin:') && hex(fields.span) === told.spanId)
      .map(({ name, fields: { trace_low, span: _, ...rest } }) => {
        expect(hex(trace_low)).toBe(told.traceId)
        return [name.slice('blkin:span_'.length), rest]
      })
    expect(about.slice(1)).toEqual([
      ['remote', { service: 'shop', address: '10.0.0.9', port: 4711 }],
      ['annotation', { value: 'queued' }],
      ['tag', { key: 'object', value: 'volume-07/ünïcode' }],
      ['number', { key: 'bytes', value: 4096 }],
      ['tag', { key: 'cached', value: 'false' }],
      ['tag', { key: 'big', value: '18446744073709551616' }],
      ['end', {}],
    ])
    expect(about[0]?.[0]).toBe('begin')
  })
})

test('ordinary events carry the trace and the span that they happen in', async () => {
  const { told, events, byName } = await traced({ BLKIN_CONTEXT: 'trace_high,trace_low,span' })
  const notes = events.filter(({ name }) => name === 'app:note')
  const at = (where: string) => {
    const { trace_high, trace_low, span } = notes.find(({ fields }) => fields.where === where)!.context
    return [hex(trace_high), hex(trace_low), hex(span)]
  }
  const none = '0'.repeat(16)
  expect(at('outside')).toEqual([none, none, none])
  for (const where of ['run', 'await', 'timer', 'tick', 'callback', 'behind'])
    expect([where, at(where)]).toEqual([where, [none, told.traceId, told.spanId]])
  expect(at('parallel2')).toEqual([none, told.traceId, hex(byName.get('inner')!.span)])
  expect(at('in the worker')).toEqual([none, told.traceId, hex(byName.get('worker, headers')!.span)])
  expect(at('root of its own')).toEqual([none, none, none])
})

test('while nobody records spans, nothing is said on the wire, and what came is handed on', () => {
  const span = trace.start('x', { kind: 'server', debug: true })
  expect([span.enabled, span.traceId, span.inject({}, 'b3'), trace.current().enabled]).toEqual([
    false,
    '',
    {},
    false,
  ])
  const header = Buffer.alloc(24, 1)
  span.pack(header)
  expect(header).toEqual(Buffer.alloc(24))
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const came = trace
    .extract({ traceparent, tracestate: 'a=1' }, 'traceparent')
    .start('serve', { kind: 'server' })
  expect(came.enabled).toBe(false)
  const sent = trace.run(came, () => trace.start('call', { kind: 'client' }).inject({}, 'traceparent'))
  expect(sent).toEqual({ traceparent, tracestate: 'a=1' })
})

test('a parent that is no span, and tags that are no object, cost the span neither its place nor itself', async () => {
  const session = openSession('odd', { relay: null, mode: 'overwrite' })
  session.enable('blkin:*')
  const own = trace.start('own')
  const refused = () => status().spans.refused
  for (const parent of [null, {}, 'x'] as never[]) {
    const before = refused()
    const child = trace.run(own, () => trace.start('child', { parent }))
    expect([child.enabled, child.traceId, refused() - before]).toEqual([true, own.traceId, 1])
  }
  const written = () => {
    const { buffers } = status().sessions.find(({ name }) => name === 'odd')!
    return buffers.rings.reduce((sum, { head }) => sum + head, 0)
  }
  const [before, bytes] = [refused(), written()]
  expect(trace.start('x', { tags: 'x'.repeat(1 << 20) as never }).enabled).toBe(true)
  expect(refused() - before).toBe(1)
  expect(written() - bytes, 'its begin').toBeLessThan(200)
  await session.close()
})

test('arguments of every wrong kind throw nothing and are counted', () => {
  const session = openSession('wrong', { relay: null, mode: 'overwrite' })
  session.enable('blkin:*')
  const thrower = new Proxy({}, { get: () => { throw new Error('no') } }) // biome-ignore format: short
  const odd: unknown[] = [
    null,
    undefined,
    7,
    2n,
    Symbol('s'),
    {},
    [],
    () => {},
    '',
    Object.create(null),
    thrower,
  ]
  // biome-ignore lint/suspicious/noExplicitAny: what a JavaScript program may give
  const any = trace as any
  const before = status().spans.refused
  const uses = [
    (x: unknown) => any.start(x).end(),
    (x: unknown) => any.start('x', x).end(),
    (x: unknown) => any.start('x', { kind: x }).end(),
    (x: unknown) => any.start('x', { parent: x }).end(),
    (x: unknown) => any.start('x', { remote: x }).end(),
    (x: unknown) => any.start('x', { remote: { port: x } }).end(),
    (x: unknown) => any.start('x').annotate(x),
    (x: unknown) => any.start('x').tag(x, 1),
    (x: unknown) => any.start('x').tag('key', x),
    (x: unknown) => any.start('x').inject({}, x),
    (x: unknown) => any.run(x, () => {}),
    (x: unknown) => any.extract(x, 'b3').start(x, x).end(),
    (x: unknown) => any.extract({ b3: x }, x).start('x').end(),
    (x: unknown) => any.unpack(x, x).start('x').end(),
  ]
  for (const use of uses) {
    const counted = status().spans.refused
    for (const x of odd) expect(() => use(x), String(use)).not.toThrow()
    expect(status().spans.refused, String(use)).toBeGreaterThan(counted)
  }
  expect(status().spans.refused).toBeGreaterThan(before)
  expect(trace.run(null as unknown as Span, () => 'ran')).toBe('ran')
  expect(() => trace.run(trace.start('x'), () => { throw new Error("the program's own") })).toThrow("the program's own") // biome-ignore format: short
  expect(status().sessions.find(({ name }) => name === 'wrong')?.lost.badValue).toBe(0)
  return session.close()
})

test('the provider is reserved', async () => {
  const { provider } = await import('../lib/index.js')
  expect(() => provider('blkin', { span_begin: {} })).toThrow(/provider blkin: the name is reserved/)
})

test('where two sessions of a process record the same spans, a relay tells each once', async () => {
  const to = await relay({ tracing: { listen: '127.0.0.1:0' } })
  const text = `
    import { flush, openSession, trace } from 'blkin'
    openSession('second', { relay: process.env.BLKIN_RELAY }).enable('blkin:*')
    for (let i = 0; i < 100; i++) {
      const span = trace.start('twice', { tags: { i } })
      span.annotate('once')
      span.end()
    }
    console.log(await flush())`
  expect(await result<boolean>(text, { env: to.env })).toBe(true)
  const counts = () => to.stats().tracing!
  await until(() => counts().stored === 100)
  const { events, inSpans } = counts()
  expect(inSpans, 'begin, annotation and end, and a tag until it stands in the beginning').toBeGreaterThan(
    300,
  )
  expect(counts()).toMatchObject({ duplicates: inSpans, spans: 100, held: 0 })
  expect(events).toBe(2 * inSpans)
})
