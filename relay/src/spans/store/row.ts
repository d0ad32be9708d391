// relay/src/spans/store/row.ts: a span as a row: columns to search by, and its JSON, which is what answers are made of.
// The store writes rows, search.ts makes conditions of the same columns. Pure.

import { compare, type Span } from '../span.js'

export const COLUMNS = [
  ['trace_high', 'UBIGINT'],
  ['trace_low', 'UBIGINT'],
  ['ts', 'BIGINT'],
  ['duration', 'BIGINT'],
  ['service', 'VARCHAR'],
  ['remote', 'VARCHAR'],
  ['name', 'VARCHAR'],
  // of the three names: comparing strings takes ten times as long as comparing numbers
  ['service_hash', 'UINTEGER'],
  ['remote_hash', 'UINTEGER'],
  ['name_hash', 'UINTEGER'],
  ['terms', 'UBIGINT'],
  ['body', 'VARCHAR'],
] as const

export interface Row {
  trace_high: bigint
  trace_low: bigint
  /** Microseconds; 0 where the span has none, and then no search finds it. */
  ts: bigint
  duration: bigint
  service: string
  remote: string
  name: string
  service_hash: number
  remote_hash: number
  name_hash: number
  /** Bits of its tags and annotations: a span that has a term has all the term's bits. */
  terms: bigint
  body: string
}

export function rowOf(span: Span): Row {
  const { traceId, timestamp = 0, duration = 0, localEndpoint, remoteEndpoint, name = '' } = span
  const { serviceName: service = '' } = localEndpoint ?? {}
  const { serviceName: remote = '' } = remoteEndpoint ?? {}
  return {
    ...traceKey(traceId),
    ts: BigInt(timestamp),
    duration: BigInt(duration),
    ...{ service, remote, name },
    service_hash: hashOf(service),
    remote_hash: hashOf(remote),
    name_hash: hashOf(name),
    terms: termsOf(span),
    body: JSON.stringify(span),
  }
}

export function traceKey(traceId: string): { trace_high: bigint; trace_low: bigint } {
  const high = traceId.length > 16 ? BigInt(`0x${traceId.slice(0, -16)}`) : 0n
  return { trace_high: high, trace_low: BigInt(`0x${traceId.slice(-16)}`) }
}

/** The bits of a tag's key or an annotation's text (value ''), or of a key with its value. */
export function termBits(key: string, value: string): bigint {
  const [low, high] = bitsOf(value === '' ? key : `${key}\0${value}`)
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}

function termsOf({ tags, annotations }: Span): bigint {
  let low = 0
  let high = 0
  const add = (text: string): void => {
    const [l, h] = bitsOf(text)
    low |= l
    high |= h
  }
  for (const key in tags) {
    add(key)
    add(`${key}\0${tags[key]}`)
  }
  for (const { value } of annotations ?? []) add(value)
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}

/** Three of 64. */
function bitsOf(text: string): [low: number, high: number] {
  const hash = hashOf(text)
  let low = 0
  let high = 0
  for (let shift = 0; shift < 18; shift += 6) {
    const bit = (hash >>> shift) & 63
    if (bit < 32) low |= 1 << bit
    else high |= 1 << (bit - 32)
  }
  return [low, high]
}

/** FNV-1a, its upper half folded into the lower, which it mixes better. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}

/** The order in which Zipkin tells traces: the newest first. */
export const newestFirst = (a: Span[], b: Span[]): number =>
  newest(b) - newest(a) || compare(b[0]!.traceId.slice(-16), a[0]!.traceId.slice(-16))

const newest = (trace: Span[]): number =>
  trace.reduce((latest, { timestamp = 0 }) => Math.max(latest, Math.floor(timestamp / 1000)), 0)
