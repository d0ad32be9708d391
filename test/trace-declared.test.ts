// test/trace-declared.test.ts: spans that are declared: what their events hold, what a relay makes of them, and what is refused.
import { describe, expect, expectTypeOf, test } from 'vitest'
import { openSession, type Span, spans, status, t, trace } from '../lib/index.js'
import { cli } from './support/cli.js'
import { relay, until } from './support/relays.js'
import { folder, program, result, run } from './support/run.js'
import { hexId, madeSpans, spanEvent, tagsOf } from './support/span-events.js'
import { describeWith } from './support/tools.js'
import { printed, recorded } from './support/trace.js'

describe.each([
  { how: 'generated code', flags: [] },
  { how: 'no code generation', flags: ['--disallow-code-generation-from-strings'] },
  { how: 'static call sites', flags: ['--import', 'blkin/register'] },
])('declared spans, $how', ({ flags }) => {
  test('a beginning is one event with its tags, typed, and an end another', async () => {
    const to = await relay()
    const told = await result<{ spans: unknown }>(program('shop.mjs'), { env: to.env, flags })
    const { events, lost } = await recorded(to.output)
    expect(lost).toBe(0)
    const of = (name: string) => events.filter(({ tracepoint }) => tracepoint.event === name)
    const [begin] = of('span_begin.shop.checkout')
    expect(begin?.fields).toMatchObject({
      ...{ trace_high: 0xaf7651916cd43ddn, parent: 0xb7ad6b7169203331n, kind: 'server', flags: 0 },
      ...{ name: 'checkout', cart: 7, user: 'ada', http_route: '/cart/:id', span_2: true },
    })
    expect(tagsOf(begin!)).toEqual({ cart: 7, user: 'ada', 'http.route': '/cart/:id', span: true })
    const about = events
      .filter(({ fields }) => fields.span === begin?.fields.span)
      .map((one) => [spanEvent(one), one.fields.value ?? one.fields.name, tagsOf(one)])
    expect(about.slice(1)).toEqual([
      ['span_annotation', 'paid', {}],
      ['span_annotation', 'sent', { bytes: 9, to: 'work' }],
      ['span_annotation', 'of any text', {}],
      ['span_name', 'pay', {}],
      ['span_end', undefined, { total: 9.5, big: 2n ** 60n }],
    ])
    const [reserve] = of('span_begin.shop.reserve')
    expect([hexId(reserve?.fields.parent), reserve?.fields.kind]).toEqual([
      hexId(begin?.fields.span),
      'client',
    ])
    expect(told.spans).toMatchObject({ endedTwice: 1, usedAfterEnd: 1, refused: 3 })
  })

  test('what is not of its type is told as free-form spans tell it', async () => {
    const to = await relay()
    await result(program('shop.mjs'), { env: to.env, flags })
    const wrong = (await madeSpans(to.output)).find(({ tags }) => tags.cart === 'x')
    expect(wrong).toMatchObject({
      ...{ name: 'checkout', kind: 'server', annotations: ['sent'], ended: 1 },
      tags: { cart: 'x', 'http.route': '/cart/:id', span: 'true', total: 'no', big: 1 },
    })
  })
})

test('a relay makes the same spans of them as of others', async () => {
  const to = await relay({ tracing: { listen: '127.0.0.1:0' } })
  await result(program('shop.mjs'), { env: to.env })
  const counts = () => to.stats().tracing!
  await until(() => counts().stored >= 204)
  const { malformed, orphaned, incomplete } = counts()
  expect({ malformed, orphaned, incomplete }).toEqual({ malformed: 0, orphaned: 0, incomplete: 0 })
})

describeWith(['babeltrace2'], 'babeltrace2', () => {
  test('reads numbers as numbers, and what is told with the declaration as its text', async () => {
    const to = await relay()
    await result(program('shop.mjs'), { env: to.env })
    const begin = printed(to.output).find(({ name }) => name === 'blkin:span_begin.shop.checkout')
    expect(begin?.fields).toMatchObject({ name: 'checkout', kind: 'server', cart: 7n, user: 'ada' })
    const end = printed(to.output).find(({ name }) => name === 'blkin:span_end.shop.checkout')
    expect(end?.fields).toMatchObject({ total: 9.5, big: 2n ** 60n })
  })
})

test('what was said of a span before its process is killed is there afterwards', async () => {
  const output = `${folder()}/trace`
  const { code } = await run(cli, {
    args: ['record', '-o', output, '-e', 'blkin:*', '--', process.execPath, program('shop.mjs'), 'kill'],
    timeout: 60_000,
  })
  expect(code).not.toBe(null)
  const open = (await madeSpans(output)).filter(({ ended }) => ended === 0)
  expect(open.map(({ name, tags }) => ({ name, tags }))).toEqual([
    { name: 'checkout', tags: { cart: 7, user: 'killed', 'http.route': '/cart/:id', span: true } },
    { name: 'GET /users/:id', tags: { 'http.request.method': 'GET', bytes: 4711, cached: true } },
  ])
})

const shop = spans('typed', {
  checkout: {
    tags: { cart: t.u32, how: t.enum(['card', 'cash']) },
    end: { total: t.f64 },
    annotations: { paid: {}, sent: { bytes: t.u32 } },
  },
  bare: {},
})

test('types follow the declaration', () => {
  const span = shop.checkout({ cart: 1, how: 'card' }, { debug: true, parent: trace.extract({}, 'b3') })
  expectTypeOf(span).toExtend<Span>()
  expectTypeOf(shop.checkout)
    .parameter(0)
    .toEqualTypeOf<{ readonly cart: number; readonly how: 'card' | 'cash' }>()
  expectTypeOf(span.paid).parameters.toEqualTypeOf<[]>()
  expectTypeOf(span.sent).parameter(0).toEqualTypeOf<{ readonly bytes: number }>()
  expectTypeOf(span.end).parameter(0).toEqualTypeOf<{ readonly total: number } | undefined>()
  // @ts-expect-error: no such tag
  shop.checkout({ cart: 1, how: 'card', more: 1 })
  // @ts-expect-error: no such label
  shop.checkout({ cart: 1, how: 'cheque' })
  // @ts-expect-error: not of its type
  span.sent({ bytes: 'x' })
  expectTypeOf(trace.run(shop.bare(), () => 1)).toEqualTypeOf<number>()
})

test('while nobody records spans, and in traces that are not recorded, their methods do nothing', async () => {
  const all = () => {
    const span = shop.checkout({ cart: 1, how: 'card' })
    span.paid()
    span.sent({ bytes: 1 })
    const { enabled } = span
    span.end({ total: 1 })
    return enabled
  }
  expect(all()).toBe(false)
  const session = openSession('silent', { relay: null, mode: 'overwrite' })
  session.enable('blkin:*')
  const unsampled = trace.extract({ b3: '0' }, 'b3').start('x')
  expect(trace.run(unsampled, all)).toBe(false)
  const passing = trace.extract({ b3: '463ac35c00000001-a2fb4a1d1a96d312-0' }, 'b3')
  const below = shop.checkout({ cart: 1, how: 'card' }, { parent: passing })
  below.sent({ bytes: 1 })
  expect([below.enabled, below.inject({}, 'b3')]).toEqual([false, { b3: '0' }])
  expect(all()).toBe(true)
  await session.close()
})

test('getters that throw, and options of every wrong kind, throw nothing', async () => {
  const session = openSession('odd-declared', { relay: null, mode: 'overwrite' })
  session.enable('blkin:*')
  const thrower = new Proxy({}, { get: () => { throw new Error('no') }, ownKeys: () => { throw new Error('no') } }) as never // biome-ignore format: short
  const before = status().spans.refused
  for (const odd of [undefined, null, 1, 'x', [], thrower]) {
    const span = shop.checkout(odd as never, odd as never)
    span.sent(odd as never)
    span.end(odd as never)
    shop.bare(odd as never, { parent: odd } as never).end()
  }
  expect(status().spans.refused - before).toBeGreaterThan(10)
  expect(status().sessions.find(({ name }) => name === 'odd-declared')?.lost.badValue).toBe(0)
  await session.close()
})

test.each([
  ['blkin', {}, /provider blkin: the name is reserved/],
  [
    's',
    { x: { kind: 'odd' } },
    /span s:x: the kind is "odd"; expected local, client, server, producer, consumer/,
  ],
  ['s', { x: { tag: {} } }, /span s:x: the declaration has "tag"; expected kind, tags, end and annotations/],
  ['s', { x: { tags: null } }, /span s:x: tags is null; expected an object of field types/],
  [
    's',
    { x: { tags: { a: 1 } } },
    /tracepoint blkin:span_begin.s.x, field "a": the type is 1; expected a field type/,
  ],
  [
    's',
    { x: { annotations: { end: {} } } },
    /span s:x: an annotation is called "end"; expected no name that spans have/,
  ],
  ['s', { 'x y': {} }, /"span_begin.s.x y"/],
  ['s', null, /provider s: the events are null/],
])('spans(%j, %j) is refused', (name, declarations, message) => {
  expect(() => spans(name, declarations as never)).toThrow(message)
})
