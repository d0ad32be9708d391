// relay/src/spans/formats/json-values.ts: parts of spans as JSON has them, each checked where it is read; the words of a refusal are
// Zipkin's. from-json.ts and from-v1-json.ts read spans with these. `path` is where a value stands. All throw RangeError. Pure.

import { ipOf } from '../address.js'
import { checkPort, type Endpoint, nearestLong } from '../span.js'

export type Json = Record<string, unknown>

type Read<T> = (value: unknown, path: string) => T

/** What reads the parts of an object that stands at `path`: undefined is one that is not there, or null. */
export const partsOf =
  (from: Json, path: string) =>
  <T>(key: string, read: Read<T>): T | undefined =>
    from[key] === undefined || from[key] === null ? undefined : read(from[key], `${path}.${key}`)

export function string(value: unknown, path: string): string {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' ? value : wrong('a string', value, path)
}

/** Beyond 2^53 the nearest that JavaScript has. */
export function long(value: unknown, path: string): number {
  const number = typeof value === 'string' ? numberOf(value) : value
  if (typeof number !== 'number') return wrong('a long', value, path)
  if (Number.isInteger(number) && Math.abs(number) <= 2 ** 63) return nearestLong(number)
  throw new RangeError(`Expected a long but was ${value} at path ${path}`)
}

function numberOf(text: string): number {
  if (text === '') throw new RangeError('empty String')
  const isNumber = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*$/.test(text)
  if (!isNumber) throw new RangeError(`For input string: "${text}"`)
  return Number(text)
}

export function boolean(value: unknown, path: string): boolean {
  return typeof value === 'boolean' ? value : wrong('a boolean', value, path)
}

export function object(value: unknown, path: string): Json {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as Json) : wrong('an object', value, path)
}

export function list(value: unknown, path: string): unknown[] {
  return Array.isArray(value) ? value : wrong('an array', value, path)
}

export function endpoint(value: unknown, path: string): Endpoint {
  const { serviceName, ipv4, ipv6, port } = object(value, path)
  const made: Endpoint = {}
  if (serviceName != null) made.serviceName = string(serviceName, `${path}.serviceName`)
  // by what it is, not by the key it came under; what is no address is left out
  for (const [key, address] of Object.entries({ ipv6, ipv4 })) {
    if (address != null) Object.assign(made, ipOf(string(address, `${path}.${key}`)))
  }
  if (port != null) made.port = long(port, `${path}.port`)
  checkPort(made.port)
  return made
}

/** Of an annotation: its time may be 0, and is there. */
export function annotation(value: unknown, path: string): { timestamp: number; value: string } {
  const given = object(value, path)
  if (given.timestamp == null || given.value == null) throw new RangeError(`Incomplete annotation at ${path}`)
  const timestamp = long(given.timestamp, `${path}.timestamp`)
  return { timestamp, value: string(given.value, `${path}.value`) }
}

function wrong(expected: string, value: unknown, path: string): never {
  const was = value === null ? 'NULL' : Array.isArray(value) ? 'BEGIN_ARRAY' : (typeof value).toUpperCase()
  throw new RangeError(`Expected ${expected} but was ${was} at path ${path}`)
}
