// relay/src/spans/assembler.ts: from span events, in whatever order they come, to spans. tracing.ts feeds and empties it.
//
//   open ── begin and end are there ──► ended ── LATE_MS later ──► done, its span handed on ── newer ones ──► forgotten
//     └── its process went, or too many are open: handed on without an end ──┘
//
// Events of one process come in several streams, so an end may come before its begin, and facts after the end: that is
// what LATE_MS is for. It holds a bounded number of spans and bytes, and no clock: who calls says what time it is.

import type { TraceItem } from '../read/merge.js'
import type { TraceEvent, TraceTracepoint } from '../read/model.js'
import { SHARED, type SpanEvent, type SpanFields, spanEvent } from './contract.js'
import { Counts } from './counts.js'
import { Group, Source } from './group.js'
import { Queue } from './queue.js'
import type { Span } from './span.js'

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
  lateMs: 250,
  goneMs: 10_000,
  spans: 400_000,
  bytes: 256 * 2 ** 20,
  facts: 10_000,
  done: 50_000,
}

/** What a fact takes beside its text, about. */
const FACT_BYTES = 200
const GROUP_BYTES = 500

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
  open(key: string, service: string, host = ''): Source {
    let source = this.#sources.get(key)
    if (source === undefined) {
      source = new Source(key, service, host)
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

  #event(source: Source, given: TraceEvent, now: number): void {
    const { counts } = this
    counts.events++
    const event = this.#which(given.tracepoint)
    const fields = given.fields as unknown as SpanFields
    if (event === 'other' || fields.span === 0 || (event === 'span_begin' && isNoTrace(fields))) {
      counts.malformed++
      return
    }
    const group = this.#group(source, fields.trace_low, fields.span)
    if (group.state === 'done') {
      const again = event === 'span_begin' ? group.hadBegin : event === 'span_end' && group.hadEnd
      if (again) counts.duplicates++
      else counts.tooLate++
      return
    }
    if (event === 'span_begin') this.#begin(group, given, fields)
    else if (event === 'span_end') this.#end(group, given)
    else this.#fact(group, given, fields)
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

  #begin(group: Group, event: TraceEvent, { flags, name }: SpanFields): void {
    const slot = (flags & SHARED) !== 0 ? 'shared' : 'plain'
    if (group[slot]) {
      this.counts.duplicates++
      return
    }
    group[slot] = event
    this.#grew(group, name.length)
  }

  #end(group: Group, event: TraceEvent): void {
    if (group.end === undefined) group.end = event
    else if (group.secondEnd === undefined) group.secondEnd = event
    else {
      this.counts.duplicates++
      return
    }
    this.#grew(group, 0)
  }

  #fact(group: Group, event: TraceEvent, { key, value, service, address }: SpanFields): void {
    if (group.facts.length >= this.#limits.facts) {
      this.counts.tooMany++
      return
    }
    if (group.state === 'ended') this.counts.late++
    group.add(event)
    const text =
      service === undefined ? (key?.length ?? 0) + String(value).length : service.length + address.length
    this.#grew(group, FACT_BYTES + text)
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
    group.finish(this.#finished, this.counts, why)
    group.state = 'done'
    this.#done.push(group)
    if (this.#done.length > this.#limits.done) forget(this.#done.shift()!)
  }
}

const isNoTrace = ({ trace_high, trace_low }: SpanFields): boolean => trace_high === 0 && trace_low === 0

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
