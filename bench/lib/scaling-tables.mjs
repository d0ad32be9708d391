// bench/lib/scaling-tables.mjs: the tables of docs/scaling.md, by their names there. Every number comes from `result`. Pure.
import { table, whole } from './markdown.mjs'

/** Least squares: what one more of `x` adds. */
function slope(list, x, y) {
  const mean = (key) => list.reduce((sum, one) => sum + one[key], 0) / list.length
  const [meanX, meanY] = [mean(x), mean(y)]
  const over = list.reduce((sum, one) => sum + (one[x] - meanX) * (one[y] - meanY), 0)
  return over / list.reduce((sum, one) => sum + (one[x] - meanX) ** 2, 0)
}

function crowdTable({ crowds }) {
  const rows = crowds.map((one) => [one.rings, whole(one.sharedMib), one.consumerPercent.toFixed(1)])
  const each = ['sharedMib', 'consumerPercent'].map((key) => slope(crowds, 'rings', key))
  const head = ['processors that wrote', 'MiB of /dev/shm', 'consumer, % of a processor']
  return table(head, [...rows, ['**one more**', each[0].toFixed(2), each[1].toFixed(3)]])
}

function manyTable({ many }) {
  const head = ['tracepoints', 'rules', 'us to declare one', 'KiB for each', 'ms to switch one']
  return table(
    head,
    many.map((one) => [
      whole(one.tracepoints),
      whole(one.rules),
      ...[whole(one.declareUs), one.kibEach.toFixed(1), one.changeMs.toFixed(2)],
    ]),
    2,
  )
}

function sendersTable({ senders }) {
  const head = [
    'senders',
    'events/s asked',
    'held',
    'puts/s',
    'MiB/s',
    'relay, % of a processor',
    'us a put',
    'ns an event',
    'p99 of an answer, ms',
    'MiB of the relay',
    'ms for a new process',
  ]
  const body = senders.map((one) => [
    ...[one.senders, one.perSecond, one.eventsPerSecond, one.putsPerSecond].map(whole),
    ...[one.mibPerSecond.toFixed(1), whole(one.cpuPercent), whole(one.usPerPut), whole(one.nsPerEvent)],
    ...[one.answerP99Ms.toFixed(0), whole(one.relayMib), one.openMs.toFixed(1)],
  ])
  return table(head, body, 2)
}

/** What a thousand hosts of a million events a second come to, by what a million a second cost here. */
function fleetTable({ senders }) {
  const one = senders.find(({ senders: count, perSecond }) => count === 10 && perSecond === 1_000_000)
  const share = 1_000_000 / one.eventsPerSecond
  const mib = one.mibPerSecond * share
  const processors = (one.cpuPercent * share) / 100
  const day = (value) => ((value * 86_400) / 2 ** 20).toFixed(1)
  return table(
    ['', 'one host', 'a thousand'],
    [
      ['events a second', whole(1e6), whole(1e9)],
      ['MiB a second, of events with three integers', whole(mib), whole(mib * 1000)],
      ['TiB a day', day(mib), whole(Number(day(mib)) * 1000)],
      ['processors for relays', processors.toFixed(2), whole(processors * 1000)],
    ],
  )
}

export function scalingTables(result) {
  const { cpu, kernel } = result.machine
  return {
    machine: `Written by \`npm run bench:scaling\` on ${result.date}: ${cpu}, ${kernel}, Node ${result.node}.`,
    processors: crowdTable(result),
    tracepoints: manyTable(result),
    senders: sendersTable(result),
    fleet: fleetTable(result),
  }
}
