// bench/lib/stats.mjs: medians and quartiles. Pure.

/** The value below which the given part of the list lies, between neighbours where it falls between them. */
export function quantile(list, part) {
  const sorted = Float64Array.from(list).sort()
  const at = (sorted.length - 1) * part
  const low = Math.floor(at)
  return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (at - low)
}

export function spread(list) {
  return { p25: quantile(list, 0.25), median: quantile(list, 0.5), p75: quantile(list, 0.75) }
}
