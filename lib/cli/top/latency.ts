// lib/cli/top/latency.ts: times between events, kept as counts in buckets that grow by an eighth of a power of two, so that
// a quantile is right within 5 % and memory does not depend on how many there were. Pure.

const perOctave = 8
const octaves = 50 // up to 13 days in nanoseconds
const buckets = perOctave * octaves

export class Latencies {
  readonly #counts = new Float64Array(buckets)
  #total = 0

  add(ns: number): void {
    this.#counts[Math.min(buckets - 1, ns <= 1 ? 0 : Math.floor(Math.log2(ns) * perOctave))]!++
    this.#total++
  }

  get total(): number {
    return this.#total
  }

  merge(other: Latencies): void {
    for (let i = 0; i < buckets; i++) this.#counts[i]! += other.#counts[i]!
    this.#total += other.#total
  }

  /** The middle of the bucket that holds it; undefined where there is none. */
  quantile(share: number): number | undefined {
    let left = Math.ceil(share * this.#total)
    if (this.#total === 0) return undefined
    for (let i = 0; i < buckets; i++) {
      left -= this.#counts[i]!
      if (left <= 0) return 2 ** ((i + 0.5) / perOctave)
    }
    return undefined
  }
}

/** The latencies of the last while: `windows` parts, of which each turn() lets the oldest go. */
export class RecentLatencies {
  readonly #parts: Latencies[]

  constructor(windows: number) {
    this.#parts = Array.from({ length: windows }, () => new Latencies())
  }

  add(ns: number): void {
    this.#parts[0]!.add(ns)
  }

  turn(): void {
    this.#parts.pop()
    this.#parts.unshift(new Latencies())
  }

  sum(): Latencies {
    const all = new Latencies()
    for (const part of this.#parts) if (part.total > 0) all.merge(part)
    return all
  }
}
