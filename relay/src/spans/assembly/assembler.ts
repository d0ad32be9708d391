// relay/src/spans/assembly/assembler.ts: from span events, in whatever order they come, to spans. pipeline/recorded.ts feeds and empties it.
//
//   open ── begin and end are there ──► ended ── LATE_MS later ──► done, its span handed on ── newer ones ──► forgotten
//     └── its process went, or too many are open: handed on without an end ──┘
//
// Events of one process come in several streams, so an end may come before its begin, and facts after the end: that is
// what LATE_MS is for. It holds a bounded number of spans and bytes, and no clock: who calls says what time it is.

import { Queue } from '../../common/queue.js'
import { TraceLoss } from '../../ctf/model.js'
import type { Span } from '../span.js'
import { SHARED } from './contract.js'
import { Counts } from './counts.js'
import { type Group, type Process, Source } from './group.js'
import { Groups, OpenGroups } from './groups.js'
import type { Begin, Remote, SpanRecord } from './records.js'

export type SpanItem = SpanRecord | TraceLoss

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
  readonly #processes = new Map<string, Process>()
  /** By process and session. */
  readonly #sources = new Map<string, Source>()
  /** Begun or not, the oldest first. */
  readonly #open = new OpenGroups()
  readonly #groups = new Groups()
  #processNumber = 0
  readonly #ended = new Queue<Group>()
  readonly #done = new Queue<Group>()
  /** Events of one span often follow each other. */
  #last: Group | undefined
  #bytes = 0
  #finished: Span[] = []

  constructor(limits: Partial<Limits> = {}) {
    this.#limits = { ...LIMITS, ...limits }
  }

  /** For each recording of a session, before its first event; close() once for each. */
  open(process: string, session: string, service: string, host = ''): Source {
    const key = `${process} ${session}`
    let source = this.#sources.get(key)
    if (source === undefined) {
      source = new Source(this.#process(process), service, host)
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

  /** `shift`: see Begin. */
  take(source: Source, item: SpanItem, now: number, shift = 0): void {
    if (item instanceof TraceLoss) this.counts.lost += Number(item.events)
    else this.#event(source, item, now, shift)
  }

  /** The spans that are finished by now. */
  due(now: number): Span[] {
    for (let group = this.#ended.first; group && group.due <= now; group = this.#ended.first) {
      this.#ended.shift()
      if (group.isWhole) this.#finish(group)
      else this.#reopen(group)
    }
    for (const [key, source] of this.#sources) {
      if (source.open > 0 || source.gone + this.#limits.goneMs > now) continue
      if (!source.swept) this.#finishOpen('its process ended', (group) => group.source === source)
      source.swept = true
      if (source.groups === 0) this.#forgetSource(key, source)
    }
    const spans = this.#finished
    this.#finished = []
    return spans
  }

  /** All that is held, whole or not. */
  finish(): Span[] {
    const why = 'the relay closed'
    for (let group = this.#ended.shift(); group; group = this.#ended.shift()) this.#finish(group, why)
    this.#finishOpen(why, () => true)
    const spans = this.#finished
    this.#finished = []
    return spans
  }

  /** Spans that are finished and not fetched yet. */
  get waiting(): number {
    return this.#finished.length
  }

  /** Spans that are open or wait for what comes late. */
  get held(): number {
    return this.#open.length + this.#ended.length
  }

  #process(key: string): Process {
    const process = this.#processes.get(key) ?? { key, number: this.#processNumber++, sources: 0 }
    process.sources++
    this.#processes.set(key, process)
    return process
  }

  #forgetSource(key: string, { process }: Source): void {
    this.#sources.delete(key)
    if (--process.sources === 0) this.#processes.delete(process.key)
  }

  #event(source: Source, record: SpanRecord, now: number, shift: number): void {
    const { counts } = this
    const { event } = record
    counts.events++
    const hasSpan = record.spanLow !== 0 || record.spanHigh !== 0
    if (event === 'other' || !hasSpan || (event === 'span_begin' && isNoTrace(record))) {
      counts.malformed++
      return
    }
    const group = this.#group(source, record)
    if (group.source !== source) {
      counts.duplicates++
      return
    }
    if (group.state === 'done') {
      const again = event === 'span_begin' ? group.hadBegin : event === 'span_end' && group.hadEnd
      if (again) counts.duplicates++
      else counts.tooLate++
      return
    }
    if (event === 'span_begin') this.#begin(group, record, shift)
    else if (event === 'span_end') this.#end(group, record)
    else this.#fact(group, record)
    if (group.state === 'open' && group.isWhole) this.#wait(group, now)
    while (this.held > this.#limits.spans || this.#bytes > this.#limits.bytes) this.#evict()
  }

  #begin(group: Group, record: SpanRecord, shift: number): void {
    const { flags, name } = record.value as Begin
    const slot = (flags & SHARED) !== 0 ? 'shared' : 'plain'
    if (group[slot]) {
      this.counts.duplicates++
      return
    }
    group[slot] = record.value as Begin
    group[slot].time = record.time
    group[slot].shift = shift
    this.#grew(group, name.length)
    this.#tags(group, record)
  }

  #end(group: Group, record: SpanRecord): void {
    if (!group.addEnd(record.time)) {
      this.counts.duplicates++
      return
    }
    this.#grew(group, 0)
    this.#tags(group, record)
  }

  #fact(group: Group, record: SpanRecord): void {
    if (group.facts >= this.#limits.facts) {
      this.counts.tooMany++
      return
    }
    if (group.state === 'ended') this.counts.late++
    group.addFact(record)
    this.#grew(group, FACT_BYTES + textLength(record))
  }

  /** What stands in the record of a begin or an end. */
  #tags(group: Group, { time, tags }: SpanRecord): void {
    for (let i = 0; i < tags.length; i += 2) {
      group.addTag(time, tags[i] as string, tags[i + 1]!)
      this.#takes(group, FACT_BYTES + String(tags[i]).length + String(tags[i + 1]).length)
    }
  }

  #grew(group: Group, bytes: number): void {
    this.counts.held++
    this.#takes(group, bytes)
  }

  #takes(group: Group, bytes: number): void {
    group.bytes += bytes
    this.#bytes += bytes
  }

  #group(source: Source, record: SpanRecord): Group {
    const { process } = source
    const last = this.#last
    if (last?.isOf(process, record)) return last
    let group = this.#groups.find(process, record)
    if (group === undefined) {
      group = this.#groups.make(source, record)
      group.bytes = GROUP_BYTES
      this.#bytes += GROUP_BYTES
      source.groups++
      this.#open.push(group)
    }
    this.#last = group
    return group
  }

  #wait(group: Group, now: number): void {
    this.#open.take(group)
    group.state = 'ended'
    group.due = now + this.#limits.lateMs
    this.#ended.push(group)
  }

  /** Of one whose client had ended when the server of its id, in the same process, began. */
  #reopen(group: Group): void {
    group.state = 'open'
    this.#open.push(group)
  }

  /** Those that ended go first: they are whole. */
  #evict(): void {
    const ended = this.#ended.shift()
    const oldest = ended ?? this.#open.oldest
    this.#finish(oldest!, 'too many were open') // whatever is counted is of one that is held
  }

  #finishOpen(why: string, which: (group: Group) => boolean): void {
    for (let group = this.#open.oldest; group; ) {
      const { newer } = group
      if (which(group)) this.#finish(group, why)
      group = newer
    }
  }

  /** `why` is for what has no end. */
  #finish(group: Group, why = ''): void {
    if (group.state === 'open') this.#open.take(group)
    this.#bytes -= group.bytes
    group.finish(this.#finished, this.counts, why)
    group.state = 'done'
    this.#done.push(group)
    if (this.#done.length <= this.#limits.done) return
    const oldest = this.#done.shift()!
    if (oldest === this.#last) this.#last = undefined
    oldest.source.groups--
    this.#groups.forget(oldest)
  }
}

function isNoTrace({ traceLow, traceLowHigh, value }: SpanRecord): boolean {
  const { traceHighLow, traceHighHigh } = value as Begin
  return (traceLow | traceLowHigh | traceHighLow | traceHighHigh) === 0
}

function textLength({ event, key, value }: SpanRecord): number {
  if (event !== 'span_remote') return key.length + String(value).length
  const { service, address } = value as Remote
  return service.length + address.length
}
