// relay/src/spans/group.ts: what is known of one span id in one process, and the span or spans that it comes to.
// The assembler owns one for each open span. Only a server that shares the id of a client in its own process makes
// two spans of one id: they are told apart by their begins, and what lies between the server's begin and end is its.

import { isIP } from 'node:net'
import { DEBUG, SHARED } from './contract.js'
import type { Counts } from './counts.js'
import { type Annotation, type Endpoint, type Kind, makeSpan, type Span } from './span.js'

export interface Begin {
  time: number
  traceHigh: number | bigint
  parent: number | bigint
  kind: Kind | undefined
  flags: number
  probability: number
  name: string
}

export type Fact =
  | { kind: 'annotation'; time: number; value: string }
  | { kind: 'tag'; time: number; key: string; value: string }
  | { kind: 'remote'; time: number; endpoint: Endpoint; address: string | undefined }

export type State = 'open' | 'ended' | 'done'

export class Group {
  state: State = 'open'
  plain: Begin | undefined
  shared: Begin | undefined
  /** Times, as they came. */
  ends: number[] = []
  facts: Fact[] = []
  bytes = 0
  /** When it was handed over to the queue of those that ended, by the clock of whoever asks. */
  due = 0
  /** Of one that is done. */
  hadBegin = false
  hadEnd = false
  /** Another trace's span of the same id, in the same process. */
  next: Group | undefined

  constructor(
    readonly source: Source,
    readonly traceLow: number | bigint,
    readonly id: number | bigint,
  ) {}

  get begins(): number {
    return (this.plain ? 1 : 0) + (this.shared ? 1 : 0)
  }

  get events(): number {
    return this.begins + this.ends.length + this.facts.length
  }

  get isWhole(): boolean {
    return this.begins > 0 && this.ends.length >= this.begins
  }

  /** Empties the group. `why` is for the spans that have no end. */
  finish(counts: Counts, why: string): Span[] {
    const { plain, shared, facts } = this
    const ends = plain && shared ? [...this.ends].sort((a, b) => a - b) : this.ends
    const spare = this.begins === 0 ? 0 : Math.max(0, ends.length - this.begins)
    counts.held -= this.events
    counts.duplicates += spare
    if (this.begins === 0) counts.orphaned += this.events
    else counts.inSpans += this.events - spare
    const spans: Span[] = []
    if (plain && shared) {
      const [inner, outer] = ends
      const inside = (time: number) => time >= shared.time && time <= (inner ?? Infinity)
      spans.push(
        this.#span(
          counts,
          why,
          plain,
          outer,
          facts.filter(({ time }) => !inside(time)),
        ),
      )
      spans.push(
        this.#span(
          counts,
          why,
          shared,
          inner,
          facts.filter(({ time }) => inside(time)),
        ),
      )
    } else if (plain || shared) {
      spans.push(this.#span(counts, why, (plain ?? shared)!, ends[0], facts))
    }
    this.hadBegin = this.begins > 0
    this.hadEnd = ends.length > 0
    this.plain = this.shared = undefined
    this.ends = []
    this.facts = []
    this.bytes = 0
    return spans
  }

  #span(counts: Counts, why: string, begin: Begin, end: number | undefined, facts: Fact[]): Span {
    const { flags, probability } = begin
    const annotations: Annotation[] = []
    const tags: Record<string, string> = {}
    let remoteEndpoint: Endpoint | undefined
    for (const fact of facts) {
      if (fact.kind === 'annotation') {
        annotations.push({ timestamp: Math.floor(fact.time), value: fact.value })
      } else if (fact.kind === 'tag') {
        setTag(tags, fact.key, fact.value)
      } else {
        remoteEndpoint = fact.endpoint
        if (fact.address !== undefined) setTag(tags, 'peer.address', fact.address)
      }
    }
    counts.spans++
    let duration: number | undefined
    if (end === undefined) {
      counts.incomplete++
      setTag(tags, 'blkin.incomplete', why)
    } else {
      if (end < begin.time) counts.backwards++
      duration = Math.max(1, Math.round(end - begin.time))
    }
    const parentId = begin.parent === 0 ? undefined : hex(begin.parent)
    if (parentId === undefined && probability > 0 && probability < 1) {
      setTag(tags, 'blkin.probability', String(Number(probability.toPrecision(6))))
    }
    const low = hex(this.traceLow)
    return makeSpan({
      ...{ traceId: begin.traceHigh === 0 ? low : hex(begin.traceHigh) + low, parentId, id: hex(this.id) },
      ...{ kind: begin.kind, name: begin.name, timestamp: Math.floor(begin.time), duration },
      ...{ localEndpoint: { serviceName: this.source.service }, remoteEndpoint, annotations, tags },
      ...{ debug: (flags & DEBUG) !== 0, shared: (flags & SHARED) !== 0 },
    })
  }
}

/** One traced process: sessions and connections of one are the same source, so what two of them bring is told once. */
export class Source {
  readonly groups = new Map<number | bigint, Group>()
  /** How many recordings feed it now. */
  open = 0
  /** When the last of them went. */
  gone = 0
  /** What was open then has been handed on. */
  swept = false

  constructor(
    readonly key: string,
    readonly service: string,
  ) {}
}

export function endpointOf(
  service: string,
  address: string,
  port: number,
): { endpoint: Endpoint; address?: string } {
  const plain = address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address
  const version = isIP(plain)
  const ip = version === 4 ? { ipv4: plain } : version === 6 ? { ipv6: plain.toLowerCase() } : {}
  const other = version === 0 && plain !== '' ? { address: plain } : {}
  return { endpoint: { serviceName: service, ...ip, port }, ...other }
}

/** A key that means something to JavaScript is a key like any other. */
export function setTag(tags: Record<string, string>, key: string, value: string): void {
  if (key !== '__proto__') tags[key] = value
  else Object.defineProperty(tags, key, { value, enumerable: true, configurable: true, writable: true })
}

const hex = (id: number | bigint): string => id.toString(16).padStart(16, '0')
