// test/commonjs.test.ts: teams that write CommonJS: require() on the oldest Node, -r, Jest as it comes, and TypeScript's old and
// new ways of finding types.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nodeBinary } from '../scripts/lib/nodes.mjs'
import { app } from './support/installed.js'
import { relay } from './support/relays.js'
import { cleanEnvironment, lastJson, root, run } from './support/run.js'
import { recorded } from './support/trace.js'

interface Output {
  code: number | null
  output: string
}

/** A tool of node_modules, with what it prints. */
async function tool(
  file: string,
  args: string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<Output> {
  const child = spawn(process.execPath, [join(root, 'node_modules', file), ...args], {
    cwd,
    env: { ...cleanEnvironment(), ...env },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  const [code] = await once(child, 'close')
  return { code, output }
}

const oldest = nodeBinary('oldest')

test.skipIf(oldest === undefined)(
  'the oldest Node that is promised requires it, and preloads it by -r',
  async () => {
    const { output, env } = await relay()
    const at = app({
      'main.js': `
      const { flush, isNative, provider } = require('blkin')
      provider('old', { tick: {} }).tick()
      flush().then((flushed) => console.log(JSON.stringify({ isNative, flushed })))`,
    })
    const node = oldest as string
    const flags = ['--require=blkin/register', '--no-experimental-require-module']
    const ended = await run(join(at, 'main.js'), { cwd: at, env, node, flags })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(lastJson(ended)).toEqual({ isNative: true, flushed: true })
    expect((await recorded(output)).events).toHaveLength(1)
  },
)

const suite = `
  const { enable, flush, isNative, provider, status, t, trace } = require('blkin')
  const { tick } = provider('jested', { tick: { fields: { a: t.u8 } } })
  test('is traced, also after its module is forgotten', async () => {
    expect(isNative).toBe(true)
    tick({ a: 1 })
    const span = trace.start('outer')
    jest.resetModules()
    const again = require('blkin')
    again.provider('jested', { tick: { fields: { a: again.t.u8 } } }).tick({ a: 2 })
    again.trace.run(span, () => expect(trace.current().spanId).toBe(span.spanId))
    span.end()
    expect(status().sessions).toHaveLength(1)
    expect(await flush()).toBe(true)
  })
  test('a bad declaration is refused', () => {
    expect(() => provider('jested', { 'a b': {} })).toThrow(/the event has this name/)
  })`

test('Jest as it comes: each test file declares again in one process, and all are traced', async () => {
  const { output, env } = await relay()
  const files = { 'package.json': '{ "name": "jested" }', 'a.test.js': suite, 'b.test.js': suite }
  const at = app(files)
  for (const preload of [{}, { NODE_OPTIONS: '--require=blkin/register' }]) {
    const ran = await tool('jest/bin/jest.js', ['--runInBand', '--no-cache'], at, { ...env, ...preload })
    expect(ran.output).toContain('Tests:       4 passed, 4 total')
    expect(ran.code).toBe(0)
    expect(ran.output).not.toMatch(/^blkin:/m)
  }
  const { events, lost } = await recorded(output)
  const ticks = events.filter(({ tracepoint }) => tracepoint.event === 'tick')
  expect(ticks.map(({ fields }) => Number(fields.a)).sort()).toEqual([1, 1, 1, 1, 2, 2, 2, 2])
  expect(lost).toBe(0)
})

const typed = `
  import { provider, type Span, t, trace, enable, type Status, status } from 'blkin'
  import 'blkin/register'
  const { io } = provider('typed', { io: { level: 'info', fields: { op: t.enum(['read', 'write']), length: t.u32 } } })
  io({ op: 'read', length: 1 })
  // @ts-expect-error: no such label
  io({ op: 'trim', length: 1 })
  const span: Span = trace.start('x')
  const now: Status = status()
  enable('typed:*', { level: 'info' }).disable()
  console.log(span.enabled, now.native)`

// The other ways of finding them attw asks for, in the package's check.
test('TypeScript finds the types by its oldest way, and they are sound without skipLibCheck', async () => {
  const at = app({ 'package.json': '{}', 'main.ts': typed })
  symlinkSync(join(root, 'node_modules/@types'), join(at, 'node_modules/@types'))
  const how = { moduleResolution: 'node10', module: 'commonjs', ignoreDeprecations: '6.0', target: 'es2022' }
  const compilerOptions = { ...how, strict: true, skipLibCheck: false, noEmit: true, types: ['node'] }
  writeFileSync(join(at, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }))
  expect(await tool('typescript/bin/tsc', ['-p', at], at)).toEqual({ code: 0, output: '' })
})
