// lib/static-calls.ts: makes the tracepoint calls of what this process loads from here on static: tracer.ts calls it for
// register. It stands where the bundled tracer does, and loads transform/*.mjs (scripts/lib/entries.mjs) from beside it.
// From Node 22.15 on module.registerHooks() sees all that this thread loads, and a thread of ours changes it. Before, module.register() starts a thread that
// sees what is imported, and what is required is seen where Node compiles it.
import module, { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { writeError } from './stderr.js'
import { changedSource, changer, type Loaded } from './transform/changer.js'
import { counts } from './transform/counts.js'
import { ParserThread } from './transform/parser-thread.js'
import type { ThreadData } from './transform/thread.js'

type NextLoad = (url: string, context: object) => Loaded
type Hooks = { load(url: string, context: object, next: NextLoad): Loaded }
type Compile = (this: unknown, code: string, file: string, ...rest: unknown[]) => unknown

const { registerHooks } = module as { registerHooks?: (hooks: Hooks) => void }

/** The coverage of node --test takes what ran for the file as it is, unless source maps are on; and on Node 20 always. */
function isCoveredByTestRunner(): boolean {
  const { NODE_TEST_CONTEXT: context, NODE_V8_COVERAGE: folder } = process.env
  const covered = process.execArgv.includes('--experimental-test-coverage') || (context && folder)
  return Boolean(covered) && !(registerHooks && process.sourceMapsEnabled)
}

export function makeStatic(tells: boolean): void {
  if (isCoveredByTestRunner()) {
    if (tells) writeError('blkin: transform: off for the coverage of node --test; --enable-source-maps\n')
    return
  }
  const own = fileURLToPath(new URL('.', import.meta.url))
  if (registerHooks) {
    const thread = new ParserThread(new URL('./transform/parser.cjs', import.meta.url), {
      own,
      counts,
      tells,
    })
    const change = changer(own, counts, tells, () => ({
      transformed: (source, text) => thread.transformed({ source, text }),
    }))
    registerHooks({
      load(url, context, next) {
        const loaded = next(url, context)
        return { ...loaded, source: changedSource(url, loaded, change) }
      },
    })
    return
  }
  const change = changer(own, counts, tells, () => createRequire(import.meta.url)('./transform/load.cjs'))
  const data: ThreadData = { own, counts, tells }
  try {
    module.register('./transform/thread.mjs', { parentURL: import.meta.url, data })
  } catch {} // under --permission, where no thread may be started: what is imported stays as it is
  const prototype = module.Module.prototype as unknown as { _compile: Compile }
  const { _compile } = prototype
  prototype._compile = function (code, file, ...rest) {
    return _compile.call(this, change(file, code), file, ...rest)
  }
}
