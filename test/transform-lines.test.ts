// test/transform-lines.test.ts: who looks at a program with static calls sees the program that was written: stack traces, breakpoints,
// `debugger` lines and coverage point where they point without.
import { join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { nodeBinary } from '../scripts/lib/nodes.mjs'
import { uncoveredLines } from './support/covered-lines.js'
import { installed } from './support/installed-program.js'
import { program, run } from './support/run.js'

const nodes = ([20, 22, 24, 26] as const).map((major) => ({ major, node: nodeBinary(major) as string }))
const register = ['--import', 'blkin/register']
const env = { NODE_NO_WARNINGS: '1', BLKIN_RELAY: '127.0.0.1:1' }

/** Throws before, in, between and after calls, on lines with one and with several, and over several lines. */
const throws = (number: string) => `const disk = provider('disk', { io: { fields: { n: t.u32 } }, sync: {} })
enable('*:*')
const thrown${number && ': unknown[]'} = []
const raise = (what${number}) => { throw new Error(String(what)) }
const attempt = (work${number && ': () => unknown'}) => { try { work() } catch (error) { thrown.push((error as Error).stack) } }
attempt(() => { raise(1); disk.io({ n: 1 }) })
attempt(() => { disk.io({ n: 1 }); raise(2) })
attempt(() => { disk.io({ n: 1 }); disk.sync(); raise(3); disk.io({ n: 1 }) })
attempt(() => { disk.io({ n: 1 }); disk.io({ n: (() => raise(4))() }); disk.sync() })
attempt(() => {
  disk.io({
    n: raise(5)!,
  })
})
attempt(() => disk.io({ n: raise(6)! }))
attempt(() => { if (disk.io.enabled) disk.sync(); raise(7) })
attempt(() => {
  raise(8)
})
console.log(JSON.stringify(thrown.map((stack) => String(stack).split('\\n').slice(1, 3).map((line) => /[^/]*:[0-9]+:[0-9]+/.exec(line)![0]))))
`
const typed = `import { enable, provider, t } from 'blkin'
interface Unused { name: string }
${throws(': number')}`
const script = typed
  .replace(/^interface .*$/m, '')
  .replace(/: (number|unknown\[\]|\(\) => unknown)(?=[\s)]| =)/g, '')
  .replace(/ as Error|!(?=[,\s.[]|\[0)/g, '')

function compiled(
  module: ts.ModuleKind,
  inline: boolean,
): { outputText: string; sourceMapText?: string | undefined } {
  const compilerOptions = {
    module,
    target: ts.ScriptTarget.ES2022,
    sourceMap: !inline,
    inlineSourceMap: inline,
  }
  return ts.transpileModule(typed, { fileName: 'main.ts', compilerOptions })
}

const common = compiled(ts.ModuleKind.CommonJS, false)
const programs: Record<string, { from: number; files: Record<string, string> }> = {
  'an ES module': { from: 20, files: { 'main.mjs': script } },
  CommonJS: {
    from: 20,
    files: {
      'main.cjs': script.replace(
        "import { enable, provider, t } from 'blkin'",
        "const { enable, provider, t } = require('blkin')",
      ),
    },
  },
  'stripped TypeScript': { from: 22, files: { 'main.mts': typed } },
  'compiled TypeScript, its map inline': {
    from: 20,
    files: { 'main.mjs': compiled(ts.ModuleKind.ESNext, true).outputText },
  },
  'compiled TypeScript, its map a file': {
    from: 20,
    files: {
      'main.cjs': common.outputText.replace('=main.js.map', '=maps/main.cjs.map'),
      'maps/main.cjs.map': common.sourceMapText!,
      'maps/main.ts': typed,
    },
  },
}

const cases = nodes.flatMap(({ major, node }) =>
  Object.entries(programs)
    .filter(([, { from }]) => from <= major)
    .map(([kind, { files }]) => ({ major, node, kind, files })),
)

test.each(cases)('Node $major: stack traces of $kind', async ({ node, files }) => {
  const home = installed(files)
  const main = join(home, Object.keys(files)[0]!)
  const traces = async (flags: string[]) => {
    const ended = await run(main, { node, flags, env, cwd: home })
    expect(ended.code, ended.stderr).toBe(0)
    return JSON.parse(ended.stdout) as string[][]
  }
  const lines = (all: string[][]) => all.map((trace) => trace.map((frame) => frame.replace(/:\d+$/, '')))
  const plain = await traces([])
  expect(plain).toHaveLength(8)
  const changed = await traces(register)
  expect(lines(changed)).toEqual(lines(plain))
  expect(changed, 'that calls are static').not.toEqual(plain)
  const mapped = ['--enable-source-maps']
  expect(await traces([...mapped, ...register])).toEqual(await traces(mapped))
})

const stopped = `import { provider, t } from 'blkin'
const disk = provider('disk', { io: { fields: { n: t.u32 } }, sync: {} })
function off(n) {
  disk.io({ n })
  disk.io({
    n: n + 1,
  }); disk.sync()
  debugger
  disk.sync(); debugger; disk.sync()
  if (disk.io.enabled) disk.sync()
  return disk.io({ n })
}
off(1)
`
const breakpoints = ['4', '5', '7', '10', '11', '13']

test.each(nodes)('Node $major: breakpoints and debugger lines', async ({ node }) => {
  const home = installed({ 'stopped.mjs': stopped })
  const stops = async (flags: string[]) => {
    const args = [join(home, 'stopped.mjs'), ...breakpoints]
    const ended = await run(program('paused.mjs'), { node, flags, env, args })
    expect(ended.code, ended.stderr).toBe(0)
    return JSON.parse(ended.stdout) as { stops: number[]; maps: string[] }
  }
  const plain = await stops([])
  expect(plain).toEqual({ stops: [13, 4, 5, 7, 8, 9, 10, 11], maps: [''] })
  expect(await stops(register)).toEqual({ ...plain, maps: ['data:application/json;base64,'] })
})

const covered = `import { provider, t } from 'blkin'
const disk = provider('disk', { io: { fields: { n: t.u32 } }, sync: {} })
export function used(n) {
  disk.io({ n })
  if (n > 100) {
    disk.io({ n: 1 }); disk.sync()
    return 'large'
  }
  const small = n < 3 ? 'yes' : 'no'; disk.io({ n: n > 50 ? 1 : 2 })
  return small
}
export function unused() {
  disk.io({ n: 3 }); disk.sync()
  return 4
}
export const alsoUnused = () => disk.io({ n: 3 })
export function last(n) {
  disk.sync(); if (n) return 1
  return n ? 5 : 6
}
used(1)
last(2)
`

test.each(nodes)('Node $major: coverage, as c8 reads it', async ({ node }) => {
  const home = installed({ 'covered.mjs': covered })
  const lines = async (flags: string[], to: string) => {
    const NODE_V8_COVERAGE = join(home, to)
    const ended = await run(join(home, 'covered.mjs'), { node, flags, env: { ...env, NODE_V8_COVERAGE } })
    expect(ended.code, ended.stderr).toBe(0)
    return uncoveredLines(NODE_V8_COVERAGE, join(home, 'covered.mjs'))
  }
  const plain = await lines([], 'plain')
  expect(plain).toEqual([6, 7, 8, 13, 14, 15])
  expect(await lines(register, 'changed')).toEqual(plain)
})

test.each(nodes)('Node $major: coverage, as node --test tells it', async ({ node }) => {
  const home = installed({
    'covered.mjs': covered,
    'main.test.mjs': `import { test } from 'node:test'; import { status } from 'blkin'; await import('./covered.mjs'); test('one', () => console.log(status().transform))`,
  })
  const report = async (flags: string[]) => {
    const all = [...flags, '--test', '--experimental-test-coverage', '--test-reporter=tap']
    const { stdout } = await run(join(home, 'main.test.mjs'), { node, flags: all, env, cwd: home })
    const [, lines, uncovered] = /^# +covered\.mjs +\| +([\d.]+) \|.*\|([^|\n]*)$/m.exec(stdout) ?? []
    expect(lines, stdout).toBeDefined()
    return [lines, uncovered]
  }
  const plain = await report([])
  expect(await report(register)).toEqual(plain)
  expect(await report(['--enable-source-maps', ...register])).toEqual(await report(['--enable-source-maps']))
})
