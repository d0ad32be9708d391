// lib/cli/overhead/report.ts: changes as a person reads them, as JSON and as a picture. Pure.
import { count } from '../print/amounts.js'
import type { Style } from '../print/print.js'
import { type Column, renderTable } from '../print/table.js'
import { type Change, fewest } from './change.js'
import { mostRounds } from './rounds.js'
import { box, line, picture, text } from './svg.js'

const right = true
const columns: Column[] = [
  ...[{ head: 'MEASURE' }, { head: 'OFF', right }, { head: 'ON', right }, { head: 'CHANGE', right }],
  ...[{ head: '95 % INTERVAL', right }, { head: 'SAYS' }],
]

export function changeLines(changes: readonly Change[], style: Style): string[] {
  const rows = changes.map((change) => {
    const { measure, interval } = change
    const difference = (value: number) => signed(value, measure.by === 'percent' ? '%' : measure.unit)
    return [
      measure.name,
      amount(change.off, measure.unit),
      amount(change.on, measure.unit),
      interval === undefined ? '-' : difference(interval.centre),
      interval === undefined ? '-' : `${difference(interval.low)} to ${difference(interval.high)}`,
      verdict(change, style),
    ]
  })
  const [head = '', ...lines] = renderTable(columns, rows)
  return [style.dim(head), ...lines]
}

/** What may be said of it, and what may not. */
function verdict(change: Change, style: Style): string {
  const { measure, interval, isTold, roundsForOnePercent } = change
  const rounds = change.values.off.length
  if (interval === undefined) return `too few rounds to tell: ${count(fewest - rounds, 'more round')} needed`
  const isMore = interval.centre > 0
  if (isTold) return isMore === (measure.worse === 'more') ? style.warn('worse') : 'better'
  const most = measure.worse === 'more' ? interval.high : -interval.low
  const unit = measure.by === 'percent' ? '%' : measure.unit
  const atMost = most > 0 ? ` (at most ${`${digits(most)} ${unit}`.trim()} worse)` : ''
  return `no change that can be told from noise${atMost}${forOnePercent(roundsForOnePercent)}`
}

function forOnePercent(rounds: number | undefined): string {
  if (rounds === undefined) return ''
  return rounds > mostRounds ? '; too noisy to tell 1 %' : `; 1 % takes some ${rounds} rounds to tell`
}

export const changeJson = ({ measure, values, off, on, interval, isTold, roundsForOnePercent }: Change) => ({
  ...measure,
  ...{ rounds: values.off.length, off, on },
  ...(interval && { change: interval.centre, low: interval.low, high: interval.high }),
  told: isTold,
  ...(roundsForOnePercent !== undefined && { roundsForOnePercent }),
  values,
})

const [left, plot, row, mostLetters] = [230, 380, 26, 100]

/** A line a measure that is compared by percent: the interval, and its middle. */
export function changesSvg(title: string, changes: readonly Change[]): string {
  const shown = changes.filter(({ measure, interval }) => measure.by === 'percent' && interval !== undefined)
  const ends = shown.flatMap(({ interval }) => [interval!.low, interval!.high])
  const step = stepFor(Math.max(0.5, ...ends) - Math.min(-0.5, ...ends))
  const lowest = Math.floor(Math.min(-0.5, ...ends) / step) * step
  const highest = Math.ceil(Math.max(0.5, ...ends) / step) * step
  const xOf = (value: number) => Number((left + (plot * (value - lowest)) / (highest - lowest)).toFixed(1))
  const words = linesOf(title)
  const top = 40 + words.length * 16
  const bottom = top + shown.length * row
  const parts = words.map((one, i) => text(10, 20 + i * 16, one))
  for (let value = lowest; value <= highest + step / 2; value += step) {
    const isZero = Math.abs(value) < step / 2
    parts.push(line(xOf(value), top - 8, xOf(value), bottom, isZero ? '#222' : '#ccc'))
    parts.push(text(xOf(value), top - 14, isZero ? '0' : signed(value, '%'), 'text-anchor="middle"'))
  }
  shown.forEach(({ measure, interval, isTold }, i) => {
    const y = top + i * row + row / 2
    const { low, high, centre } = interval!
    const isWorse = isTold && centre > 0 === (measure.worse === 'more')
    const colour = !isTold ? '#888' : isWorse ? '#b2182b' : '#1b7837'
    parts.push(text(left - 10, y + 4, measure.name, 'text-anchor="end"'))
    parts.push(box(xOf(low), y - 3, Math.max(1, xOf(high) - xOf(low)), 6, colour))
    parts.push(box(xOf(centre) - 2, y - 7, 4, 14, colour))
    parts.push(text(xOf(highest) + 10, y + 4, signed(centre, '%')))
  })
  return picture(left + plot + 80, bottom + 16, 'What tracing changes', parts)
}

const linesOf = (words: string): string[] =>
  words.match(new RegExp(`.{1,${mostLetters}}(?= |$)`, 'g'))?.map((one) => one.trim()) ?? []

/** Some five of them in so much. */
function stepFor(all: number): number {
  const power = 10 ** Math.floor(Math.log10(all / 5))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => all / step <= 6)!
}

/** Three digits. */
function digits(value: number): string {
  const size = Math.abs(value)
  if (size >= 1000) return Math.round(value).toLocaleString('en-US')
  return value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0)
}

const amount = (value: number, unit: string): string => `${digits(value)} ${unit}`.trimEnd()

const signed = (value: number, unit: string): string =>
  `${value > 0 ? '+' : ''}${digits(value)} ${unit}`.trimEnd()
