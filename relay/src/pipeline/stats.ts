// relay/src/pipeline/stats.ts: what the pipeline counts.

import type { Counts } from '../spans/assembly/counts.js'
import type { AlertsStats } from './alerts/alerts.js'
import type { OutboxStats } from './delivery/outbox.js'
import type { Why } from './sample/sampler.js'

/** At every moment received = stored + sampledOut + refused + waiting, and when the relay has closed nothing waits. */
export interface TracingStats extends Counts {
  /** Spans posted to the API. */
  posted: number
  /** Spans that came by Scribe, put together. */
  scribed: number
  /** Messages of spans whose other pieces may still come: not received yet. */
  pieces: number
  /** Spans assembled, posted and put together from what came by Scribe. */
  received: number
  stored: number
  sampledOut: number
  /** Turned away because there was no room, or not written because that failed. */
  refused: number
  /** To be decided on, or written. */
  waiting: number
  /** Of the stored ones, by where they go on to. */
  sinks: OutboxStats[]
  /** Traces by what was decided, where there is a sample. */
  traces?: Record<Why, number>
  /** Where there are rules. */
  alerts?: AlertsStats
}
