// test/trace-frequent.test.ts: free-form spans that come often get tracepoints of their own: the same is told of them, however
// the program says it, and no more of them are declared than there are places for.
import { expect, test } from 'vitest'
import { relay } from './support/relays.js'
import { program, result } from './support/run.js'
import { madeSpans, spanEvent, tagsOf } from './support/span-events.js'
import { recorded } from './support/trace.js'

test('the same is told of the first and of the last, whose texts are in the declaration', async () => {
  const to = await relay()
  await result(program('shop.mjs'), { env: to.env })
  const users = (await madeSpans(to.output)).filter(({ name }) => name.startsWith('GET'))
  expect(
    users.map(({ kind, tags, ended }) => ({ kind, tags: { ...tags, cached: String(tags.cached) }, ended })),
  ).toEqual(
    Array.from({ length: 200 }, (_, i) => ({
      kind: 'server',
      tags: {
        'http.request.method': 'GET',
        bytes: i,
        cached: String(i % 2 === 0),
        user: `u${i}`,
        status: 200,
      },
      ended: 1,
    })),
  )
  const { events } = await recorded(to.output)
  const last = events.filter(({ tracepoint }) => tracepoint.event.startsWith('span_begin.')).at(-1)!
  expect(last.fields).toMatchObject({ name: 'GET /users/:id', http_request_method: 'GET', bytes: 199 })
  const names = new Set(events.map(({ tracepoint }) => tracepoint.event))
  for (const own of ['span_begin.0', 'span_tag.0', 'span_number.0']) expect([...names]).toContain(own)
})

test('where code generation is forbidden all is told in general events', async () => {
  const to = await relay()
  await result(program('shop.mjs'), { env: to.env, flags: ['--disallow-code-generation-from-strings'] })
  const names = (await recorded(to.output)).events.map(({ tracepoint }) => tracepoint.event)
  expect(names.filter((name) => /\.\d$/.test(name))).toEqual([])
})

/** Starts spans, each many times, and prints how many tracepoints there are. */
const declaredBy = (body: string) => `
  import { once } from 'node:events'
  import { Worker } from 'node:worker_threads'
  import { flush, status, trace } from 'blkin'
  const often = (name, options, tag) => {
    for (let i = 0; i < 300; i++) {
      const span = trace.start(name, options)
      if (tag) span.tag(tag, 'x')
      span.end()
    }
  }
  ${body}
  console.log(JSON.stringify({ declared: status().tracepoints.declared, stored: await flush() }))`

const general = 7

test('names that come once use up no place, and those that come often no more than there are', async () => {
  const to = await relay()
  const env = { ...to.env, BLKIN_MODE: 'overwrite' }
  const once = `for (let i = 0; i < 20000; i++) { const span = trace.start('GET /' + i); span.tag('k' + i, 1); span.end() }`
  expect(await result(declaredBy(once), { env })).toMatchObject({ declared: general })
  const many = `for (let i = 0; i < 2000; i++) { often('span ' + i, { tags: { ['a' + i % 7]: i } }, 'tag ' + i) }`
  expect(await result(declaredBy(many), { env })).toMatchObject({ declared: general + 4 * 64 + 2 * 64 })
}, 60_000)

test('Workers that say the same share its tracepoints', async () => {
  const to = await relay()
  const worker = JSON.stringify(
    declaredBy(`often('job', { tags: { n: 1 } })`).replace(/console.log.*/, 'await flush()'),
  )
  const body = `
    often('job', { tags: { n: 1 } })
    for (let i = 0; i < 2; i++) {
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(${worker}.replaceAll("'blkin'", "'" + import.meta.resolve('blkin') + "'"))))
      await once(worker, 'exit')
    }`
  expect(await result(declaredBy(body), { env: to.env })).toMatchObject({ declared: general + 1 })
  const spans = await madeSpans(to.output)
  expect(spans.map(({ name, tags, ended }) => `${name} ${tags.n} ${ended}`)).toEqual(
    Array(900).fill('job 1 1'),
  )
})

test('what the program gives in another way than before is told as it is', async () => {
  const to = await relay()
  const text = declaredBy(`
    const usual = { a: 1, b: 'x' }
    often('s', { tags: usual })
    let reads = 0
    const odd = [
      undefined, {}, { a: 1 }, { b: 'x', a: 1 }, { a: 1, b: 'x', c: true }, { a: '1', b: 'x' }, { a: 1, b: 2 },
      { a: 1, b: 2n }, Object.create({ a: 1, b: 'x' }), { a: 1, get b() { reads++; trace.start('inner').end(); return 'y' } },
      { a: 1, get b() { throw new Error('no') } }, { a: 1, b: null }, { a: 1, b: 'x', error: 'e' },
      new Proxy(usual, { ownKeys() { throw new Error('no') } }), null, 'ab', ['a', 'b'],
    ]
    for (const [i, tags] of odd.entries()) {
      const span = trace.start('s', { tags })
      span.annotate(String(i))
      span.end()
    }`)
  const told = await result<{ stored: boolean }>(
    text.replace('stored:', 'refused: status().spans.refused, stored:'),
    { env: to.env },
  )
  expect(told).toMatchObject({ refused: 5, stored: true })
  const spans = (await madeSpans(to.output)).filter(({ annotations }) => annotations.length > 0)
  const tags = Object.fromEntries(spans.map(({ annotations, tags }) => [annotations[0], tags]))
  expect(tags).toEqual({
    ...{
      0: {},
      1: {},
      2: { a: 1 },
      3: { b: 'x', a: 1 },
      4: { a: 1, b: 'x', c: 'true' },
      5: { a: '1', b: 'x' },
    },
    ...{ 6: { a: 1, b: 2 }, 7: { a: 1, b: '2' }, 8: {}, 9: { a: 1, b: 'y' }, 10: {}, 11: { a: 1 } },
    ...{ 12: { a: 1, b: 'x', error: 'e' }, 13: {}, 14: {}, 15: {}, 16: { 0: 'a', 1: 'b' } },
  })
})

test('a name that begins with tags here and without them there throws nothing on the way', async () => {
  const thrown = await result(`
    const real = Object.getPrototypeOf
    let thrown = 0
    Object.getPrototypeOf = (of) => {
      try {
        return real(of)
      } catch (error) {
        thrown++
        throw error
      }
    }
    const { openSession, trace } = await import('blkin')
    openSession('s', { relay: null, mode: 'overwrite' }).enable('blkin:*')
    for (const tags of [{ a: 1 }, undefined, null, 'ab'])
      for (let i = 0; i < 300; i++) trace.start('s', { tags }).end()
    console.log(thrown)`)
  expect(thrown).toBe(0)
})

test('a rule that covers the general events alone, or asks something of them, covers all that is said of a span', async () => {
  const to = await relay()
  const text = declaredBy(`often('s', { tags: { a: 1 } }, 'k')`)
  const exact = 'blkin:span_begin,blkin:span_tag,blkin:span_number,blkin:span_end'
  await result(text, { env: { ...to.env, BLKIN_ENABLE: exact } })
  const { events } = await recorded(to.output)
  expect(new Set(events.map(({ tracepoint }) => tracepoint.event))).toEqual(
    new Set(['span_begin', 'span_number', 'span_tag', 'span_end']),
  )
  expect(events).toHaveLength(1200)
})

test('every event that was emitted is recorded or counted, with contexts and a small ring', async () => {
  const to = await relay()
  const text = declaredBy(`for (let i = 0; i < 70; i++) often('s', { tags: { a: 1, b: 'text' } }, 'k')`)
  await result<{ lost: number }>(text, {
    env: { ...to.env, BLKIN_BUFFER: '2x8K', BLKIN_CONTEXT: 'tid,span' },
  })
  const { events, lost } = await recorded(to.output)
  const begun = events.filter((one) => spanEvent(one) === 'span_begin')
  // Of a span 3 events, or 5 while its tags are events of their own; all of them are in the trace or in its counts.
  const extra = events.filter(
    (one) => spanEvent(one) === 'span_begin' && Object.keys(tagsOf(one)).length === 0,
  ).length
  expect(begun.length).toBeGreaterThan(0)
  expect(events.length + lost).toBeGreaterThanOrEqual(3 * 21_000 + 2 * extra)
  expect(events.length + lost).toBeLessThan(3 * 21_000 + 2 * 100)
})
