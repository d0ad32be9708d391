// lib/transform/plugin.ts: the same at build time: one plugin, which unplugin makes into each bundler's. vite.ts, rollup.ts,
// esbuild.ts and webpack.ts are what people import. Modules come when other plugins have made JavaScript of them.
import { fileURLToPath } from 'node:url'
import remapping from '@jridgewell/remapping'
import { createUnplugin, type UnpluginBuildContext, type UnpluginContext } from 'unplugin'
import { Finder } from './finder.js'
import type { Following } from './known.js'
import type { SourceMap } from './maps.js'
import { Rewriter, type Rewritten } from './rewrite.js'
import { compileTypes, stripTypes } from './types.js'

type Context = UnpluginBuildContext & UnpluginContext & { resolve?: Resolve }
/** Rollup's and Vite's, which know of aliases. */
type Resolve = (specifier: string, from: string) => Promise<{ id: string } | null>
type Esbuild = { transform(code: string, options: object): Promise<{ code: string; map: string }> }

export const plugin = createUnplugin(() => {
  const finder = new Finder(fileURLToPath(new URL('..', import.meta.url)), compileTypes)
  const rewriter = new Rewriter()

  async function follow<T>(following: Following<T>, context: Context): Promise<T> {
    let step = following.next()
    while (!step.done) {
      const { specifier, from } = step.value
      let found = finder.find(step.value)
      if (found === undefined && context.resolve !== undefined) {
        const resolved = await context.resolve(specifier, from)
        found = resolved ? finder.read(resolved.id.replace(/\?.*$/, '')) : undefined
      }
      step = following.next(found)
    }
    return step.value
  }

  return {
    name: 'blkin',
    enforce: 'post',
    transform: {
      filter: { id: /\.[cm]?[jt]sx?(\?|$)/, code: /\b(import|require)\b/ },
      async handler(code, id) {
        const context = this as unknown as Context
        const file = id.replace(/\?.*$/, '')
        const done = await rewritten(file, code, context, (following) => follow(following, context))
        return done && done.changed > 0 ? { code: done.code, map: done.map as never } : undefined
      },
    },
  }

  async function rewritten(
    file: string,
    code: string,
    context: Context,
    drive: (following: Following<Rewritten | undefined>) => Promise<Rewritten | undefined>,
  ): Promise<Rewritten | undefined> {
    const plain = rewriter.isScript({ file, code }) ? code : stripTypes(file, code)
    if (plain !== undefined) return drive(rewriter.rewrite({ file, code: plain }, code))
    if (!/\.[cm]?ts$/.test(file)) return undefined
    // esbuild hands out TypeScript, and this Node cannot strip it.
    const { build } = (context.getNativeBuildContext?.() ?? {}) as { build?: { esbuild?: Esbuild } }
    if (build?.esbuild === undefined) return undefined
    const made = await build.esbuild.transform(code, {
      loader: 'ts',
      sourcefile: file,
      sourcemap: 'external',
    })
    const done = await drive(rewriter.rewrite({ file, code: made.code }))
    return done && { ...done, map: remapping([done.map as never, made.map], () => null) as SourceMap }
  }
})
