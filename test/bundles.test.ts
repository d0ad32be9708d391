// test/bundles.test.ts: what bundlers make of a program that is traced, as ES module and as CommonJS: it is traced, or says in
// one line why not, and runs in any case. ES modules are made by the
// commands of docs/bundling.md.
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
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
import { cleanEnvironment, type Ended, folder, lastJson, root, run } from './support/run.js'

/** Its types say that it is CommonJS, and it is not. */
const commonJs = commonJsPlugin as unknown as () => Plugin

/** Says whether it is traced. */
const body = `
  const { tick } = provider('bundled', { tick: { fields: { a: t.u32 } } })
  tick({ a: 1 })
  const span = trace.start('top')
  trace.run(span, () => console.log(JSON.stringify({ isNative, on: tick.on[0] === 1, span: trace.current() === span })))`
const sources: Record<string, string> = {
  'esm.js': `import { isNative, provider, t, trace } from 'blkin'\n${body}`,
  'cjs.cjs': `const { isNative, provider, t, trace } = require('blkin')\n${body}`,
}

interface Bundle {
  /** The program's folder. */
  at: string
  source: string
  /** The file to make; as an ES module where it ends so. */
  out: string
}

function webpacked({ at, source, out }: Bundle): Promise<unknown> {
  const module = out.endsWith('.mjs')
  const library = { type: module ? 'module' : 'commonjs2' }
  const options: webpack.Configuration = {
    entry: source,
    context: at,
    mode: 'production',
    optimization: { minimize: false }, // half of the time, and nothing to do with what is asked here
    target: 'node',
    experiments: { outputModule: module },
    output: { path: dirname(out), filename: basename(out), module, library },
  }
  return new Promise((resolve, reject) => {
    webpack(options, (error, stats) =>
      error || stats?.hasErrors() ? reject(error ?? new Error(stats?.toString())) : resolve(stats),
    )
  })
}

const bundlers: Record<string, { file: string; bundle(what: Bundle): Promise<unknown> }> = {
  esbuild: {
    file: 'main.cjs',
    bundle: ({ source, out }) =>
      esbuild({
        entryPoints: [source],
        outfile: out,
        bundle: true,
        platform: 'node',
        format: 'cjs',
        logLevel: 'error',
      }),
  },
  webpack: { file: 'main.cjs', bundle: webpacked },
  'webpack to an ES module': { file: 'main.mjs', bundle: webpacked },
  rollup: {
    file: 'main.cjs',
    async bundle({ source, out }) {
      const plugins = [nodeResolve({ preferBuiltins: true }), commonJs()]
      const made = await rollup({ input: source, plugins, logLevel: 'silent' })
      await made.write({ file: out, format: 'cjs' })
    },
  },
  rolldown: {
    file: 'main.cjs',
    async bundle({ source, out }) {
      const made = await rolldown({ input: source, platform: 'node', logLevel: 'silent' })
      await made.write({ file: out, format: 'cjs' })
    },
  },
  'vite SSR': {
    file: 'main.cjs',
    bundle: ({ at, source, out }) => {
      const output = { format: 'cjs', entryFileNames: basename(out) } as const
      const build = { ssr: source, outDir: dirname(out), rollupOptions: { output } }
      return vite({ root: at, configFile: false, logLevel: 'error', ssr: { noExternal: true }, build })
    },
  },
}

const env = { BLKIN_REQUIRE_NATIVE: '', BLKIN_ENABLE: '*:*', BLKIN_RELAY: '127.0.0.1:1' }
const traced = { isNative: true, on: true, span: true }
const untraced = { isNative: false, on: false, span: true }
const noAddon = /^blkin: not traced: there is no addon at .*beside it \(docs\/bundling\.md\)\n$/

/** Runs it in a folder with nothing else but what the bundler made, and a package.json that is not ours. */
function moved(made: string, file: string, prebuilds?: string): Promise<Ended> {
  const at = folder()
  cpSync(made, join(at, 'out'), { recursive: true })
  writeFileSync(join(at, 'package.json'), '{ "version": "9.9.9" }')
  if (prebuilds !== undefined) cpSync(prebuilds, join(at, 'out/prebuilds'), { recursive: true })
  return run(join(at, 'out', file), { cwd: at, env })
}

for (const [name, { file, bundle }] of Object.entries(bundlers)) {
  test(`${name}: traced with the prebuilds beside the bundle, and without them told in one line`, async () => {
    for (const source of Object.keys(sources)) {
      const at = app({ ...sources, 'package.json': '{ "type": "module" }' })
      await bundle({ at, source: join(at, source), out: join(at, 'made', file) })
      const [beside, alone] = await Promise.all([
        moved(join(at, 'made'), file, join(packageIn(at), 'prebuilds')),
        moved(join(at, 'made'), file),
      ])
      expect(lastJson(beside), `${source}: ${beside.stderr}`).toEqual(traced)
      if (name.startsWith('webpack')) expect(lastJson(alone), 'it takes the addon along').toEqual(traced)
      else {
        expect(lastJson(alone), source).toEqual(untraced)
        expect(alone.stderr).toMatch(noAddon)
      }
    }
  })
}

const page = readFileSync(join(root, 'docs/bundling.md'), 'utf8')
const commands = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text]) => text as string)

test.each(commands)('as the page says, it is traced: %s', async (text) => {
  const at = app({ 'package.json': '{ "type": "module" }', 'server.js': sources['esm.js'] as string })
  for (const name of ['.bin', '@rollup'])
    symlinkSync(join(root, 'node_modules', name), join(at, 'node_modules', name))
  const ran = spawnSync('sh', ['-ec', text], { cwd: at, encoding: 'utf8', env: cleanEnvironment() })
  expect(ran, ran.stderr).toMatchObject({ status: 0 })
  expect(lastJson(await run(join(at, 'out/server.mjs'), { cwd: at, env }))).toEqual(traced)
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
