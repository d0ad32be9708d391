// bench/lib/gate.mjs: whether this build is slower than the published figures. A few ratios that hold on a slow and busy machine, each of
// two things that one process does within the same millisecond; what is written goes to a session in memory, so that nobody reads beside.
// A ratio is worse where all of its interval lies above the published median by more than the published spread, three times in a row:
// a build that is slower is slower each time, and a machine that was busy is not.
import { withChildren } from './events.mjs'
import { jobName } from './job.mjs'
import { machine } from './machine.mjs'
import { compare, measure } from './measure.mjs'
import { measurePrograms } from './measure-programs.mjs'
import { baseOf, programs } from './programs.mjs'
import { rows } from './rows.mjs'
import { quantile, summary } from './stats.mjs'

const pairs = [
  { of: 'js.filtered', to: 'js.loop' },
  { of: 'js.sampled', to: 'js.loop' },
  { of: 'spans.span', to: 'spans.otel' },
  { of: 'js.small', to: 'js.floor' },
]
/** Reading the clock costs one processor more than another: compared only on the kind that was published. */
const ofProcessor = ['js.small / js.floor']

/** Plain calls only on Node 20: later ones make their objects or not, as the compilation comes out. */
const watched = (line) =>
  programs.filter(
    ({ form, shape, count }) => shape === 'one' && count === 50 && (form !== 'plain' || line === 20),
  )

/** The least spread, as a part of the ratio: another processor, of the same name even, makes as much of it. */
const least = { job: 0.05, event: 0.25 }
const leastOf = (name) => (name.includes(' / ') ? least.event : least.job)

const rounds = 100
const tries = 3

/** @returns by name a summary of the ratios of one run, in processes of its own */
async function ratios(where) {
  const { node, line } = where
  const own = watched(line)
  const names = [...new Set(own.map(baseOf)), ...own.map(jobName)]
  const jobs = await measurePrograms(node, { rounds, warm: 40, names })
  const ids = new Set(pairs.flatMap(({ of, to }) => [of, to]))
  const wanted = rows.filter(({ id }) => ids.has(id))
  const results = await withChildren({ ...where, missing: ['lttng'] }, (children) =>
    measure(wanted, children, { rounds, warmSlices: 40 }),
  )
  const events = pairs.map((pair) => [`${pair.of} / ${pair.to}`, summary(compare(results, pair))])
  return {
    ...Object.fromEntries(Object.entries(jobs).map(([name, { ratio }]) => [name, ratio])),
    ...Object.fromEntries(events),
  }
}

/** What is published: the median of some runs, and how far apart the rounds of one are, and the runs; no less than `least`. */
export async function publishGate(where, runs) {
  const taken = []
  for (let i = 0; i < runs; i++) taken.push(await ratios(where))
  const ratiosOf = Object.fromEntries(
    Object.keys(taken[0]).map((name) => {
      const medians = taken.map((one) => one[name].median)
      const within = taken.map((one) => one[name].p75 - one[name].p25)
      const between = Math.max(...medians) - Math.min(...medians)
      const median = quantile(medians, 0.5)
      return [name, { median, spread: Math.max(quantile(within, 0.5) + between, leastOf(name) * median) }]
    }),
  )
  return { line: where.line, cpu: machine().cpu, ratios: ratiosOf }
}

export const isWorse = ({ interval }, { median, spread }) => interval[0] > median + spread

/**
 * @param {{ cpu: string, ratios: object }} gate as published
 * @returns what is worse, as lines; none where all is well
 */
export async function checkGate(where, { cpu, ratios: published }, say) {
  const isSame = cpu === machine().cpu
  if (!isSame) say(`published on ${cpu}: not compared here: ${ofProcessor}`)
  let suspects = Object.keys(published).filter((name) => isSame || !ofProcessor.includes(name))
  let lines = []
  for (let i = 0; i < tries && suspects.length > 0; i++) {
    const now = await ratios(where)
    suspects = suspects.filter((name) => isWorse(now[name], published[name]))
    lines = suspects.map((name) => line(name, now[name], published[name]))
    for (const one of lines) say(`try ${i + 1} of ${tries}: ${one}`)
  }
  return lines
}

const line = (name, now, { median, spread }) =>
  `${name}: ${now.median.toFixed(3)} (at least ${now.interval[0].toFixed(3)}), published ${median.toFixed(3)} with a spread of ${spread.toFixed(3)}`
