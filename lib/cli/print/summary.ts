// lib/cli/print/summary.ts: what a recording brought, in a line a person reads, and more where something was lost. Pure.
import type { RelayStats } from '@blkin/relay'
import { bytes, count, grouped } from './amounts.js'
import { addLost, cures, lostOf, type Rings, reasonsText } from './losses.js'
import { visible } from './visible.js'

export interface Totals {
  events: number
  lost: number
  text: string
  /** The same for --json. */
  json: object
}

/** `rings`: of the sessions that were recorded, where they are known. */
export function summarize(
  { processes, tracing, scribe, rejections }: RelayStats,
  output: string,
  rings?: Rings,
): Totals {
  const sum = (of: (process: RelayStats['processes'][number]) => number) =>
    processes.reduce((total, process) => total + of(process), 0)
  const allLost = addLost(processes.map(({ lost }) => lost))
  const lost = lostOf(allLost)
  const why = lost === 0 ? '' : ` (${reasonsText(allLost)})`
  const events = sum((process) => process.events)
  // Every program of a command connects, also one that has no tracepoint.
  const speaking = processes.filter(({ events, lost }) => events > 0 || lostOf(lost) > 0).length
  const from = `${count(events, 'event')} from ${count(speaking, 'process')} to ${output}`
  const traces = processes.map(({ uuid, pid, program, folder, events, bytes, lost }) => ({
    ...{ uuid, pid, program, folder, events, bytes, lost },
  }))
  return {
    events,
    lost,
    text: [`recorded ${from} (${bytes(sum((p) => p.bytes))}), ${grouped(lost)} lost${why}`]
      .concat(cures(allLost, rings))
      .concat(tracing ? spansOf(tracing) : [])
      .concat(scribe ? messagesOf(scribe) : [])
      .concat(refusedOf(rejections))
      .join('\n'),
    json: {
      events,
      lost,
      output,
      traces,
      ...(tracing ? { tracing } : {}),
      ...(scribe ? { scribe } : {}),
      rejections,
    },
  }
}

/** What was turned away, by what it was and why. */
function refusedOf(rejections: RelayStats['rejections']): string[] {
  if (rejections.length === 0) return []
  const parts = rejections.map(({ what, reason, count: n }) => `${count(n, what)} (${visible(reason)})`)
  return [`refused: ${parts.join(', ')}`]
}

/** What came by Scribe. */
function messagesOf({ good, bad, denied, bytes: written }: NonNullable<RelayStats['scribe']>): string[] {
  if (good + bad + denied === 0) return []
  const parts = [
    `${count(good, 'message')} taken`,
    ...(written > 0 ? [`${bytes(written)} of them in files`] : []),
    ...(bad > 0 ? [`${grouped(bad)} bad`] : []),
    ...(denied > 0 ? [`${count(denied, 'batch')} put off`] : []),
  ]
  return [`scribe: ${parts.join(', ')}`]
}

type TracingStats = NonNullable<RelayStats['tracing']>

/** What became of spans: a line for the store, one for each server that they went on to; and of alerts. */
function spansOf({ received, stored, sampledOut, refused, sinks, alerts }: TracingStats): string[] {
  if (received === 0) return []
  const line = (name: string, counts: Record<string, number>) => {
    const parts = Object.entries(counts).filter(
      ([what, n]) => n > 0 || what === 'stored' || what === 'delivered',
    )
    return `${name}: ${parts.map(([what, n]) => `${grouped(n)} ${what}`).join(', ')}`
  }
  return [
    line('spans', { stored, 'sampled out': sampledOut, refused }),
    ...sinks.map(({ name, delivered, refused, dropped }) => line(name, { delivered, refused, dropped })),
    ...(alerts ? alertsOf(alerts, line) : []),
  ]
}

type AlertsStats = NonNullable<TracingStats['alerts']>

/** How many there were, which fire still, and what became of telling it. */
function alertsOf(
  { fired, resolved, alerts, webhook, alertmanagers = [] }: AlertsStats,
  line: (name: string, counts: Record<string, number>) => string,
): string[] {
  const firing = alerts.filter(({ state }) => state === 'firing').map(({ shown }) => visible(shown.name))
  const still = firing.length === 0 ? '' : `, still: ${firing.join(', ')}`
  const lines = [`alerts: ${grouped(fired)} fired, ${grouped(resolved)} resolved${still}`]
  const receivers = [...(webhook ? [webhook] : []), ...alertmanagers]
  return [
    ...lines,
    ...receivers.map(({ name, delivered, refused, dropped }) => line(name, { delivered, refused, dropped })),
  ]
}
