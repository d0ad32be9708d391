// relay/src/spans/group.ts: what is known of one span id in one process, and the span or spans that it comes to.
// The assembler owns one for each open span; it keeps the events themselves, since copies would cost more than the rest.
// Only a server that shares the id of a client in its own process makes two spans of one id: they are told apart by
// their begins, and what lies between the server's begin and end is its.

import { ipOf } from './address.js'
import { DEBUG, SHARED } from './contract.js'
import type { Counts } from './counts.js'
import type { Begin, Remote, SpanRecord, Words } from './records.js'
import {
  type Annotation,
  type Endpoint,
  HOST_TAG,
  type Kind,
  makeEndpoint,
  makeSpan,
  type Span,
  setTag,
} from './span.js'

const KIND: Record<string, Kind> = {
  client: 'CLIENT',
  server: 'SERVER',
  producer: 'PRODUCER',
  consumer: 'CONSUMER',
}

const NONE: SpanRecord[] = []

export class Group {
  readonly traceLow: number
  readonly traceLowHigh: number
  readonly spanLow: number
  readonly spanHigh: number
  state: 'open' | 'ended' | 'done' = 'open'
  plain: SpanRecord | undefined
  shared: SpanRecord | undefined
  /** As they came: the second is there only where two spans have this id. */
  end: SpanRecord | undefined
  secondEnd: SpanRecord | undefined
  /** Annotations, tags and remotes, as they came. */
  facts = NONE
  bytes = 0
  /** When it will have waited long enough, by the clock of whoever asks. */
  due = 0
  /** Of one that is done. */
  hadBegin = false
  hadEnd = false
  /** Another span of the same key, in the same process. */
  next: Group | undefined

  constructor(
    readonly source: Source,
    readonly key: number,
    { traceLow, traceLowHigh, spanLow, spanHigh }: SpanRecord,
  ) {
    this.traceLow = traceLow
    this.traceLowHigh = traceLowHigh
    this.spanLow = spanLow
    this.spanHigh = spanHigh
  }

  isOf({ traceLow, traceLowHigh, spanLow, spanHigh }: SpanRecord): boolean {
    return (
      this.spanLow === spanLow &&
      this.spanHigh === spanHigh &&
      this.traceLow === traceLow &&
      this.traceLowHigh === traceLowHigh
    )
  }

  get events(): number {
    return this.#begins + this.#ends + this.facts.length
  }

  get isWhole(): boolean {
    return this.#begins > 0 && this.#ends >= this.#begins
  }

  add(fact: SpanRecord): void {
    if (this.facts === NONE) this.facts = [fact]
    else this.facts.push(fact)
  }

  /** Empties the group into `spans`. `why` is for those that have no end. */
  finish(spans: Span[], counts: Counts, why: string): void {
    const { plain, shared, facts } = this
    this.hadBegin = this.#begins > 0
    this.hadEnd = this.#ends > 0
    const spare = this.hadBegin ? Math.max(0, this.#ends - this.#begins) : 0
    counts.held -= this.events
    counts.duplicates += spare
    if (this.hadBegin) counts.inSpans += this.events - spare
    else counts.orphaned += this.events
    if (plain && shared) {
      let { end: inner, secondEnd: outer } = this
      if (inner && outer && timeOf(inner) > timeOf(outer)) [inner, outer] = [outer, inner]
      const from = timeOf(shared)
      const until = inner ? timeOf(inner) : Infinity
      const isInside = (fact: SpanRecord) => timeOf(fact) >= from && timeOf(fact) <= until
      const outside = facts.filter((fact) => !isInside(fact))
      spans.push(this.#span(counts, why, plain, outer, outside))
      spans.push(this.#span(counts, why, shared, inner, facts.filter(isInside)))
    } else {
      const begin = plain ?? shared
      if (begin) spans.push(this.#span(counts, why, begin, this.end, facts))
    }
    this.plain = this.shared = this.end = this.secondEnd = undefined
    this.facts = NONE
    this.bytes = 0
  }

  get #begins(): number {
    return (this.plain ? 1 : 0) + (this.shared ? 1 : 0)
  }

  get #ends(): number {
    return (this.end ? 1 : 0) + (this.secondEnd ? 1 : 0)
  }

  #span(
    counts: Counts,
    why: string,
    begin: SpanRecord,
    end: SpanRecord | undefined,
    facts: SpanRecord[],
  ): Span {
    const { traceHigh, parent, kind, flags, probability, name } = begin.value as Begin
    const parentId = isZero(parent) ? undefined : hex(parent.high, parent.low)
    const low = hex(this.traceLowHigh, this.traceLow)
    const begun = timeOf(begin)
    let annotations: Annotation[] | undefined
    const tags: Record<string, string> = {}
    let remoteEndpoint: Endpoint | undefined
    for (const fact of facts) {
      const { event, key, value } = fact
      if (event === 'span_annotation') {
        annotations ??= []
        annotations.push({ timestamp: Math.floor(timeOf(fact)), value: value as string })
      } else if (event === 'span_remote') {
        remoteEndpoint = endpointOf(value as Remote, tags)
      } else {
        setTag(tags, key, String(value))
      }
    }
    counts.spans++
    let duration: number | undefined
    if (end === undefined) {
      counts.incomplete++
      tags['blkin.incomplete'] = why
    } else {
      const took = timeOf(end) - begun
      if (took < 0) counts.backwards++
      duration = Math.max(1, Math.round(took))
    }
    if (parentId === undefined && probability > 0 && probability < 1) {
      tags['blkin.probability'] = String(Number(probability.toPrecision(6)))
    }
    if (this.source.host !== '' && (kind === 'client' || kind === 'server')) tags[HOST_TAG] = this.source.host
    return makeSpan(
      {
        traceId: isZero(traceHigh) ? low : hex(traceHigh.high, traceHigh.low) + low,
        parentId,
        id: hex(this.spanHigh, this.spanLow),
        kind: KIND[kind as string],
        name,
        timestamp: Math.floor(begun),
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

/** One traced process: its sessions and connections are one source, so what two of them bring is told once. */
export class Source {
  readonly groups = new Map<number, Group>()
  readonly endpoint: Endpoint | undefined
  /** How many recordings feed it now. */
  open = 0
  /** When the last of them went. */
  gone = 0
  /** What was open then has been handed on. */
  swept = false

  constructor(
    readonly key: string,
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

/** In microseconds since the epoch, to a quarter of one. */
const timeOf = ({ seconds, nanoseconds }: SpanRecord): number => seconds * 1e6 + nanoseconds / 1e3

const isZero = ({ high, low }: Words): boolean => (high | low) === 0

const scratch = Buffer.alloc(8)

function hex(high: number, low: number): string {
  scratch.writeInt32BE(high, 0)
  scratch.writeInt32BE(low, 4)
  return scratch.toString('hex')
}
