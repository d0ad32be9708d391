// relay/src/pipeline/store/body.ts: a span as JSON, the same bytes as of JSON.stringify(), at once where DuckDB takes them from.
// batch.ts asks for each span that is stored. A string put together of fifty would have to be flattened and encoded after.

import type { Endpoint, Span } from '../../spans/span.js'

/** Room for what is not a text of the span's own, between two of those. */
const SLACK = 256

let bytes = Buffer.allocUnsafeSlow(4096)
let at = 0

/** Lent until the next call. */
export function bodyOf(span: Span): Uint8Array {
  const { kind, name, timestamp, duration, localEndpoint, remoteEndpoint, annotations, tags } = span
  at = 0
  plain('{"traceId":"')
  plain(span.traceId)
  plain('","id":"')
  plain(span.id)
  if (span.parentId !== undefined) {
    plain('","parentId":"')
    plain(span.parentId)
  }
  plain('"')
  if (kind !== undefined) {
    plain(',"kind":"')
    plain(kind)
    plain('"')
  }
  if (name !== undefined) {
    plain(',"name":')
    quoted(name)
  }
  if (timestamp !== undefined) {
    plain(',"timestamp":')
    plain(`${timestamp}`)
  }
  if (duration !== undefined) {
    plain(',"duration":')
    plain(`${duration}`)
  }
  if (localEndpoint !== undefined) {
    plain(',"localEndpoint":')
    encoded(endpoint(localEndpoint))
  }
  if (remoteEndpoint !== undefined) {
    plain(',"remoteEndpoint":')
    encoded(endpoint(remoteEndpoint))
  }
  if (annotations !== undefined) {
    plain(',"annotations":[')
    for (let i = 0; i < annotations.length; i++) {
      plain(i === 0 ? '{"timestamp":' : ',{"timestamp":')
      plain(`${annotations[i]!.timestamp}`)
      plain(',"value":')
      quoted(annotations[i]!.value)
      plain('}')
    }
    plain(']')
  }
  if (tags !== undefined) {
    plain(',"tags":{')
    let count = 0
    for (const key in tags) {
      if (count++ > 0) plain(',')
      quoted(key)
      plain(':')
      quoted(tags[key]!)
    }
    plain('}')
  }
  if (span.debug) plain(',"debug":true')
  if (span.shared) plain(',"shared":true')
  plain('}')
  return bytes.subarray(0, at)
}

/** A process's own is the same for all its spans. */
let last: Endpoint | undefined
let lastText = ''

function endpoint(given: Endpoint): string {
  if (given === last) return lastText
  last = given
  lastText = JSON.stringify(given)
  return lastText
}

/** Short and ASCII. */
function plain(text: string): void {
  const to = bytes // and not the variables of the module: those are loaded and stored a byte
  const from = at
  for (let i = 0; i < text.length; i++) to[from + i] = text.charCodeAt(i)
  at = from + text.length
}

function quoted(text: string): void {
  room(text.length + 2)
  const to = bytes
  const from = at + 1
  to[at] = QUOTE
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code >= 0x80 || code === QUOTE || code === BACKSLASH) {
      encoded(JSON.stringify(text))
      return
    }
    to[from + i] = code
  }
  to[from + text.length] = QUOTE
  at = from + text.length + 1
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

function encoded(text: string): void {
  room(text.length * 3)
  at += bytes.write(text, at)
}

/** For so many bytes, and SLACK. */
function room(count: number): void {
  if (at + count + SLACK <= bytes.length) return
  const larger = Buffer.allocUnsafeSlow(2 * (at + count + SLACK))
  bytes.copy(larger, 0, 0, at)
  bytes = larger
}
