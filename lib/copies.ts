// lib/copies.ts: one tracer a thread, however many copies of this package are loaded in it: as ES modules and as CommonJS,
// bundled into the program, preloaded by a command that is installed elsewhere, again by a test runner. The first that
// has its addon does the work, and later ones of its line of versions hand out what it exports (tracer.ts).
//
// They meet on a channel of diagnostics_channel, which Node keeps one of by name in each thread, whoever loads modules. A
// realm of its own (vm, and so each test file under Jest) may end before the thread does: what is loaded in one is seen
// in that realm alone.
import { channel } from 'node:diagnostics_channel'
import type * as api from './api.js'
import type { Native } from './native.js'
import { version } from './version.js'

export interface Tracer {
  readonly version: string
  readonly native: Native | undefined
  readonly api: typeof api
  /** What blkin/register does: applies BLKIN_*, BLKIN_TRACE too. */
  begin(): void
}

/** Two copies of one line can stand for each other. */
const lineOf = (text: string) => text.split('.', 2).join('.')

const names = [
  'context', 'currentSpan', 'disable', 'enable', 'flush', 'openSession', 'provider', 'spans', 'status',
] as const satisfies readonly (keyof typeof api)[] // biome-ignore format: a table

/** What is not a tracer of ours, whatever it is, is as if it were not there. */
function isTracer(value: unknown): value is Tracer {
  try {
    const { version, native, api } = value as Tracer
    return typeof version === 'string' && typeof native?.emit === 'function' && typeof api === 'object'
  } catch {
    return false
  }
}

function standsForThis(other: Tracer): boolean {
  try {
    const { api, begin } = other
    const objects = typeof api.t === 'object' && typeof api.trace === 'object'
    return objects && typeof begin === 'function' && names.every((name) => typeof api[name] === 'function')
  } catch {
    return false
  }
}

const key = Symbol.for('blkin.tracers')
const meeting: object = channel(Symbol.for('blkin'))
const realm: object = meeting instanceof Object ? meeting : globalThis

function tracersIn(place: object): Tracer[] {
  try {
    const held = (place as Record<symbol, unknown>)[key]
    return Array.isArray(held) ? held.filter(isTracer) : []
  } catch {
    return []
  }
}

const others = [...new Set([...tracersIn(meeting), ...tracersIn(realm)])]

const isOfThisLine = (other: Tracer) => lineOf(other.version) === lineOf(version)

/** The tracer of an earlier copy, which this one hands out. */
export const elsewhere: Tracer | undefined = others.find(
  (other) => isOfThisLine(other) && standsForThis(other),
)

/** Versions of earlier copies that this one cannot stand for: each records for itself. */
export const versionsApart: readonly string[] =
  elsewhere === undefined ? others.filter((other) => !isOfThisLine(other)).map((other) => other.version) : []

/** For the copies that come later. */
export function publish(tracer: Tracer): void {
  try {
    Object.defineProperty(realm, key, { value: [...tracersIn(realm), tracer], configurable: true })
  } catch {} // a realm that is frozen: its copies do not meet
}
