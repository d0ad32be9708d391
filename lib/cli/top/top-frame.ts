// lib/cli/top/top-frame.ts: one picture of `blkin top`: a heading, then as many rows as the screen has, as wide as it is. Pure.
import { duration, grouped, short } from '../print/amounts.js'
import type { Style } from '../print/print.js'
import { type Column, cutTo, renderTable } from '../print/table.js'
import { visible } from '../print/visible.js'
import { sparkline } from './sparkline.js'
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
const leastBars = 9 // as wide as its heading

export interface Size {
  width: number
  height: number
}

export function renderTop(heading: Heading, rows: readonly Row[], size: Size, style: Style): string[] {
  const room = Math.max(1, size.height - 4)
  const shown = rows.slice(0, rows.length > room ? room - 1 : room)
  const table = renderTable(columns, cells(shown, size.width))
  const [heads = '', ...lines] = table
  const more = rows.length - shown.length
  return [
    cutTo(visible(headingText(heading, rows)), size.width),
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

/** What the numbers leave is for the names, as long as they are, and for the bars; both give way on a narrow screen. */
function cells(rows: readonly Row[], width: number): string[][] {
  const numbers = rows.map(numbersOf)
  const columnWidth = (i: number, head: string) =>
    Math.max(head.length, ...numbers.map((row) => row[i]!.length))
  const taken = [...columns.slice(1, 3), ...columns.slice(4)].map(({ head }, i) => columnWidth(i, head))
  const left = width - taken.reduce((sum, one) => sum + one, 0) - 2 * (columns.length - 1)
  const longest = Math.max(0, ...rows.map(({ name }) => visible(name).length))
  const names = Math.min(longest, Math.max(leastNameWidth, left - leastBars))
  const bars = Math.max(leastBars, Math.min(seconds, left - names))
  return rows.map((row, i) => {
    const [rate = '', total = '', ...times] = numbers[i]!
    return [cutTo(visible(row.name), names), rate, total, sparkline(row.history.slice(-bars)), ...times]
  })
}

const numbersOf = (row: Row): string[] => [
  short(row.rate),
  grouped(row.total),
  row.p50 === undefined ? '' : duration(row.p50),
  row.p99 === undefined ? '' : duration(row.p99),
  row.until === undefined ? '' : visible(nearName(row.until, row.name)),
]

/** The event alone where the provider is the same. */
function nearName(name: string, other: string): string {
  const [provider, event = name] = name.split(':')
  return provider === other.split(':')[0] ? event : name
}
