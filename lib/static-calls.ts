// lib/static-calls.ts: makes the tracepoint calls of what this process loads from here on static: tracer.ts calls it for
// register. It stands where the bundled tracer does, and loads transform/*.mjs (scripts/lib/entries.mjs) from
// beside it, when they are needed.
// From Node 22.15 on module.registerHooks() sees all that this thread loads. Before, module.register() starts a thread that
// sees what is imported, and what is required is seen where Node compiles it.
import module, { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { counts } from './transform/counts.js'
import type { transformed } from './transform/load.js'

interface Loaded {
  format?: string | null
  source?: string | ArrayBufferView | ArrayBuffer | null | undefined
}
type NextLoad = (url: string, context: object) => Loaded
type Hooks = { load(url: string, context: object, next: NextLoad): Loaded }
type Compile = (this: unknown, code: string, file: string, ...rest: unknown[]) => unknown

const { registerHooks } = module as { registerHooks?: (hooks: Hooks) => void }
const require = createRequire(import.meta.url)

/** The parser and the rest are loaded when the first module comes; while they are, modules pass as they are. */
let work: typeof transformed | undefined
let isLoading = false

export function makeStatic(tells: boolean): void {
  const change = (file: string, text: string) => {
    if (isLoading) return text
    if (work === undefined) {
      isLoading = true
      try {
        work = (require('./transform/load.mjs') as { transformed: typeof transformed }).transformed
      } catch {
        return text // and so is whatever comes later
      }
      isLoading = false
    }
    return work(file, text, counts, tells)
  }
  if (registerHooks) {
    registerHooks({
      load(url, context, next) {
        const loaded = next(url, context)
        return { ...loaded, source: changedSource(url, loaded, change) }
      },
    })
    return
  }
  module.register('./transform/thread.mjs', { parentURL: import.meta.url, data: { counts, tells } })
  const prototype = module.Module.prototype as unknown as { _compile: Compile }
  const { _compile } = prototype
  prototype._compile = function (code, file, ...rest) {
    return _compile.call(this, change(file, code), file, ...rest)
  }
}

const formats = /^(module|commonjs)(-typescript)?$/

/** What a load hook answers with: changed, where it is a file's source. */
export function changedSource(
  url: string,
  { format, source }: Loaded,
  change: (file: string, text: string) => string,
): Loaded['source'] {
  if (!formats.test(format ?? '') || source === null || source === undefined || !url.startsWith('file:'))
    return source
  const text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString('utf8')
  const changed = change(fileURLToPath(url), text)
  return changed === text ? source : changed
}
