// relay/src/pipeline/sample/sampler.ts: the second decision, over whole traces: which are stored. the pipeline feeds and
// empties it. Failed, slow, rare and debug traces are, examples of alerts, and of the others those that chance keeps.
// A trace is decided when gathering.ts has it whole; late spans go the same way, while the decision is still known.
//
// It holds a bounded number of spans, bytes and decisions, and no clock: who calls says what time it is.

import { RecentMap } from '../../common/recent-map.js'
import { Gathered, Gathering, type GatheringLimits, USUAL_LIMITS } from '../../spans/assembly/gathering.js'
import { lowTraceId, type Span } from '../../spans/span.js'
import { Chance, type TraceSample } from './chance.js'
import { Roots } from './roots.js'

export interface SamplerLimits extends GatheringLimits {
  /** Decisions that are still known, to tell what becomes of late spans: that many at least. */
  decisions: number
  /** Examples of alerts that are kept a second, beside those that are kept in any case. */
  examples: number
}

export const SAMPLER_LIMITS: SamplerLimits = {
  ...USUAL_LIMITS,
  decisions: 100_000,
  examples: 10,
}

/** Why a trace was kept; 'out' where it was not. */
export type Why = 'debug' | 'failed' | 'alert' | 'slow' | 'rare' | 'chance' | 'out'

class Trace extends Gathered {
  isDebug = false
  hasFailed = false
  isExample = false
}

export class Sampler {
  /** Traces, by what was decided. */
  readonly traces: Record<Why, number> = {
    debug: 0,
    failed: 0,
    alert: 0,
    slow: 0,
    rare: 0,
    chance: 0,
    out: 0,
  }
  /** Spans that are not stored. */
  sampledOut = 0
  readonly #limits: SamplerLimits
  readonly #chance: Chance
  readonly #roots = new Roots()
  readonly #waiting: Gathering<Trace>
  /** Whether a trace was kept. */
  readonly #decided: RecentMap<boolean>
  #kept: Span[] = []
  /** Examples of the second that began then. */
  #examples = 0
  #examplesAt = Number.NEGATIVE_INFINITY

  constructor(sample: TraceSample, limits: Partial<SamplerLimits> = {}) {
    this.#limits = { ...SAMPLER_LIMITS, ...limits }
    this.#chance = new Chance(sample)
    this.#decided = new RecentMap(this.#limits.decisions)
    this.#waiting = new Gathering(this.#limits, Trace)
  }

  /** Spans that wait for a decision. */
  get held(): number {
    return this.#waiting.held
  }

  /** Spans that wait for a decision, or were kept and not fetched yet. */
  get waiting(): number {
    return this.held + this.#kept.length
  }

  add(spans: Span[], now: number): void {
    for (const span of spans) this.#add(span, now)
  }

  /** Whether this trace will be there to be looked at: an alert would have it as an example. */
  keepsExample(traceId: string, now: number): boolean {
    const low = lowTraceId(traceId)
    const trace = this.#waiting.find(low)
    if (trace === undefined) return this.#decided.get(low) ?? false
    if (trace.isExample || trace.isDebug || trace.hasFailed) return true
    if (now - this.#examplesAt >= 1000) {
      this.#examplesAt = now
      this.#examples = 0
    }
    trace.isExample = ++this.#examples <= this.#limits.examples
    return trace.isExample
  }

  /** The spans that are to be stored by now. */
  due(now: number): Span[] {
    this.#chance.turn(now)
    for (let trace = this.#waiting.settled(now); trace; trace = this.#waiting.settled(now)) {
      this.#decide(trace, now)
    }
    return this.#take()
  }

  /** All that waits is decided as it is. */
  finish(now: number): Span[] {
    for (let trace = this.#waiting.next(); trace; trace = this.#waiting.next()) this.#decide(trace, now)
    return this.#take()
  }

  #add(span: Span, now: number): void {
    const low = lowTraceId(span.traceId)
    let trace = this.#waiting.find(low)
    if (trace === undefined) {
      const kept = this.#decided.get(low)
      if (kept !== undefined) {
        if (kept) this.#kept.push(span)
        else this.sampledOut++
        return
      }
      trace = this.#waiting.open(low, now)
    }
    this.#waiting.add(trace, span, now)
    trace.isDebug ||= span.debug === true
    trace.hasFailed ||= span.tags !== undefined && Object.hasOwn(span.tags, 'error')
    for (let old = this.#waiting.surplus(); old; old = this.#waiting.surplus()) this.#decide(old, now)
  }

  #decide(trace: Trace, now: number): void {
    const { low, spans, root } = trace
    const why = this.#why(trace, now)
    this.traces[why]++
    if (why === 'out') this.sampledOut += spans.length
    else {
      if (root) mark(root, why === 'chance' ? `chance ${Number(this.#chance.share.toPrecision(6))}` : why)
      for (const span of spans) this.#kept.push(span)
    }
    this.#decided.set(low, why !== 'out')
  }

  #why({ low, root, isDebug, hasFailed, isExample }: Trace, now: number): Why {
    const always = isDebug ? 'debug' : hasFailed ? 'failed' : isExample ? 'alert' : undefined
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
