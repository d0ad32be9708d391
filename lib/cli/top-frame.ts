// lib/cli/top-frame.ts: one picture of `blkin top`: a heading, then as many rows as the screen has, as wide as it is. Pure.
import { duration, grouped, short } from './amounts.js'
import type { Style } from './print.js'
import { sparkline } from './sparkline.js'
import { type Column, cutTo, renderTable } from './table.js'
import { type Row, seconds } from './top-model.js'

export interface Heading {
  processes: string
  sessions: number
  relay: string
  lost: number
}

const columns: Column[] = [
  { head: 'TRACEPOINT' },
  { head: 'RATE/S', right: true },
  { head: 'TOTAL', right: true },
  { head: `LAST ${seconds} S` },
  { head: 'P50', right: true },
  { head: 'P99', right: true },
  { head: 'UNTIL' },
]
const leastNameWidth = 16

export interface Size {
  width: number
  height: number
}

export function renderTop(heading: Heading, rows: readonly Row[], size: Size, style: Style): string[] {
  const room = Math.max(1, size.height - 4)
  const shown = rows.slice(0, rows.length > room ? room - 1 : room)
  const table = renderTable(
    columns,
    shown.map((row) => cellsOf(row, size.width)),
  )
  const [heads = '', ...lines] = table
  const more = rows.length - shown.length
  return [
    cutTo(headingText(heading, rows), size.width),
    '',
    style.bold(cutTo(heads, size.width)),
    ...lines.map((line) => cutTo(line, size.width)),
    ...(rows.length === 0 ? [cutTo('no event yet', size.width)] : []),
    ...(more > 0 ? [style.dim(cutTo(`and ${more} more`, size.width))] : []),
  ].slice(0, size.height)
}

export function headingText({ processes, sessions, relay, lost }: Heading, rows: readonly Row[]): string {
  const rate = rows.reduce((sum, row) => sum + row.rate, 0)
  return [
    `blkin top: ${processes}`,
    ...(sessions > 0 ? [`${sessions} ${sessions === 1 ? 'session' : 'sessions'}`] : []),
    `relay ${relay}`,
    `${short(rate)} events/s`,
    `${grouped(lost)} lost`,
  ].join(' | ')
}

/** Narrow screens shorten names, then the sparkline, before they cut a line. */
function cellsOf(row: Row, width: number): string[] {
  const rest = width - 56 // what the numbers and gaps take
  const bars = Math.max(8, Math.min(seconds, Math.floor(rest / 2)))
  return [
    cutTo(row.name, Math.max(leastNameWidth, rest - bars)),
    short(row.rate),
    grouped(row.total),
    sparkline(row.history.slice(-bars)),
    row.p50 === undefined ? '' : duration(row.p50),
    row.p99 === undefined ? '' : duration(row.p99),
    row.until === undefined ? '' : nearName(row.until, row.name),
  ]
}

/** The event alone where the provider is the same. */
function nearName(name: string, other: string): string {
  const [provider, event = name] = name.split(':')
  return provider === other.split(':')[0] ? event : name
}
