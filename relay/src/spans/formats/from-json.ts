// relay/src/spans/formats/from-json.ts: JSON to spans, each checked at the door; the words of a refusal are Zipkin's.
// The HTTP API calls it with a body it has already bounded, the command with what a server answered. Pure.

import { fullParentId, fullSpanId, fullTraceId } from '../ids.js'
import { KINDS, type Kind, makeSpan, type Span, sortedTags } from '../span.js'
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

/** @throws RangeError saying what is wrong with the first that is wrong; then none is taken */
export const spansFromJson = (bytes: Buffer): Span[] =>
  readPosted(bytes, 'JSON_V2', (given) => spansFrom(given, '$'))

/** @throws RangeError with the path of what is wrong; `path` is where the list itself stands */
export const spansFrom = (given: unknown, path: string): Span[] =>
  list(given, path).map((one, i) => spanFrom(object(one, `${path}[${i}]`), `${path}[${i}]`))

function spanFrom(given: Json, path: string): Span {
  const missing = ['traceId', 'id'].filter((key) => !(key in given))
  if (missing.length > 0) throw new RangeError(`Missing : ${missing.join(' ')}`)
  const part = partsOf(given, path)
  const parentId = part('parentId', string)
  return makeSpan({
    traceId: fullTraceId(string(given.traceId, `${path}.traceId`)),
    parentId: parentId === undefined ? undefined : fullParentId(parentId),
    id: fullSpanId(string(given.id, `${path}.id`)),
    kind: part('kind', kind),
    name: part('name', string),
    timestamp: part('timestamp', long),
    duration: part('duration', long),
    localEndpoint: part('localEndpoint', endpoint),
    remoteEndpoint: part('remoteEndpoint', endpoint),
    annotations: part('annotations', annotations),
    tags: part('tags', tagsFrom),
    debug: part('debug', boolean),
    shared: part('shared', boolean),
  })
}

function kind(value: unknown, path: string): Kind {
  const name = string(value, path) as Kind
  if (!KINDS.includes(name)) throw new RangeError(`No enum constant zipkin2.Span.Kind.${name}`)
  return name
}

const annotations = (value: unknown, path: string) =>
  list(value, path).map((one, i) => annotation(object(one, `${path}[${i}]`), `${path}[${i}]`))

const tagsFrom = (value: unknown, path: string): Record<string, string> =>
  sortedTags(
    Object.entries(object(value, path)).map(([key, text]) => {
      if (text === null) throw new RangeError(`No value at ${path}.${key}`)
      return [key, string(text, `${path}.${key}`)]
    }),
  )
