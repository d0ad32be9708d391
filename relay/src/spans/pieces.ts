// relay/src/spans/pieces.ts: spans of Zipkin's first format that come in pieces, put together: BlkKin's clients log one annotation a
// message, its begin and its end among them. tracing.ts feeds and empties it. A message that tells a whole span goes on at once; a piece
// waits until its span is whole and no more of it comes, or until nothing came of it for long. What comes later still is a
// span's piece in the store, which readers join (merge.ts). It holds a bounded amount, and no clock: who calls says what time it is.

import type { V1Span } from './from-v1.js'
import { Queue } from './queue.js'
import { lowTraceId, type Span } from './span.js'
import { spansFromV1 } from './v1-to-v2.js'

export interface PieceLimits {
  /** How long nothing more must have come: as long at least, and not twice as long. */
  quietMs: number
  /** The same where its begin or its end is missing. */
  missingMs: number
  /** Pieces that wait, of all spans and of one. */
  pieces: number
  ofOne: number
  /** What they take, about. */
  bytes: number
}

export const PIECE_LIMITS: PieceLimits = {
  ...{ quietMs: 500, missingMs: 10_000 },
  ...{ pieces: 400_000, ofOne: 10_000, bytes: 256 * 2 ** 20 },
}

/** What a piece takes beside its texts, about. */
const PIECE_BYTES = 500

interface Growing {
  key: string
  span: V1Span
  pieces: number
  bytes: number
  /** When its last piece came. */
  last: number
  /** When it is looked at next. */
  look: number
}

export class Pieces {
  /** Those that wait. */
  held = 0
  #bytes = 0
  readonly #limits: PieceLimits
  readonly #growing = new Map<string, Growing>()
  /** The same, and some that went before their time; the one to be looked at first comes first. */
  readonly #queue = new Queue<Growing>()

  constructor(limits: Partial<PieceLimits> = {}) {
    this.#limits = { ...PIECE_LIMITS, ...limits }
  }

  /** @returns what need not wait */
  add(spans: readonly V1Span[], now: number): Span[] {
    const out: Span[] = []
    for (const span of spans) {
      if (isWhole(span)) out.push(...spansFromV1(span))
      else this.#grow(span, now, out)
    }
    for (let first = this.#queue.first; first && this.#isTooMuch(); first = this.#queue.first) {
      this.#queue.shift()
      this.#end(first, out)
    }
    return out
  }

  /** The spans that are to go on by now. */
  due(now: number): Span[] {
    const out: Span[] = []
    for (let one = this.#queue.first; one && one.look <= now; one = this.#queue.first) {
      this.#queue.shift()
      const wait = isWhole(one.span) ? this.#limits.quietMs : this.#limits.missingMs
      if (one.last + wait <= now) this.#end(one, out)
      else this.#lookLater(one, now)
    }
    return out
  }

  /** All that wait, as they are. */
  finish(): Span[] {
    const out: Span[] = []
    for (const one of [...this.#growing.values()]) this.#end(one, out)
    return out
  }

  #grow(piece: V1Span, now: number, out: Span[]): void {
    const key = lowTraceId(piece.traceId) + piece.id
    const known = this.#growing.get(key)
    const bytes = bytesOf(piece)
    this.held++
    this.#bytes += bytes
    if (known === undefined) {
      const made = { key, span: piece, pieces: 1, bytes, last: now, look: 0 }
      this.#growing.set(key, made)
      this.#lookLater(made, now)
      return
    }
    join(known.span, piece)
    known.pieces++
    known.bytes += bytes
    known.last = now
    if (known.pieces >= this.#limits.ofOne) this.#end(known, out)
  }

  #lookLater(one: Growing, now: number): void {
    one.look = now + this.#limits.quietMs
    this.#queue.push(one)
  }

  /** Does nothing where it went before. */
  #end(one: Growing, out: Span[]): void {
    if (this.#growing.get(one.key) !== one) return
    this.#growing.delete(one.key)
    this.held -= one.pieces
    this.#bytes -= one.bytes
    out.push(...spansFromV1(one.span))
  }

  #isTooMuch(): boolean {
    return this.held > this.#limits.pieces || this.#bytes > this.#limits.bytes
  }
}

/** It tells how long it took. */
function isWhole({ timestamp, duration, annotations }: V1Span): boolean {
  if (timestamp !== 0 && duration !== 0) return true
  const has = (value: string) => annotations.some((one) => one.value === value && one.host !== undefined)
  return (
    (has('cs') && has('cr')) ||
    (has('sr') && has('ss')) ||
    (has('ms') && has('ws')) ||
    (has('wr') && has('mr'))
  )
}

function join(span: V1Span, piece: V1Span): void {
  if (piece.traceId.length > span.traceId.length) span.traceId = piece.traceId
  span.parentId ??= piece.parentId
  if (span.name === '' || span.name === 'unknown') span.name = piece.name || span.name
  span.debug ||= piece.debug
  span.timestamp ||= piece.timestamp
  span.duration ||= piece.duration
  span.annotations.push(...piece.annotations)
  span.tags.push(...piece.tags)
  Object.assign(span.peers, piece.peers)
}

function bytesOf({ annotations, tags }: V1Span): number {
  let bytes = PIECE_BYTES
  for (const { value } of annotations) bytes += value.length
  for (const { key, value } of tags) bytes += key.length + value.length
  return bytes
}
