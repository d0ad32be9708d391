// relay/src/pipeline/notes.ts: what is told of recordings whose puts are assembled to spans. Puts are told of and not sent: their packets are
// in a file, from which backlog.ts reads them.

import type { Epoch } from '../ctf/epochs.js'
import type { TraceInfo, TraceTracepoint } from '../ctf/model.js'
import type { Before } from '../ctf/put-decoder.js'

/** Milliseconds, of one clock for all threads, whatever is done to the time of day. */
export const clock = (): number => Number(process.hrtime.bigint() / 1000n) / 1000

/** A session of a process has come. */
export interface Opened {
  kind: 'open'
  recording: number
  process: string
  session: string
  service: string
  host: string
  info: TraceInfo
}

/** Packets of spans that are in their file now. */
export interface Stored {
  kind: 'put'
  recording: number
  stream: number
  path: string
  /** Where they are in the file. */
  start: number
  bytes: number
  epoch: Epoch
  /** Where the stream was before. */
  before: Before
  /** Declared since the last one. */
  tracepoints: TraceTracepoint[]
  /** When they came, by clock(). */
  at: number
}

export interface Closed {
  kind: 'close'
  recording: number
  at: number
}

export type Note = Opened | Stored | Closed
