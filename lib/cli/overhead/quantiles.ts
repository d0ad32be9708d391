// lib/cli/overhead/quantiles.ts: medians, quartiles, and an order that is another one each time, for `blkin overhead` and the
// benchmark (bench/lib/stats.mjs). Pure.

/** The value below which the given part of the list lies, between neighbours where it falls between them. */
export function quantile(list: readonly number[] | Float64Array, part: number): number {
  const sorted = Float64Array.from(list).sort()
  const at = (sorted.length - 1) * part
  const low = Math.floor(at)
  return sorted[low]! + (sorted[Math.min(low + 1, sorted.length - 1)]! - sorted[low]!) * (at - low)
}

export interface Spread {
  p25: number
  median: number
  p75: number
}

export function spread(list: readonly number[]): Spread {
  return { p25: quantile(list, 0.25), median: quantile(list, 0.5), p75: quantile(list, 0.75) }
}

/** A new order each time, so that nothing always follows the one that leaves the caches or the heap in some state. */
export function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const out = [...list]
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[out[i], out[j]] = [out[j]!, out[i]!]
  }
  return out
}
