// test/transform-bundles.test.ts: the plugin in each bundler: what it builds evaluates nothing while its tracepoints are off,
// records the same when they are on, and has a source map that leads back.
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as esbuild from 'esbuild'
import { rollup } from 'rollup'
import { build as vite } from 'vite'
import { expect, test } from 'vitest'
import webpack from 'webpack'
import { installed } from './support/installed-program.js'
import { relay } from './support/relays.js'
import { lastJson, root, run } from './support/run.js'
import { recorded } from './support/trace.js'

const files = {
  'tracepoints.ts': `
import { provider, t } from 'blkin'
enum Unused { one }
export const disk = provider('disk' as string & 'disk', { io: { fields: { bytes: t.u32 } } })`,
  'work.ts': `
import { disk as d } from './tracepoints.ts'
export function work(bytes: () => number, fails?: boolean): void {
  d.io({ bytes: bytes() as number }); if (fails) throw new Error('here' as string)
}`,
  'entry.js': `
import { enable, flush } from 'blkin'
import { work } from './work.ts'
let evaluated = 0
const bytes = () => ++evaluated
work(bytes)
const off = evaluated
enable('*:*')
work(bytes)
await flush(10_000)
let at
try { work(() => 1, true) } catch (error) { at = error.stack.match(/[^/]*:\\d+:\\d+/g).slice(0, 2) }
console.log(JSON.stringify({ off, on: evaluated - off, at }))`,
}

/** A folder with the program, where blkin is installed, and TypeScript. */
function program(): string {
  const home = installed(files)
  symlinkSync(join(root, 'node_modules/typescript'), join(home, 'node_modules/typescript'))
  return home
}

type Build = (home: string, out: string, isStatic: boolean) => Promise<unknown>

const bundlers: Record<string, Build> = {
  async esbuild(home, outfile, isStatic) {
    const { default: blkin } = await import('blkin/esbuild')
    await esbuild.build({
      ...{
        entryPoints: [join(home, 'entry.js')],
        outfile,
        bundle: true,
        sourcemap: true,
        external: ['blkin'],
      },
      ...{ platform: 'node', format: 'esm', plugins: isStatic ? [blkin()] : [], logLevel: 'error' },
    })
  },
  async rollup(home, file, isStatic) {
    const { default: blkin } = await import('blkin/rollup')
    const types = {
      name: 'types',
      transform: (code: string, id: string) =>
        id.endsWith('.ts') ? esbuild.transformSync(code, { loader: 'ts', sourcemap: true }) : null,
    }
    const plugins = isStatic ? [types, blkin()] : [types]
    const bundle = await rollup({ input: join(home, 'entry.js'), external: ['blkin'], plugins })
    await bundle.write({ file, format: 'esm', sourcemap: true })
  },
  async vite(home, file, isStatic) {
    const { default: blkin } = await import('blkin/vite')
    const output = { entryFileNames: 'out.mjs' }
    await vite({
      ...{ root: home, logLevel: 'error', plugins: isStatic ? [blkin()] : [] },
      build: {
        ...{ ssr: 'entry.js', outDir: dirname(file), minify: false, sourcemap: true, emptyOutDir: false },
        rolldownOptions: { external: ['blkin'], output },
      },
    })
  },
  async webpack(home, file, isStatic) {
    const { default: blkin } = await import('blkin/webpack')
    const compiler = webpack({
      ...{ mode: 'production', target: 'node20', devtool: 'source-map', context: home, entry: './entry.js' },
      ...{
        experiments: { outputModule: true },
        externals: { blkin: 'module blkin' },
        plugins: isStatic ? [blkin()] : [],
      },
      output: { path: dirname(file), filename: 'out.mjs', library: { type: 'module' } },
      module: { rules: [{ test: /\.ts$/, use: join(home, 'loader.cjs') }] },
    })
    const loader = `const { transformSync } = require(${JSON.stringify(join(root, 'node_modules/esbuild'))})
module.exports = (code) => transformSync(code, { loader: 'ts' }).code`
    writeFileSync(join(home, 'loader.cjs'), loader)
    await new Promise<void>((done, fail) =>
      compiler!.run((error, stats) => {
        if (error || stats?.hasErrors()) fail(error ?? new Error(stats!.toString()))
        else compiler!.close(() => done())
      }),
    )
  },
}

test.each(Object.entries(bundlers))(
  '%s builds static call sites',
  { timeout: 60_000 },
  async (_name, build) => {
    const home = program()
    const out = join(home, 'out.mjs')
    const result = async (isStatic: boolean) => {
      const { output, address } = await relay()
      await build(home, out, isStatic)
      const ended = await run(out, { flags: ['--enable-source-maps'], env: { BLKIN_RELAY: address } })
      expect(ended.stderr).toBe('')
      const bytes = (await recorded(output)).events.map(({ fields }) => fields.bytes)
      return { ...lastJson<{ off: number; on: number; at: string[] }>(ended), bytes }
    }
    const plain = await result(false)
    expect(plain).toMatchObject({ off: 1, on: 1, bytes: [2, 1] })
    expect(await result(true), 'the same lines and columns').toEqual({ ...plain, off: 0, bytes: [1, 1] })
    const map = JSON.parse(readFileSync(`${out}.map`, 'utf8')) as { sources: string[] }
    expect(map.sources.some((source) => source.endsWith('work.ts'))).toBe(true)
  },
)
