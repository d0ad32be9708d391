// bench/lib/stats.mjs: medians, quartiles, and an order that is another one each time. Pure.

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

/** The same with the interval that has the median of all possible rounds in it, 19 times of 20: by ranks, whatever the distribution. */
export function summary(list) {
  const half = 0.98 / Math.sqrt(list.length)
  const interval = [quantile(list, Math.max(0, 0.5 - half)), quantile(list, Math.min(1, 0.5 + half))]
  return { ...spread(list), interval }
}

/** The same with the interval that medians of rounds drawn again from these lie in, 19 times of 20: for few rounds. */
export function bootstrapped(list, draws = 2000) {
  const random = generator(1)
  const again = () => list.map(() => list[Math.floor(random() * list.length)])
  const medians = Array.from({ length: draws }, () => quantile(again(), 0.5))
  return { ...spread(list), interval: [quantile(medians, 0.025), quantile(medians, 0.975)] }
}

/** The same numbers in [0, 1) on every run. */
export function generator(seed) {
  let x = seed
  return () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0
    return x / 2 ** 32
  }
}

/** A new order each time, so that no row always follows the one that leaves the caches or the heap in some state. */
export function shuffled(list, random) {
  const out = [...list]
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[out[i], out[j]] = [out[j], out[i]]
  }
  return out
}
