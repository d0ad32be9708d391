// lib/cli/overhead/change.ts: how far two states differ, from pairs of values taken one after the other in random order:
// Wilcoxon's signed ranks, their estimate (Hodges and Lehmann) and their interval. Pure; RATIONALE.md says why these.
//
// Which of a pair came first was drawn, so where the states do not differ each difference is as likely with the other
// sign, whatever the distribution and however the machine drifts: then the interval leaves out zero at most once in 20.

import { quantile } from './quantiles.js'

export const alpha = 0.05

export interface Interval {
  /** The middle of the means of any two differences. */
  centre: number
  low: number
  high: number
}

/** With fewer pairs no interval is right 19 times of 20. */
export const fewest = 6

/** Undefined where there are too few differences. */
export function signedRankInterval(differences: readonly number[]): Interval | undefined {
  const n = differences.length
  if (n < fewest) return undefined
  const means = new Float64Array((n * (n + 1)) / 2)
  let at = 0
  for (let i = 0; i < n; i++)
    for (let j = i; j < n; j++) means[at++] = (differences[i]! + differences[j]!) / 2
  means.sort()
  const cut = leftOut(n)
  const middle = (means[(means.length - 1) >> 1]! + means[means.length >> 1]!) / 2
  return { centre: middle, low: means[cut]!, high: means[means.length - 1 - cut]! }
}

const exactUpTo = 60

/** How many means stand outside of the interval at either end: the largest number whose rank sum is rare enough. */
function leftOut(n: number): number {
  if (n > exactUpTo) {
    const deviation = Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24)
    return Math.floor((n * (n + 1)) / 4 - 1.96 * deviation)
  }
  const chances = rankSumChances(n)
  let below = 0
  let cut = 0
  while (below + chances[cut]! <= alpha / 2) below += chances[cut++]!
  return cut - 1
}

/** The chance of each sum of the ranks 1 to n that have a sign which a coin decides. */
function rankSumChances(n: number): Float64Array {
  const chances = new Float64Array((n * (n + 1)) / 2 + 1)
  chances[0] = 1
  for (let rank = 1; rank <= n; rank++)
    for (let sum = chances.length - 1; sum >= 0; sum--)
      chances[sum] = (chances[sum]! + (sum >= rank ? chances[sum - rank]! : 0)) / 2
  return chances
}

/** What is measured, and how it is compared. */
export interface Measure {
  name: string
  unit: string
  /** By how many percent, or for what may be zero by how many of its unit. */
  by: 'percent' | 'unit'
  /** Which way is worse. */
  worse: 'more' | 'less'
}

export interface Change {
  measure: Measure
  /** In the order of the rounds. */
  values: { off: readonly number[]; on: readonly number[] }
  off: number
  on: number
  /** In percent or in units; undefined where there are too few rounds. */
  interval?: Interval
  /** That it is a change, and not noise. */
  isTold: boolean
  /** After so many rounds a change of one percent would be told, about; undefined where it is told now, or measured in units. */
  roundsForOnePercent?: number
}

/** What is nothing in some round has no percent: it is compared by its unit. */
export function changeOf(named: Measure, off: readonly number[], on: readonly number[]): Change {
  const isRatio = named.by === 'percent' && [...off, ...on].every((value) => value > 0)
  const measure: Measure = { ...named, by: isRatio ? 'percent' : 'unit' }
  const differences = on.map((value, i) => (isRatio ? Math.log(value / off[i]!) : value - off[i]!))
  const raw = signedRankInterval(differences)
  const shown = (value: number) => (isRatio ? Math.expm1(value) * 100 : value)
  const isTold = raw !== undefined && (raw.low > 0 || raw.high < 0)
  const half = raw === undefined ? 0 : (raw.high - raw.low) / 2
  const onePercent = Math.log(1.01)
  return {
    ...{ measure, values: { off, on }, off: quantile(off, 0.5), on: quantile(on, 0.5), isTold },
    ...(raw && { interval: { centre: shown(raw.centre), low: shown(raw.low), high: shown(raw.high) } }),
    ...(isRatio && !isTold && half > onePercent
      ? { roundsForOnePercent: Math.ceil(differences.length * (half / onePercent) ** 2) }
      : {}),
  }
}
