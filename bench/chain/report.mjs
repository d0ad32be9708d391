// bench/chain/report.mjs: turns bench/chain-results.json into docs/chain-overhead.md and the README's table. Every number comes from
// `result`, or from the tables of states.mjs.
import { judged, table, whole } from '../lib/markdown.mjs'
import { annotations } from './path.mjs'
import { baseOf, blkkin, states, targets, theirRatio, workloads } from './states.mjs'
import { ways } from './ways.mjs'

const stateOf = (id) => states.find((state) => state.id === id)
const wayOf = (name) => ways.find(({ id }) => name.startsWith(`${id}-`))
const nodeOf = (name) => `Node ${name.split('-')[1]}`
const titleOf = (name) => `${wayOf(name).says}, ${nodeOf(name)}`
const three = (value) => value.toFixed(3)
const few = (value) => (value < 10 ? value.toFixed(1) : whole(value))
const percent = (ratio) => `${(100 * (1 - ratio)).toFixed(1)} %`

/** Parts that were measured, of one way or of all; their names in order. */
const measured = ({ parts }, way = '') =>
  Object.keys(parts).filter((name) => name.startsWith(way) && parts[name].rows !== undefined)
const rowOf = (part, workload, state) =>
  part.rows.find((row) => row.workload === workload && row.state === state)
const withInterval = (row) =>
  row?.ratio
    ? `${judged(three(row.ratio.median), row.met)} (${row.ratio.interval.map(three).join(' - ')})`
    : ''

/** A line a state, a column a part. */
function ratiosTable(result, workload, names, cell = withInterval) {
  const shown = states.filter(({ id }) =>
    names.some((name) => rowOf(result.parts[name], workload, id)?.ratio),
  )
  const body = shown.map((state) => {
    const theirOwn = theirRatio(workload, state)
    return [
      ...[state.says, stateOf(baseOf(state)).says, targets[state.id] ? three(targets[state.id]) : ''],
      ...names.map((name) => cell(rowOf(result.parts[name], workload, state.id))),
      theirOwn ? three(theirOwn) : '',
    ]
  })
  const isOneWay = new Set(names.map(wayOf)).size === 1
  return table(['state', 'to', 'at least', ...names.map(isOneWay ? nodeOf : titleOf), 'BlkKin'], body, 2)
}

/** Of theirs, a second, the fewest and the most. */
function theirWrites() {
  const all = workloads.flatMap(({ id, bs }) =>
    Object.values(blkkin[id]).map((kb) => kb / Number.parseInt(bs, 10)),
  )
  return `${whole(Math.min(...all))} to ${whole(Math.max(...all))}`
}

/** What is lost to no tracing code at all, as the thesis has it. */
function lossTable(result, names) {
  const pairs = [
    ['stopped', 'off113'],
    ['traced', 'local113'],
    ['live', 'live113'],
    ['sampled', 'sampled'],
  ]
  const words = {
    stopped: 'tracing stopped',
    traced: 'recorded by LTTng',
    live: 'live',
    sampled: 'live, 1 request in 500',
  }
  const body = pairs.map(([their, id]) => [
    `${words[their]}; here: ${stateOf(id).says}`,
    ...workloads.flatMap(({ id: workload }) => [
      percent(blkkin[workload][their] / blkkin[workload].none),
      ...names.map((name) => {
        const row = rowOf(result.parts[name], workload, id)
        return row?.toNone ? percent(row.toNone.median) : ''
      }),
    ]),
  ])
  const heads = workloads.flatMap(({ says }) => [`BlkKin, ${says}`, ...names.map(nodeOf)])
  return table(['lost to no tracing code', ...heads], body)
}

function costTable(part, workload) {
  const body = part.rows
    .filter((row) => row.workload === workload)
    .map(({ state, perSecond, micros, behind, threads }) => {
      const wakeups = (process, thread) =>
        threads.filter((one) => one.process !== 'fio' && process(one.process) && one.thread === thread)
      const sum = (list) => whole(list.reduce((all, one) => all + one.wakeups, 0))
      return [
        ...[stateOf(state).says, whole(perSecond.median), few(micros.median)],
        micros.interval.map(few).join(' - '),
        sum(wakeups((process) => process !== 'relay', 'consumer')),
        sum(threads.filter(({ process }) => process === 'relay')),
        `${Math.round(behind * 1000)} ms`,
      ]
    })
  const head = [
    'state',
    'writes a second',
    'us of processor a write',
    'interval',
    'wake-ups a second: consumers',
    'relay',
  ]
  return table([...head, 'worked on after the last write'], body)
}

/** Percent of one processor while fio ran, and us of each write, a kind of thread; a column a state. */
function threadsTable(part, workload, value) {
  const rows = part.rows.filter((row) => row.workload === workload)
  const kinds = []
  for (const { threads } of rows)
    for (const { process, thread } of threads)
      if (!kinds.some((one) => one.process === process && one.thread === thread))
        kinds.push({ process, thread })
  const order = ['fio', 'block server', 'stores', 'relay']
  kinds.sort((a, b) => order.indexOf(a.process) - order.indexOf(b.process))
  const body = kinds.map(({ process, thread }) => [
    `${process}: ${thread}`,
    ...rows.map(({ threads }) => {
      const found = threads.find((one) => one.process === process && one.thread === thread)
      return found === undefined ? '' : value(found)
    }),
  ])
  return table(['thread', ...rows.map(({ state }) => stateOf(state).says)], body)
}

function accountsTable(result, names) {
  const body = names.flatMap((name) =>
    result.parts[name].accounts.map(({ state, unit, writes, expected, recorded, lost, reasons }) => {
      const why = Object.entries(reasons).map(([reason, count]) => `${reason} ${whole(count)}`)
      return [
        titleOf(name),
        stateOf(state).says,
        whole(writes),
        `${whole(expected)} ${unit}`,
        whole(recorded),
        [whole(lost), ...why].join('; '),
      ]
    }),
  )
  return table(['part', 'state', 'writes', 'they emit', 'recorded', 'counted as lost, events'], body, 2)
}

function missedLines(result) {
  const lines = measured(result).flatMap((name) =>
    result.parts[name].rows
      .filter(({ met }) => met === false)
      .map(({ state, workload, ratio, least }) => {
        const { says } = workloads.find(({ id }) => id === workload)
        return `- ${titleOf(name)}, ${says}: ${stateOf(state).says}: ${three(ratio.median)}; target ${three(least)}`
      }),
  )
  return lines.length === 0 ? 'None.' : lines.join('\n')
}

/** How many targets were missed. */
export const missedTargets = (result) =>
  measured(result).reduce(
    (sum, name) => sum + result.parts[name].rows.filter(({ met }) => met === false).length,
    0,
  )

const missingLines = ({ parts }) =>
  Object.entries(parts)
    .filter(([, { missing }]) => missing !== undefined)
    .map(([name, { missing }]) => `- Left out: ${titleOf(name)}: ${missing}.`)
    .join('\n')

/** What the README says of it. */
export function figures(result) {
  const names = measured(result, 'nbd')
  const { machine: m, date } = result.parts[names[0]]
  const cell = (row) => (row?.ratio ? judged(three(row.ratio.median), row.met) : '')
  return `In a chain: writes a second of fio on the block device of \`examples/blockstore\`, 4 KiB at random places, to those with tracing off, and of
off to those of a build without tracing code; beside it what the BlkKin thesis measured on its chain.

${ratiosTable(result, 'random', names, cell)}

What is bold misses its target. Measured on ${date}, ${m.cpu}, shared by fio, the block server, its two stores and the relay. All
workloads, ways, intervals, and where the time goes: [docs/chain-overhead.md](docs/chain-overhead.md).`
}

export function report(result) {
  const all = measured(result)
  const byNbd = measured(result, 'nbd')
  const others = all.filter((name) => !byNbd.includes(name))
  const [first] = byNbd
  const { machine: m, rounds } = result.parts[first]
  const parts = all.map((name) => {
    const { date, rounds, seconds, took, node } = result.parts[name]
    return [titleOf(name), node.version, date, rounds, seconds, whole(took)]
  })
  return `# What tracing costs a real chain
Made by \`npm run bench:chain\` from [bench/chain-results.json](../bench/chain-results.json), which has more digits; no number here is typed by hand,
but for BlkKin's, which are those of the thesis.

The BlkKin thesis measured what tracing costs where it is used: fio wrote through a guest, Archipelago and RADOS, ${annotations} annotations a write.
This is the same on the block store of [examples/blockstore](../examples/blockstore/README.md): what is measured is fio's writes a second, and the processor
time that a write takes in all processes. A value in bold misses its target.

| | |
| --- | --- |
| processors, shared by all | ${m.cpu}, clocksource ${m.clocksource} |
| system | ${m.system}, ${m.kernel}, ${m.libc} |

${table(['part', 'Node.js', 'measured', 'rounds', 's of fio a round and state', 's in all'], parts)}
${missingLines(result)}
## Writes a second, to tracing off
Of the same build, and of off to a build without tracing code; medians of the ratios within ${rounds} rounds, in brackets where the median lies 19 times of 20.
${workloads
  .map(
    ({ id, says }) => `
### ${says}
![${says}: ratios by state, with BlkKin's and the targets](images/chain-${id}.svg)

${ratiosTable(result, id, byNbd)}${others.length === 0 ? '' : `\n\n${ratiosTable(result, id, others)}`}
`,
  )
  .join('')}
## Beside the thesis
In its own terms: what is lost to a build without tracing code.

${lossTable(result, byNbd)}

Their chain did ${theirWrites()} writes a second, which waited for disks and a network for most of their time; this one does thousands, and keeps its
processors busy with them, so that each microsecond of tracing is one less for writes.

## Missed
${missedLines(result)}

## What a write costs
${workloads.map(({ id, says }) => byNbd.map((name) => `### ${says}, ${titleOf(name)}\n${costTable(result.parts[name], id)}\n`).join('\n')).join('\n')}
The processor time is that of fio, the block server, both stores and the relay, each thread of them, with what they still do after the last write
of a round; wake-ups of a relay are those of all its threads.

## Who takes it
4 KiB random writes, ${titleOf(first)}: us of processor a write.

${threadsTable(result.parts[first], 'random', (one) => few(one.micros))}

Percent of one processor while fio ran.

${threadsTable(result.parts[first], 'random', (one) => few(one.percent))}

## Nothing lost in silence
What fio wrote, times the events or spans of a write, is what was recorded and what was counted as lost; else the benchmark fails. A few more are
handshakes and the store's end; one request in 500 is chance. What a flight recorder kept it hands to a relay at the end, to be counted.

${accountsTable(result, all)}

## How
- **Builds.** \`none\`: the block store with each call of a tracepoint taken out, and \`blkin\` replaced by spans whose methods are empty
  (bench/chain/untraced.mjs); what the store does itself for the sake of spans, such as asking a socket for its peer, stays. \`store\`: as it is, with
  the ${wayOf(first).perWrite.store} events of a write. \`steps\`: as it is, and before each statement of the functions that a write goes through
  (bench/chain/path.mjs) a tracepoint with the request's number, so that there are ${annotations} a write in the three processes, as BlkKin's had. Name and
  time are the annotation; BlkKin's name of the trace, service, address and port are the same for all of a process and stand once in a trace here. All
  are bundled by esbuild with \`blkin/esbuild\`, as [static call sites](static.md) are made.
- **States.** Recorded to local files: \`blkin record -- node ...\`, which is a relay in the command's own process. Live: a \`blkin relay --http\` beside it, which
  has events in its files 100 ms after they happen at most. Spans go to the same, and are put together and stored there. Flight recorder: a session
  without a relay in overwrite mode, by \`blkin enable --session\`. Rings and all else as they are by default.
- **Rounds.** A server of each state is kept with its warm code and takes its turn, in a new order each round, for both workloads; the next begins
  when all processes are idle again. fio: depth 16, 48 MiB of a disk of 64 MiB, page cache and loopback.
- **Guest.** QEMU with a disk for each state; emulated, also where there is KVM, so that it is the same everywhere: most of a write's time is the
  emulation's there.
- **RADOS.** ${ways.find(({ id }) => id === 'rados').perWrite.store} and ${ways.find(({ id }) => id === 'rados').perWrite.steps} events a write, since the OSDs have none of ours. OSDs' own accounts are not asked for here; [with them](load.md).
- \`npm run bench:chain -- --quick\` takes a minute and fails where a ratio is beyond bounds that leave room for a small and busy machine; \`npm test\`
  runs it. \`--part\` measures a part again, and \`--report\` only writes this page.
`
}
