// bench/chain/bounds.mjs: the one-minute form of the chain's benchmark: whether tracing costs the chain more than it may anywhere, a small
// and busy machine too. The bounds are no targets: they are far below what is published, and say that something is broken.
// A ratio is beyond its bound where all of its interval is below, three times in a row.
import { measurePart } from './measure.mjs'
import { partResults } from './results.mjs'
import { baseOf, states, workloads } from './states.mjs'
import { ways } from './ways.mjs'

/** Writes a second, at least, to what states.mjs says. */
export const bounds = { off: 0.8, live: 0.55, every: 0.15, live113: 0.35 }

const tries = 3
const settings = { rounds: 3, seconds: 1, workloads: workloads.filter(({ id }) => id === 'random') }

/**
 * @param {object} where node, forms, folder
 * @returns the part of the last try, and what is beyond its bound, as lines
 */
export async function checkBounds(where, say) {
  let suspects = Object.keys(bounds)
  let part
  let lines = []
  for (let i = 0; i < tries && suspects.length > 0; i++) {
    const wanted = new Set(suspects.flatMap((id) => [id, baseOf(states.find((state) => state.id === id))]))
    const now = await measureStates({ ...where, states: states.filter(({ id }) => wanted.has(id)) }, say)
    part ??= now
    suspects = suspects.filter((id) => isBeyond(ratioOf(now, id), bounds[id]))
    lines = suspects.map((id) => lineOf(id, ratioOf(now, id)))
    for (const one of lines) say(`try ${i + 1} of ${tries}: ${one}`)
  }
  return { part, lines }
}

export const isBeyond = ({ interval }, bound) => interval[1] < bound

const ratioOf = (part, id) => part.rows.find(({ state }) => state === id).ratio

const lineOf = (id, { median, interval }) =>
  `${id}: ${median.toFixed(2)} (at most ${interval[1].toFixed(2)}), its bound is ${bounds[id]}`

async function measureStates(where, say) {
  const [way] = ways
  const raw = await measurePart(way, { ...where, ...settings }, say)
  const { rounds, seconds } = settings
  return partResults(way, raw, { rounds, seconds })
}
