// relay/src/spans/formats/posted-json.ts: a list of spans that was posted as JSON, in either of Zipkin's formats: told apart, and parsed
// with bounds. from-json.ts and from-v1-json.ts read the spans. Pure.

import type { Span } from '../span.js'
import { TooMuch } from './amount.js'
import { parseJson } from './json-text.js'
import { list } from './json-values.js'

/** A key that spans of a format have, and those of the other do not. */
const OWN_KEYS = {
  JSON_V1: ['binaryAnnotations'],
  JSON_V2: ['localEndpoint', 'remoteEndpoint', 'tags'],
}

/** @throws RangeError in Zipkin's words, TooMuch among them */
export function readPosted(
  bytes: Buffer,
  format: keyof typeof OWN_KEYS,
  read: (spans: unknown[]) => Span[],
): Span[] {
  if (bytes.length === 0) return []
  if (!isList(bytes)) throw new RangeError(`Expected a ${format} encoded list`)
  const spans = reading(() => list(parseJson(bytes), '$'))
  const other = format === 'JSON_V1' ? 'JSON_V2' : 'JSON_V1'
  if (spans.some((span) => OWN_KEYS[other].some((key) => isObject(span) && key in span))) {
    throw new RangeError(`Expected a ${format} encoded list, but received: ${other}`)
  }
  return reading(() => read(spans))
}

function isList(bytes: Buffer): boolean {
  const first = bytes.find((byte) => !(byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)))
  return first === 0x5b
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

function reading<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof TooMuch) throw error
    throw new RangeError(`${(error as Error).message} reading List<Span> from json`)
  }
}
