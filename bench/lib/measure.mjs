// bench/lib/measure.mjs: runs every row in turn, a slice of a millisecond or two each, round after round. A machine
// that slows down slows all rows of that round, so ratios are taken within rounds, and medians over rounds.

import { generator, shuffled } from './stats.mjs'

export const sliceNs = 1.5e6
const warmTurns = 30_000

/** @returns {Promise<Map<string, {count: number, ns: number[], turns: number}>>} ns of a turn, a number a round; by row */
export async function measure(rows, children, { rounds, warmSlices, progress }) {
  const results = new Map()
  for (const row of rows) {
    const [, slice] = row.id.split('.')
    const most = row.most ?? Infinity
    let turns = 0
    let perTurn = 1000 // at the best: one slice that was disturbed does not decide
    for (let i = 0; i < warmSlices; i++) {
      // The first slices run slow code: short ones, that grow as the code gets fast.
      const count = Math.round(Math.max(20, Math.min(most, warmTurns, sliceNs / perTurn)))
      const took = (await children[row.in].slice(slice, count)) / count
      turns += count
      perTurn = Math.min(took, i === 0 ? Infinity : perTurn)
    }
    const count = Math.floor(Math.max(20, Math.min(most, sliceNs / perTurn)))
    results.set(row.id, { slice, count, ns: [], turns: turns + count * rounds })
  }
  const random = generator(1)
  for (let round = 0; round < rounds; round++) {
    progress?.(round)
    for (const row of shuffled(rows, random)) {
      const { slice, count, ns } = results.get(row.id)
      ns.push((await children[row.in].slice(slice, count)) / count)
    }
  }
  return results
}

/** Per-round values of `of` to `to`, or less `less`. */
export function compare(results, { of, to, less }) {
  const a = results.get(of)?.ns
  const b = results.get(to ?? less)?.ns
  if (a === undefined || b === undefined) return undefined
  return a.map((ns, round) => (to === undefined ? ns - b[round] : ns / b[round]))
}
