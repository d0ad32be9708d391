// test/bundles.test.ts: what bundlers make of a program that is traced, as ES module and as CommonJS: it is traced, or says in
// one line why not, and runs in any case. The options here are those of docs/bundling.md.
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import commonJsPlugin from '@rollup/plugin-commonjs'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { nodeFileTrace } from '@vercel/nft'
import { build as esbuild } from 'esbuild'
import { rolldown } from 'rolldown'
import { type Plugin, rollup } from 'rollup'
import { build as vite } from 'vite'
import { expect, test } from 'vitest'
import webpack from 'webpack'
import { app, packageIn } from './support/installed.js'
import { type Ended, folder, lastJson, run } from './support/run.js'

/** Its types say that it is CommonJS, and it is not. */
const commonJs = commonJsPlugin as unknown as () => Plugin

type Format = 'esm' | 'cjs'
const fileOf = (format: Format) => `main.${format === 'esm' ? 'mjs' : 'cjs'}`

/** Says whether it is traced, and that another package.json beside it changes nothing. */
const body = `
  const { tick } = provider('bundled', { tick: { fields: { a: t.u32 } } })
  tick({ a: 1 })
  const span = trace.start('top')
  trace.run(span, () => console.log(JSON.stringify({ isNative, enabled: tick.enabled, span: trace.current() === span })))`
const sources: Record<string, string> = {
  'esm.js': `import { isNative, provider, t, trace } from 'blkin'\n${body}`,
  'cjs.cjs': `const { isNative, provider, t, trace } = require('blkin')\n${body}`,
}

interface Bundle {
  at: string
  /** Where the source is written as. */
  source: string
  format: Format
  out: string
}

const bundlers: Record<string, (bundle: Bundle) => Promise<unknown>> = {
  esbuild: ({ source, format, out }) =>
    esbuild({
      entryPoints: [source],
      outfile: out,
      bundle: true,
      platform: 'node',
      format,
      logLevel: 'error',
    }),
  webpack: ({ source, format, out, at }) =>
    new Promise((resolve, reject) => {
      const module = format === 'esm'
      const options: webpack.Configuration = {
        entry: source,
        context: at,
        mode: 'production',
        optimization: { minimize: false },
        target: 'node',
        experiments: { outputModule: module },
        output: {
          path: join(out, '..'),
          filename: fileOf(format),
          module,
          library: { type: module ? 'module' : 'commonjs2' },
        },
      }
      webpack(options, (error, stats) =>
        error || stats?.hasErrors() ? reject(error ?? new Error(stats?.toString())) : resolve(stats),
      )
    }),
  rollup: async ({ source, format, out }) => {
    const made = await rollup({
      input: source,
      plugins: [nodeResolve({ preferBuiltins: true }), commonJs()],
      logLevel: 'silent',
    })
    await made.write({ file: out, format })
  },
  rolldown: async ({ source, format, out }) => {
    const made = await rolldown({ input: source, platform: 'node', logLevel: 'silent' })
    await made.write({ file: out, format })
  },
  'vite SSR': ({ at, source, format, out }) =>
    vite({
      root: at,
      configFile: false,
      logLevel: 'error',
      ssr: { noExternal: true },
      build: {
        ssr: source,
        outDir: join(out, '..'),
        rollupOptions: { output: { format, entryFileNames: fileOf(format) } },
      },
    }),
}

const env = { BLKIN_REQUIRE_NATIVE: '', BLKIN_ENABLE: '*:*', BLKIN_RELAY: '127.0.0.1:1' }
const traced = { isNative: true, enabled: true, span: true }
const untraced = { isNative: false, enabled: false, span: true }
const noAddon = /^blkin: not traced: there is no addon at .*beside it \(docs\/bundling\.md\)\n$/

/** Runs it in a folder with nothing else but what the bundler made, and a package.json that is not ours. */
function moved(made: string, file: string, prebuilds?: string): Promise<Ended> {
  const at = folder()
  cpSync(made, join(at, 'out'), { recursive: true })
  writeFileSync(join(at, 'package.json'), '{ "version": "9.9.9" }')
  if (prebuilds !== undefined) cpSync(prebuilds, join(at, 'out/prebuilds'), { recursive: true })
  return run(join(at, 'out', file), { cwd: at, env })
}

const ways = [['esm.js', 'esm'], ['esm.js', 'cjs'], ['cjs.cjs', 'cjs']] as const // biome-ignore format: a table

for (const [name, bundle] of Object.entries(bundlers)) {
  test(`${name}: traced with the prebuilds beside the bundle, and without them told in one line`, async () => {
    for (const [source, format] of ways) {
      const at = app({ ...sources, 'package.json': '{ "type": "module" }' })
      const out = join(at, 'made', fileOf(format))
      await bundle({ at, source: join(at, source), format, out })
      const [beside, alone] = await Promise.all([
        moved(join(at, 'made'), fileOf(format), join(packageIn(at), 'prebuilds')),
        moved(join(at, 'made'), fileOf(format)),
      ])
      expect(lastJson(beside), `${source} as ${format}: ${beside.stderr}`).toEqual(traced)
      if (name === 'webpack') expect(lastJson(alone), 'webpack takes the addon along').toEqual(traced)
      else {
        expect(lastJson(alone), `${source} as ${format}`).toEqual(untraced)
        expect(alone.stderr).toMatch(noAddon)
      }
    }
  })
}

test('kept external, the package of node_modules is used', async () => {
  const at = app({ ...sources, 'package.json': '{ "type": "module" }' })
  const entryPoints = [join(at, 'esm.js')]
  const out = join(at, 'out/main.mjs')
  await esbuild({
    entryPoints,
    outfile: out,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['blkin'],
  })
  expect(lastJson(await run(out, { cwd: at, env }))).toEqual(traced)
})

test('@vercel/nft: the files that it lists are traced', async () => {
  const at = app({ ...sources, 'package.json': '{ "type": "module" }' })
  for (const source of Object.keys(sources)) {
    const { fileList, warnings } = await nodeFileTrace([join(at, source)], { base: at })
    expect([...warnings]).toEqual([])
    const deployed = folder()
    for (const file of fileList) cpSync(join(at, file), join(deployed, file), { recursive: true })
    expect(lastJson(await run(join(deployed, source), { cwd: deployed, env })), source).toEqual(traced)
  }
})
