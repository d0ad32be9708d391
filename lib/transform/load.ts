// lib/transform/load.ts: what becomes of the source of a module in which tracepoints may be called, on its way into the program.
// changer.ts calls it, and loads it then: the parser is large.
import { readFileSync, writeSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import remapping from '@jridgewell/remapping'
import { Count } from './counts.js'
import type { Finder } from './finder.js'
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
    return done.changed === 0 ? text : withMap(file, done.code, done.map)
  } catch {
    return text
  }
}

function tell(file: string, changed: number, left: readonly string[]): void {
  const lines = [`${file}: ${changed} static`, ...left.map((one) => `${file}:${one}; left as it is`)]
  writeSync(2, lines.map((line) => `blkin: transform: ${line}\n`).join(''))
}

const mapComment = /^\/\/[#@]\s*sourceMappingURL=(\S+)\s*$/gm

/** With the map inline; composed with the one that the file has. Lines stay where they are, with and without. */
function withMap(file: string, code: string, map: object): string {
  const url = [...code.matchAll(mapComment)].at(-1)?.[1]
  const earlier = url === undefined ? undefined : readMap(file, url)
  if (url !== undefined && earlier === undefined) return code
  const whole = earlier === undefined ? map : remapping([map as never, earlier as never], () => null)
  const text = Buffer.from(JSON.stringify(whole)).toString('base64')
  return `${code.replace(mapComment, '//')}\n//# sourceMappingURL=data:application/json;base64,${text}\n`
}

function readMap(file: string, url: string): object | undefined {
  try {
    const [, base64] = /^data:application\/json[^,]*;base64,(.*)$/.exec(url) ?? []
    if (base64 !== undefined) return JSON.parse(Buffer.from(base64, 'base64').toString())
    const path = url.startsWith('file:')
      ? fileURLToPath(url)
      : resolve(dirname(file), decodeURIComponent(url))
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}
