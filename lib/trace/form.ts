// lib/trace/form.ts: what a span is begun as: by a name and options (free-form.ts), or as it was declared (declared.ts).
// Where and whether it begins, start.ts and remote.ts decide alike for both. Types only.
import type { Root } from './content.js'
import type { Handle } from './handle.js'
import type { Recorded, TraceTraits } from './recorded.js'
import type { BeginOptions } from './span.js'

/** `What` the program says of a span when it begins it: its name, or the values of its tags. */
export interface Form<What> {
  /** Makes its handle, and records that it begins. May throw where what the program gave does. */
  begin(
    traits: TraceTraits,
    traceHigh: number,
    traceLow: number,
    spanHigh: number,
    spanLow: number,
    parentHigh: number,
    parentLow: number,
    flagBits: number,
    what: What,
    options: BeginOptions | undefined,
  ): Recorded
  /** For sampling by content. */
  root(what: What, options: BeginOptions | undefined): Root
  isServer(options: BeginOptions | undefined): boolean
  /** While nobody records spans, and in a trace that is not recorded. */
  readonly off: Handle
  readonly unsampled: Handle
  /** What such spans have beside a Span's methods, doing nothing. */
  readonly methods?: object
}
