// bench/lib/results.mjs: what was measured as plain JSON, with medians, quartiles, intervals and verdicts: bench/results.json. All that
// is shown comes from there: report.mjs, chart.mjs.

import { jobName } from './job.mjs'
import { compare } from './measure.mjs'
import { programs, programTarget } from './programs.mjs'
import { endToEndTarget, packTarget, rows, targets } from './rows.mjs'
import { quantile, spread, summary } from './stats.mjs'

const met = (value, most) => (most === undefined ? undefined : value <= most)

function judgeTargets(results) {
  return targets.flatMap((target) => {
    const list = compare(results, target)
    if (list === undefined) return [] // a peer that is not there
    const measured = summary(list)
    return [{ ...target, ...measured, met: met(measured.median, target.most) }]
  })
}

/** Each row's ns; over its loop, and to the floor, within rounds. */
function costs(results) {
  return Object.fromEntries(
    rows
      .filter(({ id }) => results.has(id))
      .map(({ id, over }) => {
        const { ns, count } = results.get(id)
        const middle = (pair) => quantile(compare(results, { of: id, ...pair }), 0.5)
        const alone = over === undefined ? undefined : middle({ less: over })
        return [id, { ...spread(ns), turns: count, alone, toFloor: middle({ to: 'js.floor' }) }]
      }),
  )
}

function judgePrograms(measured, line) {
  return programs.flatMap((program) => {
    const one = measured[jobName(program)]
    if (one === undefined) return []
    const most = programTarget(program, line)
    return [{ ...program, ...one.ratio, ns: one.ns, most, met: met(one.ratio.median, most) }]
  })
}

/** What was measured under one Node. */
export function nodeResults({ line, version, v8, results, jobs, garbage, latency, account, lttng }) {
  const packNs = quantile(results.get('pack.pack').ns, 0.5)
  const pack = { perSecond: 1e9 / packNs, met: 1e9 / packNs >= packTarget }
  return {
    ...{ line, version, v8, costs: costs(results), targets: judgeTargets(results) },
    ...{ programs: judgePrograms(jobs, line), garbage, latency, account, lttng, pack },
  }
}

/** The highest rate that held; `met` is undefined where none was looked for that does not. */
export function endToEndResults(runs) {
  const best = runs.filter(({ held }) => held).sort((a, b) => b.perSecond - a.perSecond)[0]
  const searched = runs.some(({ held }) => !held)
  return { runs, best, met: searched ? (best?.perSecond ?? 0) >= endToEndTarget : undefined }
}

/** How many targets were missed, over all Nodes. */
export function missedTargets({ nodes, endToEnd }) {
  const judged = nodes.flatMap((node) => [...node.targets, ...node.programs, node.pack])
  return [...judged, endToEnd].filter((one) => one.met === false).length
}
