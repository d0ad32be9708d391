// lib/trace/wire.ts: a span's context as it goes from one process to another, whatever the format: ids as int32 words, which
// V8 keeps without allocating. Digits are made of them where a header or the program asks for digits.
import { hexOf, wordAt } from './hex.js'

/**
 * What was said about recording the trace: nothing, no, yes, or yes whatever it costs. Whoever is told honours it, and
 * hands it on.
 */
export type Decision = 'unsaid' | 'no' | 'yes' | 'debug'

export class WireContext {
  constructor(
    /** Words of the trace's id, all 0 where only a decision was sent. The first two are 0 for an id of 64 bits. */
    readonly traceHighHigh: number,
    readonly traceHighLow: number,
    readonly traceHigh: number,
    readonly traceLow: number,
    readonly spanHigh: number,
    readonly spanLow: number,
    /** 0 for a root, and where the format does not tell. */
    readonly parentHigh: number,
    readonly parentLow: number,
    readonly decision: Decision,
    /** W3C's tracestate, handed on as it came. */
    readonly state: string,
  ) {}

  /** Of its own JSON, which one thread hands to another. */
  static of(json: WireContext): WireContext {
    return Object.assign(Object.create(WireContext.prototype), json)
  }

  /** False where only a decision was sent. */
  get hasIds(): boolean {
    return (this.traceHighHigh | this.traceHighLow | this.traceHigh | this.traceLow) !== 0
  }

  get hasParent(): boolean {
    return (this.parentHigh | this.parentLow) !== 0
  }

  /** 32 hex digits. */
  get traceId(): string {
    return hexOf(this.traceHighHigh, this.traceHighLow) + hexOf(this.traceHigh, this.traceLow)
  }

  /** 16 hex digits where the id has 64 bits: there are Zipkins that know no others. Else 32. */
  get shortTraceId(): string {
    return (this.traceHighHigh | this.traceHighLow) === 0
      ? hexOf(this.traceHigh, this.traceLow)
      : this.traceId
  }

  get spanId(): string {
    return hexOf(this.spanHigh, this.spanLow)
  }

  get parentId(): string {
    return hexOf(this.parentHigh, this.parentLow)
  }

  /** The same, with the decision that was taken here. */
  refused(): WireContext {
    const { traceHighHigh, traceHighLow, traceHigh, traceLow, spanHigh, spanLow, parentHigh, parentLow } =
      this
    return new WireContext(
      traceHighHigh,
      traceHighLow,
      traceHigh,
      traceLow,
      spanHigh,
      spanLow,
      parentHigh,
      parentLow,
      'no',
      this.state,
    )
  }
}

/** Of hex digits that were checked: 32 or 16 from `trace` on, 16 from `span`, 16 from `parent` or -1. */
export function contextIn(
  text: string,
  trace: number,
  traceDigits: number,
  span: number,
  parent: number,
  decision: Decision,
  state: string,
): WireContext {
  const low = trace + traceDigits - 16
  return new WireContext(
    traceDigits === 32 ? wordAt(text, trace) : 0,
    traceDigits === 32 ? wordAt(text, trace + 8) : 0,
    wordAt(text, low),
    wordAt(text, low + 8),
    wordAt(text, span),
    wordAt(text, span + 8),
    parent < 0 ? 0 : wordAt(text, parent),
    parent < 0 ? 0 : wordAt(text, parent + 8),
    decision,
    state,
  )
}

const decided = (decision: Decision) => new WireContext(0, 0, 0, 0, 0, 0, 0, 0, decision, '')

/** Where nothing but a decision is said: one object for all of them. */
export const decisionAlone: Readonly<Record<Decision, WireContext>> = {
  unsaid: decided('unsaid'),
  no: decided('no'),
  yes: decided('yes'),
  debug: decided('debug'),
}
