// lib/cli/status-frame.ts: a relay's status as a person reads it. Pure. The part with something wrong comes before those
// without, and in each part what is wrong comes first. Names are anybody's: they are cut, and no terminal obeys them.
import type { LostCounts, RelayStatus } from '@blkin/relay'
import { alertName } from './alert-name.js'
import { count, duration, grouped, uptime } from './amounts.js'
import type { Style } from './print.js'
import { type Column, cutTo, renderTable } from './table.js'
import { visible } from './visible.js'

type Alert = NonNullable<RelayStatus['alerts']>['alerts'][number]
type Outbox = RelayStatus['sinks'][number]

/** So many processes are listed; --json has all. */
const mostProcesses = 20
const most = 60
const right = true

interface Part {
  /** How many of it are. */
  wrong: number
  lines: string[]
}

export function isWell(status: RelayStatus): boolean {
  return firing(status).length === 0 && failing(status).length === 0
}

export function renderStatus(base: string, status: RelayStatus, style: Style): string[] {
  const { version, since, now } = status
  const parts: Part[] = [alertsPart(status, style), sinksPart(status, style), spansPart(status, style)]
  parts.push(processesPart(status, style))
  const told = [
    ...[firing(status).length]
      .filter((n) => n > 0)
      .map((n) => `${count(n, 'alert')} ${n === 1 ? 'fires' : 'fire'}`),
    ...[failing(status).length]
      .filter((n) => n > 0)
      .map((n) => `${count(n, 'sink')} ${n === 1 ? 'fails' : 'fail'}`),
  ]
  const how = told.length === 0 ? 'all is well' : style.warn(told.join(', '))
  const up = uptime((now - since) / 1000)
  return [
    style.bold(`relay ${cell(version)} at ${base}, up ${up}: `) + how,
    ...parts
      .filter(({ lines }) => lines.length > 0)
      .sort((a, b) => Number(b.wrong > 0) - Number(a.wrong > 0))
      .flatMap(({ lines }) => ['', ...lines]),
  ]
}

const firing = ({ alerts }: RelayStatus): Alert[] =>
  (alerts?.alerts ?? []).filter(({ state }) => state === 'firing')

const outboxes = ({ sinks, alerts }: RelayStatus): Outbox[] =>
  alerts?.webhook ? [...sinks, alerts.webhook] : sinks

/** One that was turned away or dropped something long ago, and takes all now, does not. */
const failing = (status: RelayStatus): Outbox[] => outboxes(status).filter(({ error }) => error !== undefined)

const order = ['firing', 'pending', 'inactive']

function alertsPart(status: RelayStatus, style: Style): Part {
  const { alerts, now } = status
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
  const rows = [...(alerts?.alerts ?? [])]
    .sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
    .map(({ alert, by, state, since, shown, windowMs, count, traces }) => [
      cutTo(alertName(alert, by), most),
      ...[state === 'firing' ? style.warn(state) : cell(state), uptime((now - since) / 1000)],
      ...[cell(shown.value), cell(shown.threshold), duration(windowMs * 1e6), grouped(count)],
      ...[cell(shown.measure), cell(traces[0] ?? '-')],
    ])
  return part(columns, rows, firing(status).length, style)
}

function sinksPart(status: RelayStatus, style: Style): Part {
  const columns: Column[] = [
    ...[{ head: 'SINK' }, { head: 'STATE' }, { head: 'SINCE', right }, { head: 'DELIVERED', right }],
    ...[{ head: 'WAITING', right }, { head: 'REFUSED', right }, { head: 'DROPPED', right }, { head: 'WHY' }],
  ]
  const bad = (n: number) => (n > 0 ? style.warn(grouped(n)) : '0')
  const rows = outboxes(status)
    .toSorted((a, b) => Number(b.error !== undefined) - Number(a.error !== undefined))
    .map(({ name, error, failingSince = status.now, delivered, waiting, refused, dropped }) => [
      cell(name),
      error === undefined ? 'takes' : style.warn('fails'),
      error === undefined ? '-' : uptime((status.now - failingSince) / 1000),
      ...[grouped(delivered), grouped(waiting), bad(refused), bad(dropped), cell(error ?? '-')],
    ])
  return part(columns, rows, failing(status).length, style)
}

function spansPart({ spans }: RelayStatus, style: Style): Part {
  const { received, stored, sampledOut, refused, waiting } = spans
  const heads = ['RECEIVED', 'STORED', 'SAMPLED OUT', 'REFUSED', 'WAITING']
  const cells = [received, stored, sampledOut, refused, waiting].map(grouped)
  if (refused > 0) cells[3] = style.warn(cells[3]!)
  return part(
    [{ head: 'SPANS' }, ...heads.map((head) => ({ head, right }))],
    [['', ...cells]],
    refused,
    style,
  )
}

function processesPart({ processes, gone }: RelayStatus, style: Style): Part {
  const all = processes
    .map(({ lost, ...rest }) => ({ ...rest, lost: sumOf(lost) }))
    .sort((a, b) => b.lost - a.lost || a.pid - b.pid)
  const columns: Column[] = [
    ...[{ head: 'PID', right }, { head: 'NAME' }, { head: 'EVENTS', right }, { head: 'LOST', right }],
  ]
  const rows = all
    .slice(0, mostProcesses)
    .map(({ pid, program, events, lost }) => [
      ...[String(pid), cell(program), grouped(events), lost > 0 ? style.warn(grouped(lost)) : '0'],
    ])
  const wrong = all.filter(({ lost }) => lost > 0).length
  const more = all.length - rows.length
  const rest = [
    ...(more > 0 ? [`${grouped(more)} more`] : []),
    ...(gone > 0 ? [`${grouped(gone)} gone`] : []),
    ...(all.length === 0 ? ['no process is connected'] : []),
  ]
  const { lines } = part(columns, rows, wrong, style)
  return { wrong, lines: rest.length === 0 ? lines : [...lines, style.dim(rest.join(', '))] }
}

function part(columns: Column[], rows: string[][], wrong: number, style: Style): Part {
  if (rows.length === 0) return { wrong: 0, lines: [] }
  const [head = '', ...lines] = renderTable(columns, rows)
  return { wrong, lines: [style.dim(head), ...lines] }
}

const sumOf = (lost: LostCounts): number =>
  lost.noRoom + lost.tooBig + lost.badValue + lost.noRing + lost.overwritten

const cell = (text: string): string => cutTo(visible(text.slice(0, 4 * most)), most)
