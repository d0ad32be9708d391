// lib/cli/summary.ts: what a recording brought, in one line a person reads. Pure.
import type { RelayStats } from '@blkin/relay'

const reasons = {
  noRoom: 'no room',
  tooBig: 'too big',
  badValue: 'bad value',
  noRing: 'no ring',
  overwritten: 'overwritten',
} as const

/** 3 -> "3 events"; 1 -> "1 event" */
export function count(n: number, one: string): string {
  return `${n.toLocaleString('en-US')} ${one}${n === 1 ? '' : one.endsWith('s') ? 'es' : 's'}`
}

function bytes(n: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  const power = n < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(n) / 3))
  return `${power === 0 ? n : (n / 1000 ** power).toPrecision(3)} ${units[power]}`
}

export interface Totals {
  events: number
  lost: number
  text: string
}

export function summarize({ processes }: RelayStats, output: string): Totals {
  const sum = (of: (process: RelayStats['processes'][number]) => number) =>
    processes.reduce((total, process) => total + of(process), 0)
  const byReason = Object.entries(reasons)
    .map(([key, words]) => ({ words, n: sum(({ lost }) => lost[key as keyof typeof reasons]) }))
    .filter(({ n }) => n > 0)
  const lost = byReason.reduce((total, { n }) => total + n, 0)
  const why =
    lost === 0
      ? ''
      : ` (${byReason.map(({ words, n }) => `${words}: ${n.toLocaleString('en-US')}`).join(', ')})`
  const events = sum((process) => process.events)
  const from = `${count(events, 'event')} from ${count(processes.length, 'process')} to ${output}`
  return {
    events,
    lost,
    text: `recorded ${from} (${bytes(sum((p) => p.bytes))}), ${lost.toLocaleString('en-US')} lost${why}`,
  }
}
