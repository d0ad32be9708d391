// relay/src/spans/assembly/gathering.ts: spans gathered into traces until these are whole, as far as anybody can know:
//
//   waiting ── the root is there, and nothing came for quietMs ──► settled(): handed out, and forgotten here
//      │  └── no root for rootMs ──────────────────────────────┘
//      └── too much waits ──► surplus(): the oldest is handed out as it is
//
// The sampler gathers what it decides on, alerts what they judge. It holds a bounded number of spans and bytes, and no
// clock: who calls says what time it is. What becomes of late spans is for the caller to say.

import { Queue } from '../../common/queue.js'
import type { Span } from '../span.js'

export interface GatheringLimits {
  /** How long a trace must be quiet: as long at least, and not twice as long. */
  quietMs: number
  /** The same where its root has not come. */
  rootMs: number
  /** Spans that wait, and what they take. */
  spans: number
  bytes: number
}

export const USUAL_LIMITS: GatheringLimits = {
  quietMs: 1000,
  rootMs: 30_000,
  spans: 400_000,
  bytes: 256 * 2 ** 20,
}

/** A trace of which spans may come yet. */
export class Gathered {
  readonly spans: Span[] = []
  bytes = 0
  root: Span | undefined = undefined
  /** When its last span came. */
  last: number
  /** When it is looked at next. */
  look = 0

  constructor(
    readonly low: string,
    now: number,
  ) {
    this.last = now
  }
}

/** What these take beside their texts, about. */
const SPAN_BYTES = 600
const TAG_BYTES = 50
const ANNOTATION_BYTES = 60

export class Gathering<Trace extends Gathered> {
  /** Spans that wait. */
  held = 0
  #bytes = 0
  readonly #waiting = new Map<string, Trace>()
  /** The same; the one to be looked at first comes first. */
  readonly #queue = new Queue<Trace>()

  constructor(
    readonly limits: GatheringLimits,
    /** With whatever else the caller keeps of a trace. */
    readonly make: new (low: string, now: number) => Trace,
  ) {}

  find(low: string): Trace | undefined {
    return this.#waiting.get(low)
  }

  /** Where `find()` has none. */
  open(low: string, now: number): Trace {
    const trace = new this.make(low, now)
    this.#waiting.set(low, trace)
    this.#lookLater(trace, now)
    return trace
  }

  /** Ask `surplus()` then. */
  add(trace: Trace, span: Span, now: number): void {
    trace.spans.push(span)
    trace.last = now
    // a shared span without a parent is the root only where its client's half, which is, never comes
    if (span.parentId === undefined && (trace.root === undefined || trace.root.shared)) trace.root = span
    const bytes = bytesOf(span)
    trace.bytes += bytes
    this.#bytes += bytes
    this.held++
  }

  /** The next that is whole by now. */
  settled(now: number): Trace | undefined {
    for (let trace = this.#queue.first; trace && trace.look <= now; trace = this.#queue.first) {
      this.#queue.shift()
      const wait = trace.root === undefined ? this.limits.rootMs : this.limits.quietMs
      if (trace.last + wait <= now) return this.#handOut(trace)
      this.#lookLater(trace, now)
    }
    return undefined
  }

  /** The next that has to go for want of room. */
  surplus(): Trace | undefined {
    return this.held > this.limits.spans || this.#bytes > this.limits.bytes ? this.next() : undefined
  }

  /** The next of all that wait. */
  next(): Trace | undefined {
    const trace = this.#queue.shift()
    return trace && this.#handOut(trace)
  }

  #lookLater(trace: Trace, now: number): void {
    trace.look = now + this.limits.quietMs
    this.#queue.push(trace)
  }

  #handOut(trace: Trace): Trace {
    this.#waiting.delete(trace.low)
    this.held -= trace.spans.length
    this.#bytes -= trace.bytes
    return trace
  }
}

function bytesOf({ name, localEndpoint, remoteEndpoint, tags, annotations }: Span): number {
  let bytes = SPAN_BYTES + (name?.length ?? 0)
  for (const host of [localEndpoint, remoteEndpoint]) bytes += host?.serviceName?.length ?? 0
  for (const key in tags) bytes += TAG_BYTES + key.length + tags[key]!.length
  if (annotations) for (const { value } of annotations) bytes += ANNOTATION_BYTES + value.length
  return bytes
}
