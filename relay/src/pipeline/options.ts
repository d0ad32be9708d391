// relay/src/pipeline/options.ts: what startRelay({ tracing }) is given, checked before anything is opened. Programs without types
// give it too, and a wrong word would be heard days later: when nothing was kept, or all of it. What addresses and URLs
// say is checked by whoever uses them; a sample by its own. Pure.

import { isDeepStrictEqual } from 'node:util'
import type { AlertOptions } from './alerts/alerts.js'
import { parseAlerts } from './alerts/parse.js'
import type { TraceSample } from './sample/chance.js'
import { SINKS, type SinkOptions } from './sinks/sinks.js'

export interface TracingOptions {
  /** Where the API listens: host:port. Nowhere, if absent. */
  listen?: string
  /** Whose pages may ask the API: origins such as https://ui.example, or `*`. None, if absent. */
  allowOrigins?: string[]
  /** Who gets every span that is stored. */
  sinks?: SinkOptions
  /** Tags whose values are offered for completion. */
  autocompleteKeys?: string[]
  /** Rules over all spans, those too that are not stored, and who is told. */
  alerts?: AlertOptions
  /** Which traces are stored, beside the failed, slow, rare and debug ones: a share, or as many a second. All if absent. */
  sample?: TraceSample
  /** Spans that are older go; milliseconds, 7 days where it is not said. */
  maxAge?: number
  /** The oldest go where the file is larger; 10 GiB where it is not said. */
  maxBytes?: number
  /** Bytes that the store may hold in memory, of what is written and of the file; 1 GiB where it is not said. */
  memory?: number
}

interface Door {
  expected: string
  takes(value: unknown): boolean
}

const isText = (value: unknown): boolean => typeof value === 'string'
const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isAmount = (value: unknown): boolean => Number.isFinite(value) && (value as number) > 0

/** With less DuckDB cannot append a batch. */
const LEAST_MEMORY = 128 * 2 ** 20
const isMemory = (value: unknown): boolean => isAmount(value) && (value as number) >= LEAST_MEMORY

const address: Door = { expected: 'HOST:PORT', takes: isText }
const url: Door = { expected: 'a URL, or HOST:PORT', takes: isText }
const object: Door = { expected: 'an object', takes: isObject }

const doors: Record<string, Door> = {
  listen: address,
  allowOrigins: {
    expected: 'a list of origins, or of "*"',
    takes: (value) => Array.isArray(value) && value.every(isText),
  },
  sinks: object,
  autocompleteKeys: {
    expected: 'a list of keys of tags',
    takes: (value) => Array.isArray(value) && value.every(isText),
  },
  alerts: object,
  sample: { expected: '{ share } or { perSecond }', takes: isObject },
  maxAge: { expected: 'a number of milliseconds above 0', takes: isAmount },
  maxBytes: { expected: 'a number of bytes above 0', takes: isAmount },
  memory: { expected: `a number of bytes from ${LEAST_MEMORY}`, takes: isMemory },
}
const sinkDoors: Record<string, Door> = Object.fromEntries(
  Object.entries(SINKS).map(([name, { expected }]) => [name, { expected, takes: isText }]),
)
const alertDoors: Record<string, Door> = {
  rules: { expected: 'a list of rules as parseAlerts() reads them', takes: Array.isArray },
  webhook: url,
  alertmanagers: {
    expected: 'a list of URLs, or HOST:PORT',
    takes: (value) => Array.isArray(value) && value.every(isText),
  },
}

/** @throws TypeError naming the option, what was given and what is allowed */
export function checkTracing(given: unknown): void {
  const { sinks, alerts } = check(given, doors, 'tracing')
  if (sinks !== undefined) check(sinks, sinkDoors, 'tracing.sinks')
  if (alerts === undefined) return
  const { rules } = check(alerts, alertDoors, 'tracing.alerts')
  checkRules(rules)
}

function check(given: unknown, doors: Record<string, Door>, path: string): Record<string, unknown> {
  if (!isObject(given)) throw refused(path, given, object.expected)
  const options = given as Record<string, unknown>
  for (const [key, value] of Object.entries(options)) {
    const door = Object.hasOwn(doors, key) ? doors[key] : undefined
    if (door === undefined)
      throw new TypeError(`${path} has ${JSON.stringify(key)}; expected ${Object.keys(doors).join(', ')}`)
    if (value !== undefined && !door.takes(value)) throw refused(`${path}.${key}`, value, door.expected)
  }
  return options
}

/** A rule is what its text says: it is read again. */
function checkRules(rules: unknown): void {
  const path = 'tracing.alerts.rules'
  const { expected } = alertDoors.rules!
  if (!Array.isArray(rules)) throw refused(path, rules, expected)
  const texts = rules.map((rule) => `${rule?.name}:${rule?.text}`)
  let read: unknown
  try {
    read = parseAlerts(texts.join('\n'))
  } catch (error) {
    throw new TypeError(`${path}: ${(error as Error).message}`)
  }
  if (!isDeepStrictEqual(read, rules))
    throw new TypeError(`${path} are not what their texts say; expected ${expected}`)
}

const refused = (path: string, value: unknown, expected: string): TypeError =>
  new TypeError(`${path} is ${shown(value)}; expected ${expected}`)

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
