// relay/src/report/status.ts: how a relay is, for whoever asks over HTTP: `blkin status`. Pure. It is what stats() counts, less what
// only the relay's own user may know (folders), and of the processes those that are connected.

import type { Rejection } from '../common/rejections.js'
import type { AlertsStats } from '../pipeline/alerts/alerts.js'
import type { OutboxStats } from '../pipeline/delivery/outbox.js'
import type { Behind } from '../pipeline/progress.js'
import type { TracingStats } from '../pipeline/stats.js'
import type { ScribeStats } from '../ports/scribe/server.js'
import type { TraceCounts } from '../recording/files/trace-store.js'
import type { LostCounts, ProcessStats } from '../recording/processes.js'

export interface RelayStatus {
  version: string
  /** Since when it runs; milliseconds since the epoch, as all times here. */
  since: number
  now: number
  /** Those that are connected. */
  processes: { pid: number; program: string; events: number; lost: LostCounts }[]
  /** How many there were that have gone, at most 1024 of which are known. */
  gone: number
  /** Events that those lost. */
  goneLost?: number
  spans: Pick<TracingStats, 'received' | 'stored' | 'sampledOut' | 'refused' | 'waiting'>
  /** How far the spans are behind what was put. */
  behind?: Behind
  sinks: OutboxStats[]
  /** What was turned away or could not be kept, since the relay began. */
  rejections?: Rejection[]
  /** Traces that are kept, those that went, and what the disk lost of them. */
  traces?: TraceCounts
  /** Where it takes messages by Scribe. */
  scribe?: Omit<ScribeStats, 'connections'>
  /** Where there are rules. */
  alerts?: AlertsStats
}

interface Known {
  version: string
  since: number
  processes: ProcessStats[]
  tracing: TracingStats
  behind?: Behind
  scribe?: ScribeStats
  rejections: Rejection[]
  traces?: TraceCounts
  /** The folder for everything. */
  output: string
}

export function statusOf({
  version,
  since,
  processes,
  tracing,
  behind,
  scribe,
  rejections,
  traces,
  output,
}: Known): RelayStatus {
  const { received, stored, sampledOut, refused, waiting, sinks, alerts } = tracing
  const connected = processes.filter(({ connected }) => connected)
  const gone = processes.filter(({ connected }) => !connected)
  return {
    ...{ version, since, now: Date.now() },
    processes: connected.map(({ pid, program, events, lost }) => ({ pid, program, events, lost })),
    gone: gone.length,
    goneLost: gone.reduce((sum, { lost }) => sum + lostOf(lost), 0),
    spans: { received, stored, sampledOut, refused, waiting },
    ...(behind ? { behind } : {}),
    ...(traces ? { traces } : {}),
    rejections: rejections.map((one) => ({ ...one, message: withoutFolder(one.message, output) })),
    ...{ sinks, ...(scribe ? { scribe: messagesOf(scribe, output) } : {}), ...(alerts ? { alerts } : {}) },
  }
}

/** What is wrong with files is told with their names, but not with where all of them are. */
function messagesOf(
  { good, bad, denied, bytes, trouble }: ScribeStats,
  output: string,
): NonNullable<RelayStatus['scribe']> {
  const counts = { good, bad, denied, bytes }
  return trouble === undefined ? counts : { ...counts, trouble: withoutFolder(trouble, output) }
}

const withoutFolder = (words: string, output: string): string => words.replaceAll(`${output}/`, '')

const lostOf = (lost: LostCounts): number => Object.values(lost).reduce((sum, count) => sum + count, 0)
