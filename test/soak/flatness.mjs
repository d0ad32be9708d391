// test/soak/flatness.mjs: whether what was measured again and again has stayed as it was: the last third of a run against the second; the
// first is warm-up. Never against an absolute bound, so that any machine will do. report.mjs prints what comes out. Pure.

const quantile = (sorted, part) => sorted[Math.floor((sorted.length - 1) * part)]

/**
 * What may be measured, and how it is compared. `part`: the quantile of a third that stands for it, the median but for heaps, where the
 * collector decides how high it gets between, and only what is left when it has run can leak. `share` and `slack`: growth that is none.
 */
export const measures = {
  rss: { part: 0.5, share: 0.1, slack: 8 * 2 ** 20, unit: 'MiB' },
  heap: { part: 0.1, share: 0.1, slack: 2 * 2 ** 20, unit: 'MiB' },
  descriptors: { part: 0.5, share: 0.05, slack: 4, unit: '' },
  threads: { part: 0.5, share: 0, slack: 1, unit: '' },
  bytes: { part: 0.5, share: 0.25, slack: 4 * 2 ** 20, unit: 'MiB' },
  folders: { part: 0.5, share: 0.25, slack: 5, unit: '' },
}

/** Of too few nothing can be said. */
const leastSamples = 12

/**
 * @param {keyof typeof measures} measure
 * @param {number[]} samples in their order
 */
export function flatness(measure, samples) {
  const { part, share, slack } = measures[measure]
  if (samples.length < leastSamples)
    throw new Error(`${measure}: ${samples.length} samples; expected ${leastSamples} at least`)
  const third = samples.length / 3
  const of = (from, to) =>
    quantile(
      samples.slice(Math.floor(third * from), Math.floor(third * to)).sort((a, b) => a - b),
      part,
    )
  const [before, after] = [of(1, 2), of(2, 3)]
  const bound = before * (1 + share) + slack
  return { before, after, bound, isFlat: after <= bound }
}
