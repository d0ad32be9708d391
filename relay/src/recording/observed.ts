// relay/src/recording/observed.ts: recordings whose puts others are told of, once they are taken: who follows events (live/followers.ts), and
// what assembles spans (thread/span-observer.ts). relay.ts puts one around the recorder, with an observer of each kind.

import type { TraceInfo } from '../ctf/model.js'
import type { Process } from '../protocol/check/hello.js'
import type { Tracepoint } from '../protocol/wire.js'
import type { Mark, PutMark } from './mark.js'
import type { Recorder, Recording } from './recording.js'

/** A put that was taken. Its bytes are lent: they are the observer's until it has resolved. */
export interface TakenPut {
  stream: number
  /** Where the stream was. */
  before: Mark
  mark: PutMark
  packets: Buffer
}

/** Of one recording. */
export interface PutObserver {
  /** Somebody watches what comes, so it is to come soon. */
  readonly isFollowing: boolean
  /** Whether it is to be told of a put of the stream. */
  wants(stream: number): boolean
  /** The put is answered when this resolves. */
  taken(put: TakenPut): Promise<void> | void
  /** Nothing more comes of this recording. */
  close(): void
}

export interface RecordingObserver {
  opened(recording: Recording): PutObserver
}

export class ObservedRecorder implements Recorder {
  constructor(
    readonly recorder: Recorder,
    readonly observers: readonly RecordingObserver[],
  ) {}

  async open(process: Process): Promise<Recording> {
    const recording = await this.recorder.open(process)
    return new ObservedRecording(
      recording,
      this.observers.map((observer) => observer.opened(recording)),
    )
  }
}

class ObservedRecording implements Recording {
  constructor(
    readonly inner: Recording,
    readonly observers: readonly PutObserver[],
  ) {}

  get process(): Process {
    return this.inner.process
  }

  get info(): TraceInfo {
    return this.inner.info
  }

  get followed(): boolean {
    return this.inner.followed || this.observers.some((observer) => observer.isFollowing)
  }

  get streams(): number[] {
    return this.inner.streams
  }

  held(stream: number): Promise<Mark> {
    return this.inner.held(stream)
  }

  declare(tracepoints: Tracepoint[]): Promise<void> {
    return this.inner.declare(tracepoints)
  }

  async put(stream: number, mark: PutMark, packets: Buffer): Promise<boolean> {
    const observers = this.observers.filter((observer) => observer.wants(stream))
    if (observers.length === 0) return this.inner.put(stream, mark, packets)
    const before = await this.inner.held(stream)
    const isTaken = await this.inner.put(stream, mark, packets)
    if (isTaken) for (const observer of observers) await observer.taken({ stream, before, mark, packets })
    return isTaken
  }

  async close(): Promise<void> {
    for (const observer of this.observers) observer.close()
    await this.inner.close()
  }
}
