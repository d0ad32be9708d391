// relay/src/spans/assembler.ts: from span events, in whatever order they come, to spans. tracing.ts feeds and empties it.
//
//   open ── begin and end are there ──► ended ── LATE_MS later ──► done, its span handed on ── newer ones ──► forgotten
//     └── its process went, or too many are open: handed on without an end ──┘
//
// Events of one process come in several streams, so an end may come before its begin, and facts after the end: that is
// what LATE_MS is for. It holds a bounded number of spans and bytes, and no clock: who calls says what time it is.

import type { TraceItem } from '../read/merge.js'
import type { TraceEvent, TraceTracepoint } from '../read/model.js'
import { SHARED, type SpanEvent, spanEvent } from './contract.js'
import { Counts } from './counts.js'
import { endpointOf, type Fact, Group, Source } from './group.js'
import type { Kind, Span } from './span.js'

export interface Limits {
  /** How long an ended span waits for what other streams have of it. */
  lateMs: number
  /** How long a process that went may take to come back. */
  goneMs: number
  /** Spans that are open, or wait. */
  spans: number
  bytes: number
  /** Annotations, tags and remotes of one span. */
  facts: number
  /** Spans handed on that are still known, to tell what comes too late. */
  done: number
}

export const LIMITS: Limits = {
  lateMs: 1000,
  goneMs: 10_000,
  spans: 400_000,
  bytes: 256 * 2 ** 20,
  facts: 10_000,
  done: 100_000,
}

/** What a fact takes beside its text, about. */
const FACT_BYTES = 64
const GROUP_BYTES = 256

const KIND: Record<string, Kind> = {
  client: 'CLIENT',
  server: 'SERVER',
  producer: 'PRODUCER',
  consumer: 'CONSUMER',
}

/** Of all the contract's events; each has some of these. */
interface Fields {
  trace_high: number | bigint
  trace_low: number | bigint
  span: number | bigint
  parent: number | bigint
  kind: string | number
  flags: number
  probability: number
  name: string
  key: string
  value: string | number
  service: string
  address: string
  port: number
}

export class Assembler {
  readonly counts = new Counts()
  readonly #limits: Limits
  readonly #sources = new Map<string, Source>()
  /** Begun or not, the oldest first. */
  readonly #open = new Set<Group>()
  readonly #ended = new Queue<Group>()
  readonly #done = new Queue<Group>()
  readonly #known = new WeakMap<TraceTracepoint, SpanEvent | 'other'>()
  #bytes = 0
  #finished: Span[] = []

  constructor(limits: Partial<Limits> = {}) {
    this.#limits = { ...LIMITS, ...limits }
  }

  /** For each recording of a process, before its first event; close() once for each. */
  open(key: string, service: string): Source {
    let source = this.#sources.get(key)
    if (source === undefined) {
      source = new Source(key, service)
      this.#sources.set(key, source)
    }
    source.open++
    source.swept = false
    return source
  }

  close(source: Source, now: number): void {
    source.open--
    source.gone = now
  }

  take(source: Source, items: TraceItem[], now: number): void {
    for (const item of items) {
      if (item.kind === 'loss') this.counts.lost += Number(item.events)
      else this.#event(source, item, now)
    }
  }

  /** The spans that are finished by now. */
  due(now: number): Span[] {
    for (let group = this.#ended.first; group && group.due <= now; group = this.#ended.first) {
      this.#ended.shift()
      this.#finish(group, 'never ended')
    }
    for (const source of this.#sources.values()) {
      if (source.open > 0 || source.gone + this.#limits.goneMs > now) continue
      if (!source.swept) this.#finishOpen('its process ended', (group) => group.source === source)
      source.swept = true
      if (source.groups.size === 0) this.#sources.delete(source.key)
    }
    const spans = this.#finished
    this.#finished = []
    return spans
  }

  /** All that is held, whole or not. */
  finish(): Span[] {
    for (let group = this.#ended.shift(); group; group = this.#ended.shift())
      this.#finish(group, 'never ended')
    this.#finishOpen('the relay closed', () => true)
    const spans = this.#finished
    this.#finished = []
    return spans
  }

  /** Spans that are open or wait for what comes late. */
  get held(): number {
    return this.#open.size + this.#ended.length
  }

  #event(source: Source, { tracepoint, fields, seconds, nanoseconds }: TraceEvent, now: number): void {
    const { counts } = this
    const event = this.#which(tracepoint)
    counts.events++
    const given = fields as unknown as Fields
    if (event === 'other' || given.span === 0 || (event === 'span_begin' && noTrace(given))) {
      counts.malformed++
      return
    }
    const group = this.#group(source, given.trace_low, given.span)
    const time = seconds * 1e6 + nanoseconds / 1e3 // to a quarter of a microsecond
    if (group.state === 'done') {
      const again = (event === 'span_begin' && group.hadBegin) || (event === 'span_end' && group.hadEnd)
      if (again) counts.duplicates++
      else counts.tooLate++
      return
    }
    if (event === 'span_begin') this.#begin(group, given, time)
    else if (event === 'span_end') this.#end(group, time)
    else this.#fact(group, factOf(event, given, time))
    if (group.state === 'open' && group.isWhole) this.#wait(group, now)
    if (this.held > this.#limits.spans || this.#bytes > this.#limits.bytes) this.#evict()
  }

  #which(tracepoint: TraceTracepoint): SpanEvent | 'other' {
    const known = this.#known.get(tracepoint)
    if (known !== undefined) return known
    const found = spanEvent(tracepoint) ?? 'other'
    this.#known.set(tracepoint, found)
    return found
  }

  #begin(group: Group, fields: Fields, time: number): void {
    const { flags, name } = fields
    const slot = (flags & SHARED) !== 0 ? 'shared' : 'plain'
    if (group[slot]) {
      this.counts.duplicates++
      return
    }
    group[slot] = {
      ...{ time, name, flags, traceHigh: fields.trace_high, parent: fields.parent },
      ...{ kind: KIND[fields.kind as string], probability: fields.probability },
    }
    this.#grew(group, name.length)
  }

  #end(group: Group, time: number): void {
    if (group.ends.length === 2) {
      this.counts.duplicates++
      return
    }
    group.ends.push(time)
    this.#grew(group, 0)
  }

  #fact(group: Group, fact: Fact): void {
    if (group.facts.length >= this.#limits.facts) {
      this.counts.tooMany++
      return
    }
    if (group.state === 'ended') this.counts.late++
    group.facts.push(fact)
    this.#grew(group, textOf(fact) + FACT_BYTES)
  }

  #grew(group: Group, bytes: number): void {
    this.counts.held++
    group.bytes += bytes
    this.#bytes += bytes
  }

  #group(source: Source, traceLow: number | bigint, id: number | bigint): Group {
    const first = source.groups.get(id)
    let group = first
    while (group !== undefined && group.traceLow !== traceLow) group = group.next
    if (group !== undefined) return group
    group = new Group(source, traceLow, id)
    group.next = first
    group.bytes = GROUP_BYTES
    this.#bytes += GROUP_BYTES
    source.groups.set(id, group)
    this.#open.add(group)
    return group
  }

  #wait(group: Group, now: number): void {
    this.#open.delete(group)
    group.state = 'ended'
    group.due = now + this.#limits.lateMs
    this.#ended.push(group)
  }

  /** Those that ended go first: they are whole. */
  #evict(): void {
    const ended = this.#ended.shift()
    const [oldest] = ended ? [ended] : this.#open
    if (oldest) this.#finish(oldest, 'too many were open')
  }

  #finishOpen(why: string, which: (group: Group) => boolean): void {
    for (const group of this.#open) if (which(group)) this.#finish(group, why)
  }

  #finish(group: Group, why: string): void {
    this.#open.delete(group)
    this.#bytes -= group.bytes
    for (const span of group.finish(this.counts, why)) this.#finished.push(span)
    group.state = 'done'
    this.#done.push(group)
    if (this.#done.length > this.#limits.done) forget(this.#done.shift()!)
  }
}

function noTrace({ trace_high, trace_low }: Fields): boolean {
  return trace_high === 0 && trace_low === 0
}

function factOf(event: SpanEvent, fields: Fields, time: number): Fact {
  if (event === 'span_annotation') return { kind: 'annotation', time, value: fields.value as string }
  if (event === 'span_remote') {
    const { endpoint, address } = endpointOf(fields.service, fields.address, fields.port)
    return { kind: 'remote', time, endpoint, address }
  }
  return { kind: 'tag', time, key: fields.key, value: String(fields.value) }
}

function textOf(fact: Fact): number {
  if (fact.kind === 'annotation') return fact.value.length
  if (fact.kind === 'tag') return fact.key.length + fact.value.length
  return (fact.endpoint.serviceName?.length ?? 0) + (fact.address?.length ?? 0)
}

function forget(group: Group): void {
  const { groups } = group.source
  let at = groups.get(group.id)
  if (at === group) {
    if (group.next) groups.set(group.id, group.next)
    else groups.delete(group.id)
    return
  }
  while (at && at.next !== group) at = at.next
  if (at) at.next = group.next
}

/** First in, first out; what left is let go of a thousand at a time. */
class Queue<Item> {
  #items: (Item | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  get first(): Item | undefined {
    return this.#items[this.#head]
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  shift(): Item | undefined {
    if (this.length === 0) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    if (this.#head > 1000 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }
}
