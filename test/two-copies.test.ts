// test/two-copies.test.ts: copies of the package in one process act as one, however they are loaded; versions that cannot are
// told apart, and what is no copy of ours is passed over.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as api from '../lib/api.js'
import { app, installIn } from './support/installed.js'
import { relay } from './support/relays.js'
import { folder, lastJson, type RunOptions, result, root, run } from './support/run.js'
import { recorded } from './support/trace.js'

const inApp = (at: string, options: RunOptions = {}): RunOptions => ({ cwd: at, ...options })

/** Two packages that each have their own copy, and a main that has a third. */
const threeCopies = (main: string) => {
  const at = app({
    'package.json': '{ "type": "module" }',
    'node_modules/left/index.js': 'module.exports = require("blkin")',
    'node_modules/left/package.json': '{ "main": "index.js" }',
    'node_modules/right/index.js': 'export * from "blkin"',
    'node_modules/right/package.json': '{ "type": "module", "exports": "./index.js" }',
    'main.js': main,
  })
  for (const name of ['left', 'right']) installIn(join(at, 'node_modules', name))
  return at
}

const nesting = `
  import * as own from 'blkin'
  import left from 'left'
  import * as right from 'right'
  const copies = [own, left, right]
  const tick = copies.map(({ provider, t }) => provider('twice', { tick: { fields: { a: t.u8 } } }).tick)
  for (const [a, emit] of tick.entries()) emit({ a })
  const span = own.trace.start('top')
  const below = left.trace.run(span, () => {
    const child = right.trace.start('below')
    child.end()
    const current = copies.map(({ trace }) => trace.current().spanId)
    const given = left.trace.start('given', { parent: child })
    given.end()
    return { current, traces: [child.traceId, given.traceId] }
  })
  span.end()
  await right.flush()
  const { control, spans } = left.status()
  console.log(JSON.stringify({ ...below, span: span.spanId, trace: span.traceId, refused: spans.refused,
    same: copies.every(({ provider }) => provider === own.provider), sessions: own.status().sessions.length, folder: control.folder }))`

/** Of all that was recorded. */
const names = async (output: string) =>
  (await recorded(output)).events.map(({ tracepoint: { provider, event } }) => `${provider}:${event}`).sort()

interface Nesting {
  current: string[]
  traces: string[]
  span: string
  trace: string
  refused: number
  same: boolean
  sessions: number
  folder: string
}

test('three copies in one thread declare, nest spans and record as one, under a preloaded fourth', async () => {
  const { output, env } = await relay()
  const at = threeCopies(nesting)
  for (const flags of [
    [`--import=${join(root, 'dist/register.mjs')}`],
    [`--require=${join(root, 'dist/register.cjs')}`],
    [],
  ]) {
    const ended = await run(join(at, 'main.js'), inApp(at, { env, flags }))
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    const { current, traces, span, trace, ...rest } = lastJson<Nesting>(ended)
    expect(current).toEqual([span, span, span])
    expect(traces).toEqual([trace, trace])
    expect(rest).toMatchObject({
      refused: 0,
      same: true,
      sessions: 1,
      folder: expect.stringMatching(/\/\d+-\d+$/),
    })
  }
  expect(readdirSync(output), 'one trace a process').toHaveLength(3)
  const { events } = await recorded(output)
  const ticks = events.filter(({ tracepoint }) => tracepoint.event === 'tick')
  expect(ticks.map(({ fields }) => Number(fields.a)).sort()).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2])
})

test('the CommonJS entry and the ES module are one', async () => {
  const at = app({
    'main.mjs': `
      import { createRequire } from 'node:module'
      import * as esm from 'blkin'
      const cjs = createRequire(import.meta.url)('blkin')
      console.log(JSON.stringify({ keys: Object.keys(cjs).sort(), same: Object.keys(esm).every((key) => cjs[key] === esm[key]) }))`,
  })
  const { keys, same } = await result<{ keys: string[]; same: boolean }>(join(at, 'main.mjs'), inApp(at))
  expect(same).toBe(true)
  expect(keys, 'index.ts hands out all that the API has').toEqual(Object.keys(api).sort())
})

test('a Worker with another copy shares the rules and the rings', async () => {
  const { output, env } = await relay()
  const at = threeCopies(`
    import { flush, provider } from 'blkin'
    import { Worker } from 'node:worker_threads'
    provider('both', { main: {} }).main()
    await new Promise((resolve) => new Worker("require('left').provider('both', { worker: {} }).worker()", { eval: true }).on('exit', resolve))
    await flush()`)
  expect(await run(join(at, 'main.js'), inApp(at, { env }))).toMatchObject({ code: 0, stderr: '' })
  expect(readdirSync(output), 'one addon, and so one trace').toHaveLength(1)
  expect(await names(output)).toEqual(['both:main', 'both:worker'])
})

test('a Worker that loads its own copy before the main thread does is told', async () => {
  const { output, env } = await relay()
  const at = threeCopies(`
    import { once } from 'node:events'
    import { Worker } from 'node:worker_threads'
    const worker = new Worker("require('left').provider('early', { worker: {} }).worker(); require('worker_threads').parentPort.once('message', () => process.exit(0)).postMessage('')", { eval: true })
    await once(worker, 'message')
    const { flush, provider } = await import('blkin')
    provider('late', { main: {} }).main()
    await flush()
    worker.postMessage('')`)
  const ended = await run(join(at, 'main.js'), inApp(at, { env }))
  expect(ended.code).toBe(0)
  expect(ended.stderr).toMatch(/^blkin: another copy of the addon is loaded in this process: .*\n$/)
  expect(await names(output)).toEqual(['early:worker', 'late:main'])
})

test('a copy of another line of versions records for itself, and says so in one line', async () => {
  const { output, env } = await relay()
  const at = threeCopies(`
    import { flush, provider } from 'blkin'
    import left from 'left'
    provider('own', { e: {} }).e()
    left.provider('left', { e: {} }).e()
    left.provider('left', { again: {} }).again()
    console.log(JSON.stringify(await flush() && await left.flush()))`)
  const tracer = join(at, 'node_modules/left/node_modules/blkin/dist/tracer.cjs')
  writeFileSync(tracer, readFileSync(tracer, 'utf8').replaceAll('"0.1.0"', '"7.3.1"'))
  const ended = await run(join(at, 'main.js'), inApp(at, { env }))
  expect(ended).toMatchObject({ code: 0, stdout: 'true\n' })
  expect(ended.stderr).toMatch(
    /^blkin: versions 0\.1\.0 and 7\.3\.1 are loaded together: .*; install one of them\n$/,
  )
  expect(await names(output)).toEqual(['left:again', 'left:e', 'own:e'])
  const quiet = await run(join(at, 'main.js'), inApp(at))
  expect(quiet, 'where nobody asks for tracing nothing is told').toMatchObject({ code: 0, stderr: '' })
})

test('what lies in the place of a tracer and is none changes nothing', async () => {
  const strangers = [
    '42', 'null', '[]', '[null, 42, {}, "x"]', '[new Proxy({}, { get() { throw new Error("never seen") } })]',
    '[{ version: "0.1.0", native: { emit() {} }, api: {}, begin() {} }]', 'Object.freeze([{}])',
    'new Proxy([], { get() { throw new Error("never seen") } })',
  ] // biome-ignore format: a table
  const at = folder()
  const set = (value: string, how: string) => `
    import { channel } from 'node:diagnostics_channel'
    for (const place of [globalThis, globalThis.kept = channel(Symbol.for('blkin'))])
      Object.defineProperty(place, Symbol.for('blkin.tracers'), { ${how}: ${value} })`
  const program = `
    import { isNative, provider } from 'blkin'
    provider('alone', { e: {} }).e()
    console.log(isNative)`
  const cases = [
    ...strangers.map((value) => set(value, 'value')),
    set('() => { throw new Error("never seen") }', 'get'),
  ]
  for (const [n, text] of cases.entries()) {
    writeFileSync(join(at, `${n}.mjs`), text)
    const ended = await run(program, { flags: [`--import=${join(at, `${n}.mjs`)}`] })
    expect(ended, text).toMatchObject({ code: 0, stdout: 'true\n', stderr: '' })
  }
})
