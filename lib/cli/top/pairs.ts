// lib/cli/top/pairs.ts: which two tracepoints begin and end something, and the time between those that belong together. Two
// belong together that come from one process and have one key: the fields in `keyNames` that both declare, or else the
// thread. They may come in either order, since CPUs are read one after the other. Pure, and bounded in memory.

/** What names one piece of work, by custom. */
const keyNames = ['id', 'cookie', 'handle', 'request', 'tag', 'seq']

/** Begin and end by custom: whole names, or ends of names after `_`. The first that is declared counts. */
export const conventions: readonly (readonly [string, string])[] = [
  ['begin', 'end'],
  ['start', 'end'],
  ['start', 'done'],
  ['start', 'stop'],
  ['enter', 'exit'],
  ['request', 'reply'],
  ['request', 'response'],
  ['send', 'receive'],
  ['receive', 'done'],
  ['issue', 'complete'],
]

export interface Pair {
  begin: string
  end: string
  /** Fields whose values both have in common; none: the thread. */
  keys: readonly string[]
}

const form = 'expected PROVIDER:BEGIN,PROVIDER:END, or with fields to match by behind: a:begin,a:end,id'

/** @throws TypeError naming what was given. */
export function parsePair(text: string): Pair {
  const [begin = '', end = '', ...keys] = text.split(',')
  const name = /^[A-Za-z_][\w.-]*:[A-Za-z_][\w.-]*$/
  if (
    !name.test(begin) ||
    !name.test(end) ||
    begin === end ||
    !keys.every((key) => /^[A-Za-z_]\w*$/.test(key))
  )
    throw new TypeError(`${JSON.stringify(text)}: ${form}`)
  return { begin, end, keys }
}

export interface Declared {
  name: string
  fields: readonly string[]
}

/** The pairs among these tracepoints that the conventions find; each tracepoint begins one at most and ends one. */
export function findPairs(tracepoints: readonly Declared[]): Pair[] {
  const byName = new Map(tracepoints.map((one) => [one.name, one]))
  const [begins, ends] = [new Set<string>(), new Set<string>()]
  const found: Pair[] = []
  for (const [first, last] of conventions) {
    for (const begin of byName.values()) {
      const stem = stemOf(begin.name, first)
      const end = stem === undefined ? undefined : byName.get(stem + last)
      if (end === undefined || begins.has(begin.name) || ends.has(end.name)) continue
      begins.add(begin.name)
      ends.add(end.name)
      found.push({ begin: begin.name, end: end.name, keys: commonKeys(begin, end) })
    }
  }
  return found
}

/** "disk:io_start" and "start" -> "disk:io_"; undefined where the name does not end so. */
function stemOf(name: string, word: string): string | undefined {
  const stem = name.endsWith(word) ? name.slice(0, -word.length) : ''
  return stem.endsWith(':') || stem.endsWith('_') ? stem : undefined
}

export function commonKeys(begin: Declared, end: Declared): string[] {
  return keyNames.filter((key) => begin.fields.includes(key) && end.fields.includes(key))
}

/** Halves of pairs whose other half has not come. Of one key only the newest waits. */
export class Matcher {
  readonly #waiting = new Map<string, { begin: boolean; ns: number }>()
  readonly #most: number

  constructor(most = 4096) {
    this.#most = most
  }

  /** The nanoseconds between the two, once the second half is there. */
  event(begin: boolean, key: string, ns: number): number | undefined {
    const other = this.#waiting.get(key)
    const between =
      other === undefined || other.begin === begin ? undefined : begin ? other.ns - ns : ns - other.ns
    this.#waiting.delete(key)
    if (between !== undefined && between >= 0) return between
    this.#waiting.set(key, { begin, ns })
    if (this.#waiting.size > this.#most) {
      for (const oldest of this.#waiting.keys()) {
        this.#waiting.delete(oldest)
        break
      }
    }
    return undefined
  }

  get waiting(): number {
    return this.#waiting.size
  }
}
