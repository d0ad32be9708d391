// relay/src/spans/sample/sampler.ts: the second decision, over whole traces: which are stored. tracing.ts feeds and
// empties it. Failed, slow, rare and debug traces are, and of the others those that chance keeps.
//
//   waiting ── the root is there, and nothing came for QUIET_MS ──► decided, its spans handed on or counted ──► forgotten
//      └── no root for ROOT_MS, or too much waits ──┘                 └── late spans go the same way ──┘
//
// It holds a bounded number of spans, bytes and decisions, and no clock: who calls says what time it is.

import { Queue } from '../queue.js'
import { lowTraceId, type Span } from '../span.js'
import { Chance, type TraceSample } from './chance.js'
import { Roots } from './roots.js'

export interface SamplerLimits {
  /** How long a trace must be quiet: as long at least, and not twice as long. */
  quietMs: number
  /** The same where its root has not come. */
  rootMs: number
  /** Spans that wait, and what they take. */
  spans: number
  bytes: number
  /** Decisions that are still known, to tell what becomes of late spans: that many, and as many again that fade. */
  decisions: number
}

export const SAMPLER_LIMITS: SamplerLimits = {
  quietMs: 1000,
  rootMs: 30_000,
  spans: 400_000,
  bytes: 256 * 2 ** 20,
  decisions: 100_000,
}

/** Why a trace was kept; 'out' where it was not. */
export type Why = 'debug' | 'failed' | 'slow' | 'rare' | 'chance' | 'out'

/** What a span takes beside its texts, about. */
const SPAN_BYTES = 600

interface Trace {
  low: string
  spans: Span[]
  bytes: number
  root: Span | undefined
  isDebug: boolean
  hasFailed: boolean
  /** When its last span came. */
  last: number
  /** When it is looked at next. */
  look: number
}

export class Sampler {
  /** Traces, by what was decided. */
  readonly traces: Record<Why, number> = { debug: 0, failed: 0, slow: 0, rare: 0, chance: 0, out: 0 }
  /** Spans that are not stored. */
  sampledOut = 0
  /** Spans that wait for a decision. */
  held = 0
  #bytes = 0
  readonly #limits: SamplerLimits
  readonly #chance: Chance
  readonly #roots = new Roots()
  readonly #waiting = new Map<string, Trace>()
  /** The same; the one to be looked at first comes first. */
  readonly #queue = new Queue<Trace>()
  /** Whether a trace was kept; two generations, the older one is dropped when the younger is full. */
  #decided = new Map<string, boolean>()
  #decidedBefore = new Map<string, boolean>()
  #kept: Span[] = []

  constructor(sample: TraceSample, limits: Partial<SamplerLimits> = {}) {
    this.#limits = { ...SAMPLER_LIMITS, ...limits }
    this.#chance = new Chance(sample)
  }

  /** Spans that wait for a decision, or were kept and not fetched yet. */
  get waiting(): number {
    return this.held + this.#kept.length
  }

  add(spans: Span[], now: number): void {
    for (const span of spans) this.#add(span, now)
  }

  /** The spans that are to be stored by now. */
  due(now: number): Span[] {
    this.#chance.turn(now)
    for (let trace = this.#queue.first; trace && trace.look <= now; trace = this.#queue.first) {
      this.#queue.shift()
      const wait = trace.root === undefined ? this.#limits.rootMs : this.#limits.quietMs
      if (trace.last + wait <= now) this.#decide(trace, now)
      else this.#lookLater(trace, now)
    }
    return this.#take()
  }

  /** All that waits is decided as it is. */
  finish(now: number): Span[] {
    for (let trace = this.#queue.shift(); trace; trace = this.#queue.shift()) this.#decide(trace, now)
    return this.#take()
  }

  #add(span: Span, now: number): void {
    const low = lowTraceId(span.traceId)
    let trace = this.#waiting.get(low)
    if (trace === undefined) {
      const kept = this.#decided.get(low) ?? this.#decidedBefore.get(low)
      if (kept !== undefined) {
        if (kept) this.#kept.push(span)
        else this.sampledOut++
        return
      }
      const empty = { root: undefined, isDebug: false, hasFailed: false, bytes: 0, last: now, look: 0 }
      trace = { low, spans: [], ...empty }
      this.#waiting.set(low, trace)
      this.#lookLater(trace, now)
    }
    trace.spans.push(span)
    trace.last = now
    // a shared span without a parent is the root only where its client's half, which is, never comes
    if (span.parentId === undefined && (trace.root === undefined || trace.root.shared)) trace.root = span
    trace.isDebug ||= span.debug === true
    trace.hasFailed ||= span.tags !== undefined && Object.hasOwn(span.tags, 'error')
    const bytes = bytesOf(span)
    trace.bytes += bytes
    this.#bytes += bytes
    this.held++
    while (this.held > this.#limits.spans || this.#bytes > this.#limits.bytes) {
      this.#decide(this.#queue.shift()!, now)
    }
  }

  #lookLater(trace: Trace, now: number): void {
    trace.look = now + this.#limits.quietMs
    this.#queue.push(trace)
  }

  #decide(trace: Trace, now: number): void {
    const { low, spans, root, bytes } = trace
    const why = this.#why(trace, now)
    this.#waiting.delete(low)
    this.held -= spans.length
    this.#bytes -= bytes
    this.traces[why]++
    if (why === 'out') this.sampledOut += spans.length
    else {
      if (root) mark(root, why === 'chance' ? `chance ${Number(this.#chance.share.toPrecision(6))}` : why)
      for (const span of spans) this.#kept.push(span)
    }
    this.#decided.set(low, why !== 'out')
    if (this.#decided.size < this.#limits.decisions) return
    this.#decidedBefore = this.#decided
    this.#decided = new Map()
  }

  #why({ low, root, isDebug, hasFailed }: Trace, now: number): Why {
    const always = isDebug ? 'debug' : hasFailed ? 'failed' : undefined
    const byChance = this.#chance.keeps(low)
    const outstanding = root && this.#roots.look(root, always !== undefined || byChance, now)
    return always ?? outstanding ?? (byChance ? 'chance' : 'out')
  }

  #take(): Span[] {
    const spans = this.#kept
    this.#kept = []
    return spans
  }
}

/** Readers see why they see it, and can reckon from the share how many there were. */
function mark(root: Span, why: string): void {
  root.tags ??= {}
  root.tags['blkin.kept'] = why
}

function bytesOf({ tags, annotations }: Span): number {
  let bytes = SPAN_BYTES
  for (const key in tags) bytes += key.length + tags[key]!.length
  if (annotations) for (const { value } of annotations) bytes += value.length
  return bytes
}
