// relay/src/spans/assembly/group.ts: what is known of one span id in one process, and the span or spans that it comes to.
// The assembler owns one for each open span; it keeps of each event what the span will need.
// Only a server that shares the id of a client in its own process makes two spans of one id: they are told apart by
// their begins, and what lies between the server's begin and end is its.

import { ipOf } from '../address.js'
import {
  type Annotation,
  type Endpoint,
  HOST_TAG,
  type Kind,
  makeEndpoint,
  makeSpan,
  type Span,
  setTag,
} from '../span.js'
import { DEBUG, SHARED } from './contract.js'
import type { Counts } from './counts.js'
import type { Begin, Remote, SpanRecord } from './records.js'

const KIND: Record<string, Kind> = {
  client: 'CLIENT',
  server: 'SERVER',
  producer: 'PRODUCER',
  consumer: 'CONSUMER',
}

type FactPart = SpanRecord['event' | 'time' | 'key' | 'value']

/** Facts lie flat in one array, since an object for each would be half of what a relay holds: event, time, key, value. */
const PARTS = 4

/** A longer list of facts is not kept for the next. */
const MOST_KEPT = 32 * PARTS

export class Group {
  source!: Source
  /** Of its process and ids: where groups.ts has it. */
  hash = 0
  traceLow = 0
  traceLowHigh = 0
  spanLow = 0
  spanHigh = 0
  state: 'open' | 'ended' | 'done' = 'open'
  plain: Begin | undefined
  shared: Begin | undefined
  /** How many came, and when they were, as they came: two only where two spans have this id. */
  ends = 0
  end = Number.NaN
  secondEnd = Number.NaN
  /** Names, annotations, tags and remotes, as they came; used again. */
  #facts: FactPart[] = []
  #parts = 0
  /** Facts that are no events of their own: they stood in a begin's or an end's record. */
  #inRecords = 0
  bytes = 0
  /** When it will have waited long enough, by the clock of whoever asks. */
  due = 0
  /** Of one that is done. */
  hadBegin = false
  hadEnd = false
  /** The next of its chain, and those beside it among the open ones. */
  next: Group | undefined
  older: Group | undefined
  newer: Group | undefined

  /** Of other ids than before. */
  begin(source: Source, hash: number, { traceLow, traceLowHigh, spanLow, spanHigh }: SpanRecord): void {
    this.source = source
    this.hash = hash
    this.traceLow = traceLow
    this.traceLowHigh = traceLowHigh
    this.spanLow = spanLow
    this.spanHigh = spanHigh
    this.state = 'open'
    this.end = this.secondEnd = Number.NaN
    this.hadBegin = this.hadEnd = false
  }

  isOf(process: Process, { traceLow, traceLowHigh, spanLow, spanHigh }: SpanRecord): boolean {
    return (
      this.spanLow === spanLow &&
      this.spanHigh === spanHigh &&
      this.traceLow === traceLow &&
      this.traceLowHigh === traceLowHigh &&
      this.source.process === process
    )
  }

  get facts(): number {
    return this.#parts / PARTS
  }

  get events(): number {
    return this.#begins + this.ends + this.facts - this.#inRecords
  }

  get isWhole(): boolean {
    return this.#begins > 0 && this.ends >= this.#begins
  }

  addFact({ event, time, key, value }: SpanRecord): void {
    this.#add(event, time, key, value)
  }

  addTag(time: number, key: string, value: string | number): void {
    this.#add('span_tag', time, key, value)
    this.#inRecords++
  }

  #add(event: FactPart, time: number, key: string, value: FactPart): void {
    const facts = this.#facts
    const at = this.#parts
    facts[at] = event
    facts[at + 1] = time
    facts[at + 2] = key
    facts[at + 3] = value
    this.#parts = at + PARTS
  }

  /** False where both are there. */
  addEnd(time: number): boolean {
    if (this.ends === 2) return false
    if (this.ends++ === 0) this.end = time
    else this.secondEnd = time
    return true
  }

  /** Empties the group into `spans`. `why` is for those that have no end. */
  finish(spans: Span[], counts: Counts, why: string): void {
    const { plain, shared, events } = this
    this.hadBegin = this.#begins > 0
    this.hadEnd = this.ends > 0
    const spare = this.hadBegin ? Math.max(0, this.ends - this.#begins) : 0
    counts.held -= events
    counts.duplicates += spare
    if (this.hadBegin) counts.inSpans += events - spare
    else counts.orphaned += events
    if (plain && shared) {
      let { end: inner, secondEnd: outer } = this
      if (inner > outer) [inner, outer] = [outer, inner]
      if (inner < shared.time) [inner, outer] = [outer, inner] // the client did not wait for its server
      const until = Number.isNaN(inner) ? Infinity : inner
      const isInside = (time: number) => time >= shared.time && time <= until
      spans.push(this.#span(counts, why, plain, outer, (time) => !isInside(time)))
      spans.push(this.#span(counts, why, shared, inner, isInside))
    } else {
      const begin = plain ?? shared
      if (begin) spans.push(this.#span(counts, why, begin, this.end))
    }
    this.plain = this.shared = undefined
    this.ends = 0
    this.#inRecords = 0
    if (this.#facts.length > MOST_KEPT) this.#facts = []
    else this.#facts.fill(undefined as never, 0, this.#parts) // so that nothing is kept that they point at
    this.#parts = 0
    this.bytes = 0
  }

  get #begins(): number {
    return (this.plain ? 1 : 0) + (this.shared ? 1 : 0)
  }

  /** Of the facts whose time is a wanted one. */
  #span(counts: Counts, why: string, begin: Begin, end: number, wants?: (time: number) => boolean): Span {
    const { time: begun, shift, parentLow, parentHigh, kind, flags, probability } = begin
    let { name } = begin
    let named = begun
    const parentId = (parentLow | parentHigh) === 0 ? undefined : hex(parentHigh, parentLow)
    const low = hex(this.traceLowHigh, this.traceLow)
    const isShort = (begin.traceHighLow | begin.traceHighHigh) === 0
    let annotations: Annotation[] | undefined
    const tags: Record<string, string> = {}
    let remoteEndpoint: Endpoint | undefined
    const facts = this.#facts
    for (let i = 0; i < this.#parts; i += PARTS) {
      const time = facts[i + 1] as number
      if (wants && !wants(time)) continue
      const value = facts[i + 3]
      if (facts[i] === 'span_annotation') {
        annotations ??= []
        annotations.push({ timestamp: Math.floor(time + shift), value: value as string })
      } else if (facts[i] === 'span_name') {
        if (time >= named) name = value as string // a thread that changes its CPU may be read out of order
        named = Math.max(named, time)
      } else if (facts[i] === 'span_remote') {
        remoteEndpoint = endpointOf(value as Remote, tags)
      } else {
        setTag(tags, facts[i + 2] as string, String(value))
      }
    }
    counts.spans++
    let duration: number | undefined
    if (Number.isNaN(end)) {
      counts.incomplete++
      tags['blkin.incomplete'] = why
    } else {
      const took = end - begun
      if (took < 0) counts.backwards++
      duration = Math.max(1, Math.round(took))
    }
    if (parentId === undefined && probability > 0 && probability < 1) {
      tags['blkin.probability'] = String(Number(probability.toPrecision(6)))
    }
    if (this.source.host !== '' && (kind === 'client' || kind === 'server')) tags[HOST_TAG] = this.source.host
    return makeSpan(
      {
        traceId: isShort ? low : hex(begin.traceHighHigh, begin.traceHighLow) + low,
        parentId,
        id: hex(this.spanHigh, this.spanLow),
        kind: KIND[kind as string],
        name,
        timestamp: Math.floor(begun + shift),
        duration,
        remoteEndpoint,
        annotations,
        tags,
        debug: (flags & DEBUG) !== 0,
        shared: (flags & SHARED) !== 0,
      },
      this.source.endpoint,
    )
  }
}

/** The spans of one traced process, whichever of its sessions told of them. */
export interface Process {
  readonly key: string
  /** Another than that of any other. */
  readonly number: number
  /** How many of its sessions are known. */
  sources: number
}

/** One session of a traced process, over all its connections. A span is of the session that told of it first. */
export class Source {
  readonly endpoint: Endpoint | undefined
  /** How many of its process's groups are its own. */
  groups = 0
  /** How many recordings feed it now. */
  open = 0
  /** When the last of them went. */
  gone = 0
  /** What was open then has been handed on. */
  swept = false

  constructor(
    readonly process: Process,
    service: string,
    /** What tells its host from others; empty where nobody knows. */
    readonly host: string,
  ) {
    this.endpoint = makeEndpoint({ serviceName: service })
  }
}

/** An address that is no IP address goes into a tag, since an endpoint has no place for it. */
function endpointOf({ service, address, port }: Remote, tags: Record<string, string>): Endpoint {
  const ip = ipOf(address)
  if (ip === undefined && address !== '') tags['peer.address'] = address
  return { serviceName: service, ...ip, port }
}

/** Two digits of each byte. */
const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

const hex = (high: number, low: number): string => eight(high) + eight(low)

const eight = (word: number): string =>
  DIGITS[word >>> 24]! + DIGITS[(word >>> 16) & 255]! + DIGITS[(word >>> 8) & 255]! + DIGITS[word & 255]!
