// relay/src/metrics/histogram.ts: how many of so many microseconds there were, by buckets, and for each bucket the last one whose
// trace can be looked at. It holds a fixed amount.

export interface Exemplar {
  traceId: string
  value: number
  /** Milliseconds since the epoch. */
  time: number
}

export class Histogram {
  readonly counts: Float64Array
  sum = 0
  readonly exemplars: (Exemplar | undefined)[] = []

  /** The upper bounds of all buckets but the last, rising. */
  constructor(readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1)
  }

  add(value: number): void {
    this.counts[this.#bucketOf(value)]!++
    this.sum += value
  }

  /** One of those that were added. */
  exemplify(traceId: string, value: number, time: number): void {
    const bucket = this.#bucketOf(value)
    const known = this.exemplars[bucket]
    if (known === undefined) this.exemplars[bucket] = { traceId, value, time }
    else {
      known.traceId = traceId
      known.value = value
      known.time = time
    }
  }

  #bucketOf(value: number): number {
    let low = 0
    let high = this.bounds.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (value <= this.bounds[middle]!) high = middle
      else low = middle + 1
    }
    return low
  }
}
