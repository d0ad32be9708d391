// relay/src/thread/messages.ts: what the relay's own thread and the one of its spans tell each other. tracing-thread.ts and worker.ts
// are the two ends. Puts are told of and not sent: their packets are in a file, from which the worker reads them.

import type { Subject } from '../common/rejections.js'
import type { Epoch } from '../ctf/epochs.js'
import type { TraceInfo, TraceTracepoint } from '../ctf/model.js'
import type { Before } from '../ctf/put-decoder.js'
import type { ProcessUse } from '../metrics/process.js'
import type { RelayCounts, TracingOptions } from '../pipeline/tracing.js'
import type { Tokens } from '../protocol/check/rights.js'
import type { V1Span } from '../spans/formats/v1-span.js'

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

/** In the order in which they came. */
export interface Notes {
  kind: 'notes'
  notes: Note[]
}

export type ToWorker =
  | Notes
  | { kind: 'scribed'; spans: V1Span[] }
  | { kind: 'answer'; question: number; own: OwnCounts }
  | { kind: 'close' }

/** What only the relay's own thread knows. */
export interface OwnCounts {
  counts: RelayCounts
  use: ProcessUse
}

export type FromWorker =
  | { kind: 'ready'; httpAddress: string | undefined }
  | { kind: 'failed'; name: string; message: string; code: string | undefined }
  | { kind: 'log'; line: string }
  | { kind: 'reject'; what: Subject; reason: string; message: string; more: RejectMore }
  | { kind: 'ask'; question: number }
  | { kind: 'closed' }

export interface RejectMore {
  isLost?: boolean
  count?: number
  isLogged?: boolean
}

export interface WorkerData {
  output: string
  options: TracingOptions
  tokens: Tokens
  version: string
  snapshot: readonly SharedArrayBuffer[]
  progress: SharedArrayBuffer
}
