// relay/src/pipeline/store/row.ts: a span as a row: columns to search by, and where its JSON is, which answers are made of.
// batch.ts fills rows, search.ts makes conditions of the same columns. Numbers of 64 bits are two of 32 here, the lower
// first, as they lie in memory: bigints would take longer than all the rest.

import { compare, type Span } from '../../spans/span.js'
import type { BlockIndex } from './block-index.js'

export const COLUMNS = [
  ['trace_high', 'UBIGINT'],
  ['trace_low', 'UBIGINT'],
  ['ts', 'BIGINT'],
  ['duration', 'BIGINT'],
  // of names, which stand in a table of their own: comparing strings takes ten times as long as comparing numbers
  ['service_hash', 'UINTEGER'],
  ['remote_hash', 'UINTEGER'],
  ['name_hash', 'UINTEGER'],
  ['keys', 'UBIGINT'],
  ['pairs', 'UBIGINT'],
  ['block', 'UINTEGER'],
  ['place', 'UINTEGER'],
] as const

/** The numbers of the rows of one chunk; their room is used again for the next. */
export class Rows {
  readonly traceHigh: Uint32Array
  readonly traceLow: Uint32Array
  /** Microseconds; 0 where the span has none, and then no search finds it. */
  readonly ts: Uint32Array
  readonly duration: Uint32Array
  readonly hashes: Uint32Array[]
  /** Bits of its tags' keys and its annotations, and of its tags with their values: one that has a term has its bits. */
  readonly keys: Uint32Array
  readonly pairs: Uint32Array
  /** Where its body is. */
  readonly blocks: Uint32Array
  readonly places: Uint32Array

  constructor(most: number) {
    const [pairs, singles] = [() => new Uint32Array(most * 2), () => new Uint32Array(most)]
    this.traceHigh = pairs()
    this.traceLow = pairs()
    this.ts = pairs()
    this.duration = pairs()
    this.hashes = [singles(), singles(), singles()]
    this.keys = pairs()
    this.pairs = pairs()
    this.blocks = singles()
    this.places = singles()
  }

  /** And into the index, which says in which block it is. */
  set(i: number, span: Span, index: BlockIndex): void {
    const { traceId, timestamp = 0, duration = 0 } = span
    const isLong = traceId.length > 16
    setId(this.traceHigh, i, traceId, isLong ? 0 : -1)
    setId(this.traceLow, i, traceId, isLong ? 16 : 0)
    setNumber(this.ts, i, timestamp)
    setNumber(this.duration, i, duration)
    this.hashes[0]![i] = hashOf(span.localEndpoint?.serviceName ?? '')
    this.hashes[1]![i] = hashOf(span.remoteEndpoint?.serviceName ?? '')
    this.hashes[2]![i] = hashOf(span.name ?? '')
    index.next(timestamp)
    this.blocks[i] = index.block
    this.places[i] = index.place
    index.addTrace(this.traceLow[i * 2]!)
    this.#setTerms(i, span, index)
  }

  /** In the order of COLUMNS. */
  get columns(): Uint32Array[] {
    const { traceHigh, traceLow, ts, duration, hashes, keys, pairs, blocks, places } = this
    return [traceHigh, traceLow, ts, duration, ...hashes, keys, pairs, blocks, places]
  }

  #setTerms(i: number, { tags, annotations }: Span, index: BlockIndex): void {
    const { keys, pairs } = this
    keys[i * 2] = keys[i * 2 + 1] = pairs[i * 2] = pairs[i * 2 + 1] = 0
    for (const key in tags) {
      const text = hashed(BASIS, key)
      const one = fold(text)
      setBits(keys, i, one)
      index.addTerm(one)
      const both = fold(hashed(Math.imul(text, PRIME), tags[key]!))
      setBits(pairs, i, both)
      index.addTerm(both)
    }
    if (annotations === undefined) return
    for (const { value } of annotations) {
      const one = hashOf(value)
      setBits(keys, i, one)
      index.addTerm(one)
    }
  }
}

function setId(column: Uint32Array, i: number, id: string, at: number): void {
  column[i * 2] = at < 0 ? 0 : eightDigits(id, at + 8)
  column[i * 2 + 1] = at < 0 ? 0 : eightDigits(id, at)
}

/** Lower-case hex. */
function eightDigits(id: string, at: number): number {
  let value = 0
  for (let i = at; i < at + 8; i++) {
    const code = id.charCodeAt(i)
    value = (value << 4) | (code < 58 ? code - 48 : code - 87)
  }
  return value
}

/** A safe integer; below 0 only where a clock was. */
function setNumber(column: Uint32Array, i: number, value: number): void {
  column[i * 2] = value % 2 ** 32
  column[i * 2 + 1] = Math.floor(value / 2 ** 32)
}

export function traceKey(traceId: string): { trace_high: bigint; trace_low: bigint } {
  const high = traceId.length > 16 ? BigInt(`0x${traceId.slice(0, -16)}`) : 0n
  return { trace_high: high, trace_low: BigInt(`0x${traceId.slice(-16)}`) }
}

/** Of a tag's key or an annotation's text (value ''), or of a key with its value. */
export const termHash = (key: string, value: string): number =>
  value === '' ? hashOf(key) : fold(hashed(hashed(BASIS, key, 0), value))

/** What spans with the term have in `keys`, or, of a key with its value, in `pairs`. */
export function termBits(hash: number): bigint {
  const bits = new Uint32Array(2)
  setBits(bits, 0, hash)
  return (BigInt(bits[1]!) << 32n) | BigInt(bits[0]!)
}

/** Three of 64. */
function setBits(column: Uint32Array, i: number, hash: number): void {
  for (let shift = 0; shift < 18; shift += 6) {
    const bit = (hash >>> shift) & 63
    column[i * 2 + (bit >>> 5)]! |= 1 << (bit & 31)
  }
}

const BASIS = 0x811c9dc5
const PRIME = 0x01000193

/** FNV-1a from there on; `then` is one more code, to go on from. */
function hashed(hash: number, text: string, then?: number): number {
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), PRIME)
  return then === undefined ? hash : Math.imul(hash ^ then, PRIME)
}

/** The upper half into the lower, which FNV-1a mixes better. */
const fold = (hash: number): number => (hash ^ (hash >>> 15)) >>> 0

export const hashOf = (text: string): number => fold(hashed(BASIS, text))

/** The order in which Zipkin tells traces: the newest first. */
export const newestFirst = (a: Span[], b: Span[]): number =>
  newest(b) - newest(a) || compare(b[0]!.traceId.slice(-16), a[0]!.traceId.slice(-16))

const newest = (trace: Span[]): number =>
  trace.reduce((latest, { timestamp = 0 }) => Math.max(latest, Math.floor(timestamp / 1000)), 0)
