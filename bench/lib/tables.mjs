// bench/lib/tables.mjs: the tables of bench/results.json, for report.mjs. Every number comes from `result`.
import { judged, millions, ns, range, ratio, table, verdict, whole } from './markdown.mjs'
import { programForms, programTarget, shapes } from './programs.mjs'
import { endToEndTarget, latencyRows, packTarget, rows } from './rows.mjs'

const nodeHeads = (nodes) => nodes.map(({ line }) => `Node ${line}`)
const saysOf = (id) => rows.find((row) => row.id === id).says.replaceAll('**', '')

/** A line a target, a column a Node. */
export function targetsTable({ nodes }) {
  const body = nodes[0].targets.map(({ says, less, most }) => {
    const form = less === undefined ? ratio : (value) => `${value.toFixed(2)} ns`
    const cells = nodes.map(({ targets }) => {
      const one = targets.find((other) => other.says === says)
      return one === undefined ? '' : judged(form(one.median), one.met)
    })
    return [says, most === undefined ? '' : form(most), ...cells]
  })
  return table(['ratio, or difference', 'at most', ...nodeHeads(nodes)], body)
}

const sameProgram = (a, b) =>
  a.shape === b.shape && a.form === b.form && a.count === b.count && a.been === b.been

/** Never on / been on, a column a Node. */
export function programsTable({ nodes }, wanted) {
  const listed = nodes[0].programs.filter(({ been }) => !been).filter(wanted)
  const body = listed.map((program) => {
    const { shape, form, count } = program
    const both = [false, true].map((been) => ({ ...program, been }))
    const most = both.map((one) => programTarget(one, nodes[0].line)).filter((one) => one !== undefined)
    const cells = nodes.map(({ programs }) =>
      both
        .map((one) => programs.find((other) => sameProgram(other, one)))
        .map((one) => judged(one.median.toFixed(3), one.met))
        .join(' / '),
    )
    const target = most.map((one) => ratio(one)).join(' / ')
    return [`${count} ${shapes[shape]}, ${programForms[form]}`, target, ...cells]
  })
  return table(['tracepoints', 'at most', ...nodeHeads(nodes)], body)
}

export function costsTable({ nodes }) {
  const [first, ...others] = nodes
  const body = rows
    .filter(({ id }) => id in first.costs)
    .map(({ id, says }) => {
      const one = first.costs[id]
      const alone = one.alone === undefined ? '' : ns(one.alone)
      const there = others.map(({ costs }) => (id in costs ? ns(costs[id].median) : ''))
      return [says, ns(one.median), range(one, ns), alone, ratio(one.toFloor), ...there]
    })
  const head = [
    'one turn of the loop',
    `ns, Node ${first.line}`,
    'p25 - p75',
    'over its loop',
    'to the floor',
  ]
  return table([...head, ...nodeHeads(others)], body)
}

export function latencyTable({ nodes: [{ latency }] }) {
  const body = latencyRows.map((id) => {
    const { p50, p99, p999, max } = latency[id]
    return [saysOf(id), ...[p50, p99, p999, max].map(whole)]
  })
  return table(['one turn alone, ns', 'p50', 'p99', 'p99.9', 'longest'], body)
}

export function garbageTable({ nodes }) {
  const body = Object.keys(nodes[0].garbage).map((id) => [
    saysOf(id),
    ...nodes.map(({ garbage }) => whole(garbage[id])),
  ])
  return table(['bytes of the heap a turn, over the loop', ...nodeHeads(nodes)], body)
}

export function threadsTable({ threads }) {
  const body = threads.map(({ threads: count, perSecond, cpuNs }) => [
    count,
    millions(perSecond.median),
    range(perSecond, millions),
    ns(cpuNs.median),
    ratio(cpuNs.median / threads[0].cpuNs.median),
  ])
  return table(
    [
      'Workers that emit at once',
      'million events/s in all',
      'p25 - p75',
      'processor ns an event',
      'to one Worker',
    ],
    body,
  )
}

export function recorded({ nodes: [{ costs, account, lttng }] }) {
  const body = ['none', 'ints', 'request', 'text'].map((event) => {
    const perSecond = 1e9 / costs[`js.${event}`].median
    const [ring, ctf] = [account.bytes[event], account.ctfBytes[event]]
    return [event, millions(perSecond), whole(account.emitted[event]), whole(ring), ctf.toFixed(1)]
  })
  const sessions = account.sessions.map(({ name, emitted, lost, overwritten, acknowledged, counted }) => [
    name,
    ...[emitted, lost, overwritten, acknowledged, counted].map(whole),
  ])
  const { filtered, named, sampled } = account.refused
  const discarded = lttng
    ? `\nLTTng discarded ${whole(lttng.discarded)} of its ${whole(lttng.emitted)}; what is discarded costs less, so its times are at least these.`
    : ''
  return `${table(['event', 'million/s while emitting', 'emitted in all', 'bytes in the ring', 'bytes in CTF'], body)}

${table(['session', 'emitted', 'lost', 'overwritten', 'acknowledged by the relay', 'counted in the files'], sessions)}

Refused: ${whole(filtered)} and ${whole(named)} events by filters that were to keep none, and kept none; ${whole(sampled)} by a sample of
1/1000000, and ${whole(account.sampledKept)} kept.${discarded}`
}

export function ratesTable({ endToEnd }) {
  const percent = (value) => `${value.toFixed(0)} %`
  const body = endToEnd.runs.map((run) => [
    ...[millions(run.perSecond), run.held ? 'yes' : 'no', whole(run.emitted), whole(run.lost)],
    ...[run.cpu.emitting, run.cpu.consumer, run.cpu.relayMain, run.cpu.relayOthers].map(percent),
    `${run.worstLag.toFixed(0)} ms`,
  ])
  const head = [
    'million events/s',
    'held',
    'emitted',
    'lost',
    'emitting',
    'consumer',
    'relay, JS',
    'relay, I/O',
  ]
  return table([...head, 'worst stall'], body)
}

export function throughput({ nodes: [{ pack }], endToEnd }) {
  const rate = endToEnd.best ? millions(endToEnd.best.perSecond) : 'no rate held; 0'
  return `- Out of the ring into CTF packets, C++, one core: ${millions(pack.perSecond)} million events a second;
  target ${millions(packTarget)}: ${verdict(pack.met)}.
- End to end with nothing lost: ${rate} million events a second; target ${millions(endToEndTarget)}: ${verdict(endToEnd.met) || 'not looked for'}.`
}

export const gateTable = ({ ratios }) =>
  table(
    ['ratio', 'published', 'spread'],
    Object.entries(ratios).map(([name, { median, spread }]) => [
      `\`${name}\``,
      median.toFixed(3),
      spread.toFixed(3),
    ]),
  )
