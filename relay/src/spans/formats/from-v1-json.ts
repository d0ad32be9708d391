// relay/src/spans/formats/from-v1-json.ts: JSON of Zipkin's first format to spans, each checked at the door: what zipkin-js posts where it
// is told nothing else. What its parts mean is in v1-to-v2.ts. Pure.

import { type Endpoint, makeEndpoint, type Span } from '../span.js'
import {
  annotation,
  boolean,
  endpoint,
  type Json,
  list,
  long,
  object,
  partsOf,
  string,
} from './json-values.js'
import { readPosted } from './posted-json.js'
import { addText, checkV1, hexOf, isPeer, type V1Span, v1Id, v1TraceId } from './v1-span.js'
import { spansFromV1List } from './v1-to-v2.js'

/** @throws RangeError saying what is wrong with the first that is wrong; then none is taken */
export const spansFromV1Json = (bytes: Buffer): Span[] =>
  readPosted(bytes, 'JSON_V1', (given) =>
    spansFromV1List(given.map((one, i) => v1From(object(one, `$[${i}]`), `$[${i}]`))),
  )

function v1From(given: Json, path: string): V1Span {
  const part = partsOf(given, path)
  const span: V1Span = {
    traceId: v1TraceId(...halvesOf(part('traceId', string))),
    id: v1Id(halvesOf(part('id', string))[1]),
    parentId: hexOf(halvesOf(part('parentId', string))[1]),
    name: part('name', string) ?? '',
    debug: part('debug', boolean) ?? false,
    timestamp: part('timestamp', long) ?? 0,
    duration: part('duration', long) ?? 0,
    annotations: [],
    tags: [],
    peers: {},
  }
  for (const [one, at] of each(given, path, 'annotations'))
    span.annotations.push({ ...annotation(one, at), host: hostOf(one, at) })
  for (const [one, at] of each(given, path, 'binaryAnnotations')) addBinary(span, one, at)
  checkV1(span)
  return span
}

function each(given: Json, path: string, key: string): [item: Json, path: string][] {
  const items = partsOf(given, path)(key, list) ?? []
  return items.map((one, i) => [object(one, `${path}.${key}[${i}]`), `${path}.${key}[${i}]`])
}

const hostOf = (given: Json, path: string): Endpoint | undefined =>
  makeEndpoint(partsOf(given, path)('endpoint', endpoint))

/** Numbers and booleans become text, as those that Scribe brings do; of anything else no tag can be made. */
function addBinary(span: V1Span, given: Json, path: string): void {
  const { value } = given
  const key = partsOf(given, path)('key', string)
  if (key === undefined) throw new RangeError(`No key at ${path}`)
  const host = hostOf(given, path)
  const isBoolean = typeof value === 'boolean'
  if (isBoolean && isPeer(key)) {
    if (value && host) span.peers[key] = host
  } else if (isBoolean || typeof value === 'string' || typeof value === 'number') {
    addText(span, key, String(value), host)
  }
}

/** Of up to 32 hex digits; of an id of 64 bits only the lower half counts. */
function halvesOf(id = '0'): [high: bigint, low: bigint] {
  if (!/^[0-9a-f]{1,32}$/.test(id)) {
    throw new RangeError(`${id} should be a 1 to 32 character lower-hex string with no prefix`)
  }
  const full = id.padStart(32, '0')
  return [BigInt(`0x${full.slice(0, 16)}`), BigInt(`0x${full.slice(16)}`)]
}
