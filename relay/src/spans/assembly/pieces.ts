// relay/src/spans/assembly/pieces.ts: spans of Zipkin's first format that come in pieces, put together: BlkKin's clients log one annotation a
// message, its begin and its end among them. the pipeline feeds and empties it. A message that tells a whole span goes on at once; a piece
// waits until its span is whole and no more of it comes, or until nothing came of it for long. What comes later still is a
// span's piece in the store, which readers join (merge.ts). It holds a bounded amount, of all and of one span, and no clock: who
// calls says what time it is. It runs in a timer: no foreign span, however large, makes it throw.

import { Queue } from '../../common/queue.js'
import type { V1Span } from '../formats/v1-span.js'
import { spansFromV1 } from '../formats/v1-to-v2.js'
import { type Endpoint, lowTraceId, type Span } from '../span.js'

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
  bytesOfOne: number
}

export const PIECE_LIMITS: PieceLimits = {
  ...{ quietMs: 500, missingMs: 10_000 },
  ...{ pieces: 400_000, ofOne: 10_000 },
  ...{ bytes: 256 * 2 ** 20, bytesOfOne: 2 ** 20 },
}

/** What these take beside their texts, about: a piece, an annotation or tag, a host. */
const PIECE_BYTES = 500
const ANNOTATION_BYTES = 100
const HOST_BYTES = 100

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
      if (isWhole(span)) append(out, spansFromV1(span))
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
      const wait = isMissing(one.span) ? this.#limits.missingMs : this.#limits.quietMs
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
    if (known === undefined) {
      const made = { key, span: piece, pieces: 1, bytes, last: now, look: 0 }
      this.#growing.set(key, made)
      this.#lookLater(made, now)
    } else {
      join(known.span, piece)
      known.pieces++
      known.bytes += bytes
      known.last = now
    }
    this.held++
    this.#bytes += bytes
    const one = known ?? this.#growing.get(key)!
    if (one.pieces >= this.#limits.ofOne || one.bytes >= this.#limits.bytesOfOne) this.#end(one, out)
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
    append(out, spansFromV1(one.span))
  }

  #isTooMuch(): boolean {
    return this.held > this.#limits.pieces || this.#bytes > this.#limits.bytes
  }
}

/** Nothing of it is to come: it tells how long it took, or all that begins in it ends. */
function isWhole(span: V1Span): boolean {
  if (span.timestamp !== 0 && span.duration !== 0) return true
  const has = coresOf(span)
  return has.size > 0 && pairs.every(([begin, end]) => has.has(begin) === has.has(end))
}

/** A begin or an end has yet to come, or both. Who sends a message, or gets one, need not say when the wire had it. */
function isMissing(span: V1Span): boolean {
  if (isWhole(span)) return false
  const has = coresOf(span)
  const lacks = (one: string, other: string) => has.has(one) && !has.has(other)
  const isOneWay = has.has('ms') || has.has('mr')
  const isCallOpen = lacks('cs', 'cr') || lacks('cr', 'cs') || lacks('sr', 'ss') || lacks('ss', 'sr')
  return !isOneWay || isCallOpen || lacks('ws', 'ms') || lacks('wr', 'mr')
}

const pairs = [
  ...[['cs', 'cr'] as const, ['sr', 'ss'] as const],
  ...[['ms', 'ws'] as const, ['wr', 'mr'] as const],
]
const cores = new Set<string>(pairs.flat())

function coresOf({ annotations }: V1Span): Set<string> {
  const has = new Set<string>()
  for (const { value, host } of annotations) if (host !== undefined && cores.has(value)) has.add(value)
  return has
}

function join(span: V1Span, piece: V1Span): void {
  if (piece.traceId.length > span.traceId.length) span.traceId = piece.traceId
  span.parentId ??= piece.parentId
  if (span.name === '' || span.name === 'unknown') span.name = piece.name || span.name
  span.debug ||= piece.debug
  span.timestamp ||= piece.timestamp
  span.duration ||= piece.duration
  append(span.annotations, piece.annotations)
  append(span.tags, piece.tags)
  Object.assign(span.peers, piece.peers)
}

/** Not spread as arguments, of which the stack has room for so many only. */
function append<Item>(all: Item[], more: readonly Item[]): void {
  for (const one of more) all.push(one)
}

function bytesOf({ name, annotations, tags, peers }: V1Span): number {
  let bytes = PIECE_BYTES + name.length
  for (const { value, host } of annotations) bytes += ANNOTATION_BYTES + value.length + hostBytes(host)
  for (const { key, value, host } of tags)
    bytes += ANNOTATION_BYTES + key.length + value.length + hostBytes(host)
  for (const peer of Object.values(peers)) bytes += hostBytes(peer)
  return bytes
}

function hostBytes(host: Endpoint | undefined): number {
  return host === undefined ? 0 : HOST_BYTES + (host.serviceName?.length ?? 0)
}
