// bench/lib/stats.mjs: medians, quartiles, and an order that is another one each time, as `blkin overhead` has them, and the benchmark's own. Pure.

import { quantile, shuffled, spread } from '../../dist/cli/overhead/quantiles.js'

export { quantile, shuffled, spread }

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
