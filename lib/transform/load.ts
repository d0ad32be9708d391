// lib/transform/load.ts: what becomes of the source of a module in which tracepoints may be called, on its way into the program.
// changer.ts calls it, and loads it then: the parser is large.
import { writeSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { Count } from './counts.js'
import type { Finder } from './finder.js'
import type { SourceMap } from './maps.js'
import { Rewriter } from './rewrite.js'
import type { Source } from './syntax.js'

const rewriter = new Rewriter()

export interface Changing {
  readonly finder: Finder
  readonly counts: Uint32Array
  /** Whether it says on stderr what it does. */
  readonly tells: boolean
}

/** The source with its tracepoint calls static; as it came where there are none, or where anything fails. */
export function transformed(
  { file, code }: Source,
  text: string,
  { finder, counts, tells }: Changing,
): string {
  try {
    const done = finder.follow(rewriter.rewrite({ file, code }, text))
    if (done === undefined) return text
    Atomics.add(counts, Count.modules, 1)
    Atomics.add(counts, Count.calls, done.changed)
    Atomics.add(counts, Count.left, done.left.length)
    if (tells) tell(file, done.changed, done.left)
    return done.changed === 0 ? text : withMap(done.code, located(done.map, file))
  } catch {
    return text
  }
}

function tell(file: string, changed: number, left: readonly string[]): void {
  const lines = [`${file}: ${changed} static`, ...left.map((one) => `${file}:${one}; left as it is`)]
  writeSync(2, lines.map((line) => `blkin: transform: ${line}\n`).join(''))
}

/** The file named as a URL: a path may hold what means something else in one. */
const located = (map: SourceMap, file: string): SourceMap => ({
  ...map,
  sources: map.sources.map((source) => (source === file ? pathToFileURL(file).href : source)),
})

/** With the map inline. Lines stay where they are, with and without. */
function withMap(code: string, map: SourceMap): string {
  const text = Buffer.from(JSON.stringify(map)).toString('base64')
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${text}\n`
}
