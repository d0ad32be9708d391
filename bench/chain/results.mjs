// bench/chain/results.mjs: slices and accounts of measure.mjs as plain JSON: medians, intervals, verdicts, and whether all is there that was
// emitted. report.mjs and picture.mjs show it; a part is kept in bench/chain-results.json until it is measured again.
import { bootstrapped, quantile } from '../lib/stats.mjs'
import { baseOf, states, targets, workloads } from './states.mjs'

/** One part: what was measured of one way under one Node. */
export function partResults(way, { slices, accounts }, about) {
  return {
    ...about,
    rows: workloads.flatMap((workload) => rowsOf(slices.filter((one) => one.workload === workload.id))),
    accounts: accounts.filter(({ totals }) => totals !== undefined).map((one) => account(way, one)),
  }
}

const stateOf = (id) => states.find((state) => state.id === id)

function rowsOf(slices) {
  const measured = states.filter(({ id }) => slices.some(({ state }) => state === id))
  return measured.map((state) => {
    const own = slices.filter((slice) => slice.state === state.id)
    const ratioTo = (base) =>
      ratios(
        own,
        slices.filter((slice) => slice.state === base),
      )
    const ratio = ratioTo(baseOf(state))
    const least = targets[state.id]
    return {
      ...{ state: state.id, workload: own[0].workload, least, met: least && ratio && ratio.median >= least },
      ...{ ratio, toNone: ratioTo('none') },
      perSecond: bootstrapped(own.map(perSecond)),
      micros: bootstrapped(own.map(({ threads, writes }) => micros(threads, writes))),
      behind: quantile(
        own.map(({ behind }) => behind),
        0.5,
      ),
      threads: threadsOf(own),
    }
  })
}

const perSecond = ({ writes, seconds }) => writes / seconds
const micros = (threads, writes) => (1e6 * threads.reduce((sum, { ran }) => sum + ran, 0)) / writes

/** Within rounds; undefined of a state to itself, and where the other was not measured. */
function ratios(own, bases) {
  if (bases.length === 0 || bases[0].state === own[0].state) return undefined
  return bootstrapped(
    own.map((slice) => perSecond(slice) / perSecond(bases.find(({ round }) => round === slice.round))),
  )
}

/** Medians a kind of thread: processor time of a write in us, percent of one processor while fio ran, wake-ups a second. */
function threadsOf(own) {
  const kinds = own[0].threads.map(({ process, thread }) => ({ process, thread }))
  return kinds
    .map(({ process, thread }) => {
      const of = (value) =>
        quantile(
          own.map((slice) => {
            const found = slice.threads.find((one) => one.process === process && one.thread === thread)
            return found === undefined ? 0 : value(found, slice)
          }),
          0.5,
        )
      return {
        ...{ process, thread, micros: of(({ ran }, { writes }) => (1e6 * ran) / writes) },
        percent: of(({ ran }, { seconds }) => (100 * ran) / seconds),
        wakeups: of(({ wakeups }, { seconds }) => wakeups / seconds),
      }
    })
    .filter(({ percent, wakeups }) => percent >= 0.05 || wakeups >= 1)
}

/** Events at most of what the store does when it ends, and at its start. */
const ending = 250

/**
 * Throws where something is missing that nobody counted as lost: what was recorded and what was lost is what so many writes emit, and
 * what comes with each run of fio.
 */
function account({ id, perWrite, slack }, { state, writes, loads, totals }) {
  const { form, share, by } = stateOf(state)
  const { events, lost, tracing } = totals
  const isSpans = share !== undefined
  const recorded = isSpans ? tracing.received : events
  const expected = (writes * perWrite[isSpans ? 'spans' : form]) / (share ?? 1)
  // How many requests a share takes is chance; an event that is lost may be any of a span's.
  const chance = share > 1 ? 6 * perWrite.spans * Math.sqrt(writes / share) : 0
  const room = loads * slack + ending + chance
  const missing = expected - recorded - lost
  const result = { state, writes, loads, unit: isSpans ? 'spans' : 'events', expected, recorded, lost }
  if (missing > chance || (missing < -room && !(isSpans && lost > 0)))
    throw new Error(
      `chain: ${id}: ${JSON.stringify(result)}: what was emitted is not what was recorded and lost`,
    )
  const reasons = (totals.traces ?? []).map(({ lost }) => lost)
  return { ...result, ...(by === 'memory' ? { kept: recorded } : {}), reasons: sumOf(reasons) }
}

function sumOf(counts) {
  const sum = {}
  for (const one of counts)
    for (const [reason, count] of Object.entries(one)) sum[reason] = (sum[reason] ?? 0) + count
  return Object.fromEntries(Object.entries(sum).filter(([, count]) => count > 0))
}
