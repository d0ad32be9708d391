// relay/src/pipeline/alerts/amounts.ts: what a number in a rule may be: times, counts and shares, with their units and bounds. Pure.

import type { AlertRule } from './rule.js'

const MOST_MS = 3_600_000

/** `read` gives undefined for what is not `allowed`. Times are milliseconds, but for a latency's threshold: microseconds. */
export interface Amount {
  read(text: string): number | undefined
  allowed: string
}

const unitsUs: Record<string, number> = { us: 1, ms: 1000, s: 1e6, m: 60e6, h: 3600e6 }

function microseconds(text: string): number {
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,6})?)(us|ms|s|m|h)$/.exec(text) ?? []
  return Number(number) * (unitsUs[unit ?? ''] ?? 0)
}

const within = (value: number, least: number, most: number): number | undefined =>
  value >= least && value <= most ? value : undefined

export const time = (leastMs: number): Amount => ({
  read: (text) => within(microseconds(text) / 1000, leastMs, MOST_MS),
  allowed: `a time from ${leastMs < 1000 ? `${leastMs}ms` : '1s'} to 1h, such as 30s`,
})

export const count = (least: number): Amount => ({
  read: (text) => (/^\d{1,9}$/.test(text) ? within(Number(text), least, 1e9) : undefined),
  allowed: `a whole number from ${least}`,
})

export const amounts: Record<AlertRule['kind'], Amount> = {
  latency: {
    read: (text) => within(microseconds(text), 1, MOST_MS * 1000),
    allowed: 'a time from 1us to 1h, such as 20ms',
  },
  errors: {
    read: (text) =>
      /^\d{1,2}(\.\d{1,6})?%$/.test(text) ? within(Number(text.slice(0, -1)) / 100, 0, 1) : undefined,
    allowed: 'a share from 0% to less than 100%, such as 1%',
  },
  missing: count(0),
}
