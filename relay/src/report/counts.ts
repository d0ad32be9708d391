// relay/src/report/counts.ts: what a running relay counts beside spans, gathered from its parts, each of which relay.ts adds once it is up.

import type { Rejection, Rejections } from '../common/rejections.js'
import type { Behind } from '../pipeline/progress.js'
import type { ConnectionCounts, Listener } from '../ports/listener.js'
import type { ScribeStats } from '../ports/scribe/server.js'
import type { TraceCounts } from '../recording/files/trace-store.js'
import type { Processes, ProcessStats, ProcessTotals } from '../recording/processes.js'

export interface RelayCounts {
  processes: ProcessStats[]
  totals: ProcessTotals
  connections: ConnectionCounts
  /** Where spans are assembled: how far behind what was put. */
  behind?: Behind
  /** What was turned away or could not be kept since the relay began. */
  rejections: Rejection[]
  /** Where there is a Scribe server. */
  scribe?: ScribeStats
  /** Where there is an output folder: the traces in it. */
  traces?: TraceCounts
}

export class RelayCounters {
  readonly listeners: Listener[] = []
  /** Where spans are assembled. */
  tracing: { readonly behind: Behind } | undefined
  scribe: { stats(): ScribeStats } | undefined
  traces: { readonly counts: TraceCounts } | undefined

  constructor(
    readonly processes: Processes,
    readonly rejections: Rejections,
  ) {}

  counts(): RelayCounts {
    const { processes, rejections, listeners, tracing, scribe, traces } = this
    return {
      ...{ processes: processes.stats(), totals: processes.totals, rejections: rejections.all() },
      connections: sumOf(listeners.map((one) => one.counts())),
      ...(tracing ? { behind: tracing.behind } : {}),
      ...(scribe ? { scribe: scribe.stats() } : {}),
      ...(traces ? { traces: traces.counts } : {}),
    }
  }
}

const sumOf = (all: ConnectionCounts[]): ConnectionCounts =>
  all.reduce(
    (sum, one) => ({
      open: sum.open + one.open,
      refused: sum.refused + one.refused,
      ended: sum.ended + one.ended,
    }),
    { open: 0, refused: 0, ended: 0 },
  )
