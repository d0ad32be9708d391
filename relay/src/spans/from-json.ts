// relay/src/spans/from-json.ts: JSON to spans, each checked at the door; the words of a refusal are Zipkin's.
// The HTTP API calls it with a body it has already bounded, the command with what a server answered. Pure.

import { ipOf } from './address.js'
import { fullParentId, fullSpanId, fullTraceId } from './ids.js'
import {
  type Annotation,
  checkPort,
  type Endpoint,
  KINDS,
  type Kind,
  makeSpan,
  type Span,
  setTag,
} from './span.js'

/** @throws RangeError saying what is wrong with the first that is wrong; then none is taken */
export function spansFromJson(text: string): Span[] {
  if (text === '') return []
  if (!/^\s*\[/.test(text)) throw new RangeError('Expected a JSON_V2 encoded list')
  if (text.includes('"binaryAnnotations"')) {
    throw new RangeError('Expected a JSON_V2 encoded list, but received: JSON_V1')
  }
  try {
    return spansFrom(JSON.parse(text), '$')
  } catch (error) {
    throw new RangeError(`${(error as Error).message} reading List<Span> from json`)
  }
}

/** @throws RangeError with the path of what is wrong; `path` is where the list itself stands */
export const spansFrom = (given: unknown, path: string): Span[] =>
  list(given, path).map((one, i) => spanFrom(object(one, `${path}[${i}]`), `${path}[${i}]`))

type Json = Record<string, unknown>

function spanFrom(given: Json, path: string): Span {
  const missing = ['traceId', 'id'].filter((key) => !(key in given))
  if (missing.length > 0) throw new RangeError(`Missing : ${missing.join(' ')}`)
  const optional = <T>(key: string, read: (value: unknown, path: string) => T): T | undefined =>
    given[key] === undefined || given[key] === null ? undefined : read(given[key], `${path}.${key}`)
  const parentId = optional('parentId', string)
  return makeSpan({
    traceId: fullTraceId(string(given.traceId, `${path}.traceId`)),
    parentId: parentId === undefined ? undefined : fullParentId(parentId),
    id: fullSpanId(string(given.id, `${path}.id`)),
    kind: optional('kind', kind),
    name: optional('name', string),
    timestamp: optional('timestamp', integer),
    duration: optional('duration', integer),
    localEndpoint: optional('localEndpoint', endpoint),
    remoteEndpoint: optional('remoteEndpoint', endpoint),
    annotations: optional('annotations', annotations),
    tags: optional('tags', tagsFrom),
    debug: optional('debug', boolean),
    shared: optional('shared', boolean),
  })
}

function kind(value: unknown, path: string): Kind {
  const name = string(value, path) as Kind
  if (!KINDS.includes(name)) throw new RangeError(`No enum constant zipkin2.Span.Kind.${name}`)
  return name
}

function endpoint(value: unknown, path: string): Endpoint {
  const { serviceName, ipv4, ipv6, port } = object(value, path)
  const made: Endpoint = {}
  if (serviceName != null) made.serviceName = string(serviceName, `${path}.serviceName`)
  // by what it is, not by the key it came under; what is no address is left out
  for (const [key, address] of Object.entries({ ipv4, ipv6 })) {
    if (address != null) Object.assign(made, ipOf(string(address, `${path}.${key}`)))
  }
  if (port != null) made.port = integer(port, `${path}.port`)
  checkPort(made.port)
  return made
}

function annotations(value: unknown, path: string): Annotation[] {
  return list(value, path).map((one, i) => {
    const given = object(one, `${path}[${i}]`)
    const timestamp = given.timestamp == null ? 0 : integer(given.timestamp, `${path}[${i}].timestamp`)
    if (timestamp === 0 || given.value == null) throw new RangeError(`Incomplete annotation at ${path}[${i}]`)
    return { timestamp, value: string(given.value, `${path}[${i}].value`) }
  })
}

function tagsFrom(value: unknown, path: string): Record<string, string> {
  const tags: Record<string, string> = {}
  for (const [key, text] of Object.entries(object(value, path))) {
    if (text === null) throw new RangeError(`No value at ${path}.${key}`)
    setTag(tags, key, string(text, `${path}.${key}`))
  }
  return tags
}

function string(value: unknown, path: string): string {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' ? value : wrong('a string', value, path)
}

function integer(value: unknown, path: string): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  if (Number.isSafeInteger(number)) return number as number
  if (typeof value === 'string') throw new RangeError(`For input string: "${value}"`)
  return wrong('a long', value, path)
}

function boolean(value: unknown, path: string): boolean {
  return typeof value === 'boolean' ? value : wrong('a boolean', value, path)
}

function object(value: unknown, path: string): Json {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as Json) : wrong('an object', value, path)
}

function list(value: unknown, path: string): unknown[] {
  return Array.isArray(value) ? value : wrong('an array', value, path)
}

function wrong(expected: string, value: unknown, path: string): never {
  const was = value === null ? 'NULL' : Array.isArray(value) ? 'BEGIN_ARRAY' : (typeof value).toUpperCase()
  throw new RangeError(`Expected ${expected} but was ${was} at path ${path}`)
}
