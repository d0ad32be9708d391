// relay/src/recording/recording.ts: what a session feeds: the events of one process, wherever they go.
// Files (files/trace.ts) or a callback (live/live-traces.ts), and whoever observes them (observed.ts); the session
// does not know which. Each call is made only when the one before it is done.

import type { TraceInfo } from '../ctf/model.js'
import type { Process } from '../protocol/check/hello.js'
import type { Tracepoint } from '../protocol/wire.js'
import type { Mark, PutMark } from './mark.js'

export interface Recording {
  readonly process: Process
  /** Grows as tracepoints are declared. */
  readonly info: TraceInfo
  /** Streams of which something may be held. */
  readonly streams: number[]
  /** Somebody watches what comes, so it is to come soon. */
  readonly followed: boolean
  /** The last put taken of the stream, or zeros where there is none. */
  held(stream: number): Promise<Mark>
  /** @throws Refused; then none of them is declared */
  declare(tracepoints: Tracepoint[]): Promise<void>
  /** True when taken now, false when it was taken before. @throws Refused; then nothing of it is taken */
  put(stream: number, mark: PutMark, packets: Buffer): Promise<boolean>
  close(): Promise<void>
}

export interface Recorder {
  open(process: Process): Promise<Recording>
}
