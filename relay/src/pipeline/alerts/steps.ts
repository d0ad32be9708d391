// relay/src/pipeline/alerts/steps.ts: durations in logarithmic steps around a threshold, so that whether one is above is exact, and
// which one it was is known within ERROR. Pure. A window counts by them.

/** How far a duration is told from what it was, at most. */
export const ERROR = 0.02

const GROWTH = (1 + ERROR) / (1 - ERROR)
const LOG = Math.log(GROWTH)
/** Steps between 1 us and 71 minutes; beyond, all are as one. */
const RANGE = Math.ceil(Math.log(2 ** 32) / LOG)

export class Steps {
  /** The first step above the threshold. */
  readonly above: number
  readonly count = RANGE + 2

  constructor(readonly threshold: number) {
    this.above = Math.ceil(Math.log(threshold) / LOG) + 1
  }

  /** Step `above + i` holds what is longer than threshold * GROWTH ** i, and no longer than the next. */
  of(duration: number): number {
    const step = this.above - 1 + Math.ceil(Math.log(duration / this.threshold) / LOG)
    return step < 0 ? 0 : step >= this.count ? this.count - 1 : step
  }

  /** What is within ERROR of all durations of the step. */
  duration(step: number): number {
    return (this.threshold * GROWTH ** (step - this.above + 1) * 2) / (GROWTH + 1)
  }
}
