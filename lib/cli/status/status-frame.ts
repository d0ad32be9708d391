// lib/cli/status/status-frame.ts: a relay's status as a person reads it. Pure. A part with something wrong comes before those
// without, the headline says what it is, and in each part what is wrong comes first. Names are anybody's: they are cut, and no terminal obeys them.
import type { RelayStatus } from '@blkin/relay'
import { bytes, count, duration, grouped, uptime } from '../print/amounts.js'
import { addLost, cures, lostOf } from '../print/losses.js'
import type { Style } from '../print/print.js'
import { type Column, cutTo, renderTable } from '../print/table.js'
import { visible } from '../print/visible.js'

type Alert = NonNullable<RelayStatus['alerts']>['alerts'][number]
type Outbox = RelayStatus['sinks'][number]
type Rejection = NonNullable<RelayStatus['rejections']>[number]

/** So many processes are listed; --json has all. */
const mostProcesses = 20
/** For so long after the last something is wrong that its sender has still, and tries again. */
const retriedMs = 60_000
const most = 60
/** Of a message. */
const mostWords = 300
const right = true

interface Part {
  /** What is wrong with it, for the headline: "2 alerts fire"; undefined where nothing is. */
  wrong(status: RelayStatus): string | undefined
  /** None where the relay has no such part. */
  lines(status: RelayStatus, style: Style): string[]
}

/** Whatever is wrong now, and every span and event that was lost since the relay began. */
export function isWell(status: RelayStatus): boolean {
  return parts.every(({ wrong }) => wrong(status) === undefined)
}

export function renderStatus(base: string, status: RelayStatus, style: Style): string[] {
  const { version, since, now } = status
  const all = parts.map(({ wrong, lines }) => ({ wrong: wrong(status), lines: lines(status, style) }))
  const wrong = all.flatMap(({ wrong }) => wrong ?? [])
  const how = wrong.length === 0 ? 'all is well' : style.warn(wrong.join(', '))
  const up = uptime((now - since) / 1000)
  return [
    style.bold(`relay ${cell(version)} at ${base}, up ${up}: `) + how,
    ...all
      .filter(({ lines }) => lines.length > 0)
      .sort((a, b) => Number(b.wrong !== undefined) - Number(a.wrong !== undefined))
      .flatMap(({ lines }) => ['', ...lines]),
  ]
}

const firing = ({ alerts }: RelayStatus): Alert[] =>
  (alerts?.alerts ?? []).filter(({ state }) => state === 'firing')

const outboxes = ({ sinks, alerts }: RelayStatus): Outbox[] => [
  ...sinks,
  ...(alerts?.webhook ? [alerts.webhook] : []),
  ...(alerts?.alertmanagers ?? []),
]

const failing = (status: RelayStatus): Outbox[] => outboxes(status).filter(({ error }) => error !== undefined)

/** One that takes all now, and did not always. */
const lossy = (status: RelayStatus): Outbox[] =>
  outboxes(status).filter(({ error, refused, dropped }) => error === undefined && refused + dropped > 0)

const shownLabels = (labels: Alert['labels'] = {}): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ') || '-'

const order = ['firing', 'pending', 'inactive']

const alertsPart: Part = {
  wrong: (status) => problemText(firing(status).length, 'alert', 'fires', 'fire'),
  lines({ alerts, now }, style) {
    const columns: Column[] = [
      ...[{ head: 'ALERT' }, { head: 'STATE' }, { head: 'SINCE', right }],
      ...[
        { head: 'VALUE', right },
        { head: 'ABOVE', right },
        { head: 'OVER', right },
        { head: 'SPANS', right },
      ],
      ...[{ head: 'OF' }, { head: 'TRACE' }],
    ]
    const all = alerts?.alerts ?? []
    const hasLabels = all.some(({ labels }) => labels !== undefined)
    if (hasLabels) columns.push({ head: 'LABELS' })
    const rows = [...all]
      .sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
      .map(({ state, since, shown, windowMs, count, traces, labels }) => [
        ...[cell(shown.name), state === 'firing' ? style.warn(state) : cell(state)],
        ...[uptime((now - since) / 1000), cell(shown.value), cell(shown.threshold)],
        ...[duration(windowMs * 1e6), grouped(count), cell(shown.measure), cell(traces[0] ?? '-')],
        ...(hasLabels ? [cell(shownLabels(labels))] : []),
      ])
    return table(columns, rows, style)
  },
}

const sinksPart: Part = {
  wrong: (status) =>
    joined(
      problemText(failing(status).length, 'sink', 'fails', 'fail'),
      problemText(lossy(status).length, 'sink', 'refused or dropped some', 'refused or dropped some'),
    ),
  lines(status, style) {
    const columns: Column[] = [
      ...[{ head: 'SINK' }, { head: 'STATE' }, { head: 'SINCE', right }, { head: 'DELIVERED', right }],
      ...[
        { head: 'WAITING', right },
        { head: 'REFUSED', right },
        { head: 'DROPPED', right },
        { head: 'WHY' },
      ],
    ]
    const rows = outboxes(status)
      .toSorted((a, b) => Number(b.error !== undefined) - Number(a.error !== undefined))
      .map(({ name, error, failingSince = status.now, delivered, waiting, refused, dropped }) => [
        ...[cell(name), stateOf(error, style)],
        error === undefined ? '-' : uptime((status.now - failingSince) / 1000),
        ...[grouped(delivered), grouped(waiting), bad(refused, style), bad(dropped, style)],
        cell(error ?? '-'),
      ])
    return table(columns, rows, style)
  },
}

const spansPart: Part = {
  wrong: ({ spans: { refused } }) => problemText(refused, 'span', 'refused', 'refused'),
  lines({ spans: { received, stored, sampledOut, refused, waiting }, behind }, style) {
    const heads = ['RECEIVED', 'STORED', 'SAMPLED OUT', 'REFUSED', 'WAITING', 'BEHIND']
    const late = behind === undefined || behind.bytes === 0 ? '-' : `${(behind.ms / 1000).toFixed(1)}s`
    const cells = [grouped(received), grouped(stored), grouped(sampledOut), bad(refused, style)]
    const columns = [{ head: 'SPANS' }, ...heads.map((head) => ({ head, right }))]
    return table(columns, [['', ...cells, grouped(waiting), late]], style)
  },
}

/** Spans are told of in their own part. */
const isWrong = ({ what, isLost, last }: Rejection, now: number): boolean =>
  what !== 'span' && (isLost || now - last < retriedMs)

const rejectionsPart: Part = {
  wrong({ rejections = [], now }) {
    const counts = new Map<string, number>()
    for (const one of rejections) {
      if (isWrong(one, now)) counts.set(one.what, (counts.get(one.what) ?? 0) + one.count)
    }
    return joined(...[...counts].map(([what, n]) => `${count(n, cell(what))} refused`))
  },
  lines({ rejections = [], now }, style) {
    const columns: Column[] = [
      ...[{ head: 'REFUSED' }, { head: 'WHY' }, { head: 'TIMES', right }, { head: 'LAST', right }],
      { head: 'THE LAST' },
    ]
    const rows = rejections
      .toSorted((a, b) => Number(isWrong(b, now)) - Number(isWrong(a, now)) || b.last - a.last)
      .map((one) => [
        ...[cell(one.what), isWrong(one, now) ? style.warn(cell(one.reason)) : cell(one.reason)],
        ...[grouped(one.count), `${uptime((now - one.last) / 1000)} ago`, line(one.message)],
      ])
    return table(columns, rows, style)
  },
}

/** What goes by --keep was to go; what the disk lost was not. */
const tracesPart: Part = {
  wrong: ({ traces }) =>
    problemText(traces?.repaired.streams ?? 0, 'file', 'cut by the disk', 'cut by the disk'),
  lines({ traces }, style) {
    if (traces === undefined) return []
    const { kept, removed, repaired } = traces
    const heads = ['KEPT', 'SIZE', 'REMOVED', 'EVENTS', 'REPAIRED', 'MISSING']
    const columns = [{ head: 'TRACES' }, ...heads.map((head) => ({ head, right }))]
    const cells = [
      ...[grouped(kept.traces), bytes(kept.bytes), grouped(removed.traces), grouped(removed.events)],
      ...[bad(repaired.streams, style), bad(repaired.events, style)],
    ]
    const rest = kept.isOver
      ? [style.dim('more than --keep says: who writes to them lives, or did a moment ago')]
      : []
    return [...table(columns, [['', ...cells]], style), ...rest]
  },
}

/** What is put off comes again: it is not wrong, and what is bad stands among what was refused. */
const scribePart: Part = {
  wrong: ({ scribe }) => (scribe?.trouble === undefined ? undefined : "Scribe's files fail"),
  lines({ scribe }, style) {
    if (scribe === undefined) return []
    const columns: Column[] = [
      ...[{ head: 'SCRIBE' }, { head: 'STATE' }, { head: 'TAKEN', right }, { head: 'BAD', right }],
      ...[{ head: 'PUT OFF', right }, { head: 'WRITTEN', right }, { head: 'WHY' }],
    ]
    const { good, denied, trouble } = scribe
    const state = ['', stateOf(trouble, style), grouped(good), bad(scribe.bad, style), grouped(denied)]
    return table(columns, [[...state, bytes(scribe.bytes), cell(trouble ?? '-')]], style)
  },
}

const processesPart: Part = {
  wrong: ({ processes, goneLost = 0 }) => {
    const losers = processes.filter(({ lost }) => lostOf(lost) > 0).length
    const lostBefore =
      goneLost === 0 ? undefined : `${count(goneLost, 'event')} lost by processes that are gone`
    return joined(problemText(losers, 'process', 'lost events', 'lost events'), lostBefore)
  },
  lines({ processes, gone }, style) {
    const columns = [
      { head: 'PID', right },
      { head: 'NAME' },
      { head: 'EVENTS', right },
      { head: 'LOST', right },
    ]
    const rows = processes
      .map(({ lost, ...rest }) => ({ ...rest, lost: lostOf(lost) }))
      .sort((a, b) => b.lost - a.lost || a.pid - b.pid)
      .slice(0, mostProcesses)
      .map(({ pid, program, events, lost }) => [
        ...[String(pid), cell(program), grouped(events), bad(lost, style)],
      ])
    const more = processes.length - rows.length
    const rest = [
      ...(more > 0 ? [`${grouped(more)} more`] : []),
      ...(gone > 0 ? [`${grouped(gone)} gone`] : []),
      ...(processes.length === 0 ? ['no process is connected'] : []),
    ]
    const footer = rest.length === 0 ? [] : [style.dim(rest.join(', '))]
    return [...table(columns, rows, style), ...footer, ...cures(addLost(processes.map(({ lost }) => lost)))]
  },
}

const parts = [alertsPart, sinksPart, rejectionsPart, spansPart, scribePart, tracesPart, processesPart]

const problemText = (n: number, what: string, one: string, many: string): string | undefined =>
  n === 0 ? undefined : `${count(n, what)} ${n === 1 ? one : many}`

/** Undefined where none of them is. */
const joined = (...wrong: (string | undefined)[]): string | undefined =>
  wrong.filter((one) => one !== undefined).join(', ') || undefined

const stateOf = (error: string | undefined, style: Style): string =>
  error === undefined ? 'takes' : style.warn('fails')

const bad = (n: number, style: Style): string => (n > 0 ? style.warn(grouped(n)) : '0')

function table(columns: Column[], rows: string[][], style: Style): string[] {
  if (rows.length === 0) return []
  const [head = '', ...lines] = renderTable(columns, rows)
  return [style.dim(head), ...lines]
}

const line = (text: string): string => visible(text.slice(0, mostWords))

const cell = (text: string): string => cutTo(visible(text.slice(0, 4 * most)), most)
