// relay/src/thread/messages.ts: what the relay's own thread and the one of its spans tell each other. tracing-thread.ts and worker.ts
// are the two ends.

import type { Subject } from '../common/rejections.js'
import type { ProcessUse } from '../metrics/process.js'
import type { Note } from '../pipeline/notes.js'
import type { TracingOptions } from '../pipeline/options.js'
import type { Tokens } from '../protocol/check/rights.js'
import type { RelayCounts } from '../report/counts.js'
import type { V1Span } from '../spans/formats/v1-span.js'

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
