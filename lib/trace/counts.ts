// lib/trace/counts.ts: what this thread counts of its spans, for status(). A typed array: counting allocates nothing.
import { passedOver } from './gap.js'

export const counts: Float64Array = new Float64Array(5)

export const kept = 0
/** But for those that gap.ts passes over. */
export const sampledOut = 1
export const endedTwice = 2
export const usedAfterEnd = 3
export const refused = 4

export interface SpanCounts {
  /** Roots that were recorded, and that were not. */
  readonly kept: number
  readonly sampledOut: number
  /** Calls of end() after the first, and of others after it: nothing was recorded for them. */
  readonly endedTwice: number
  readonly usedAfterEnd: number
  /** Calls with arguments that cannot be. */
  readonly refused: number
}

export function spanCounts(): SpanCounts {
  const at = (index: number) => counts[index] as number
  return {
    kept: at(kept),
    sampledOut: at(sampledOut) + passedOver(),
    endedTwice: at(endedTwice),
    usedAfterEnd: at(usedAfterEnd),
    refused: at(refused),
  }
}
