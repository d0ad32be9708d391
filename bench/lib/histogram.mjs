// bench/lib/histogram.mjs: how long single calls took, in buckets of 1.6 %: what bench/stalls/histogram.h has in C. Workers fill one each, in
// shared memory. Pure.
const units = 16
const steps = 64
const stepBits = 6
export const bucketCount = steps * 40

/** @param {number} ns */
export function bucketOf(ns) {
  const value = Math.floor(ns * units)
  if (value < steps) return Math.max(value, 0)
  const shift = (value < 2 ** 31 ? 31 - Math.clz32(value) : Math.floor(Math.log2(value))) - stepBits
  const bucket = (shift + 1) * steps + Math.floor(value / 2 ** shift) - steps
  return bucket < bucketCount ? bucket : bucketCount - 1
}

/** Nanoseconds: the least that falls in it. */
export function beginOf(bucket) {
  if (bucket < steps) return bucket / units
  const shift = Math.floor(bucket / steps) - 1
  return ((steps + (bucket % steps)) * 2 ** shift) / units
}

/** Of several, each [[bucket, count], ...] in any order. */
export function merged(lists) {
  const all = new Map()
  for (const [bucket, count] of lists.flat()) all.set(bucket, (all.get(bucket) ?? 0) + count)
  return [...all].sort(([a], [b]) => a - b)
}

export const callsIn = (buckets) => buckets.reduce((all, [, count]) => all + count, 0)

/** Nanoseconds, within a bucket: so long, or shorter, took this part of the calls. */
export function quantileOf(buckets, part) {
  let left = Math.ceil(callsIn(buckets) * part)
  for (const [bucket, count] of buckets) {
    left -= count
    if (left <= 0) return beginOf(bucket)
  }
  return Number.NaN
}

export const longest = (buckets) => beginOf(buckets.at(-1)[0])
