// relay/src/thread/span-observer.ts: tells the thread that assembles spans of puts of spans, once they are in their files. Only streams of the
// channel `spans` are told of. An event that is not as declared is told there, and stored all the same.

import { join } from 'node:path'
import { isSpanStream, streamFile } from '../ctf/streams.js'
import { clock } from '../pipeline/notes.js'
import { pathOf } from '../recording/files/epoch-folder.js'
import type { PutObserver, RecordingObserver, TakenPut } from '../recording/observed.js'
import type { Recording } from '../recording/recording.js'
import type { TracingThread } from './tracing-thread.js'

export class SpanObserver implements RecordingObserver {
  #opened = 0

  constructor(
    readonly output: string,
    readonly thread: TracingThread,
  ) {}

  opened(recording: Recording): PutObserver {
    return new SpanPuts(this.#opened++, recording, this.output, this.thread)
  }
}

class SpanPuts implements PutObserver {
  readonly isFollowing = false
  /** Tracepoints that were told of. */
  #known: number

  constructor(
    readonly id: number,
    readonly recording: Recording,
    readonly output: string,
    readonly thread: TracingThread,
  ) {
    const { info } = recording
    const { bootId, hostname, pid, startedAt, uuid, program } = recording.process
    const boot = bootId.toString('hex')
    this.#known = info.tracepoints.length
    thread.note({
      ...{ kind: 'open', recording: id, info: { ...info, tracepoints: [...info.tracepoints] } },
      process: [hostname, boot, pid, startedAt].join(' '),
      ...{ session: uuid.toString('hex'), service: program, host: boot.slice(0, 8) },
    })
  }

  wants(stream: number): boolean {
    return isSpanStream(stream)
  }

  async taken({ stream, before, mark: { epoch }, packets: { length } }: TakenPut): Promise<void> {
    const { sequence, packets, lost, lastTime, bytes, epoch: was } = before
    const { info, process } = this.recording
    const tracepoints = info.tracepoints.slice(this.#known)
    this.#known += tracepoints.length
    this.thread.note({
      ...{ kind: 'put', recording: this.id, stream, epoch, tracepoints, bytes: length, at: clock() },
      path: join(pathOf(this.output, process, epoch.number), streamFile(stream)),
      start: epoch.number === was.number ? bytes : 0,
      before: { sequence, packets, lost, lastTime, epoch: was },
    })
    await this.thread.room()
  }

  close(): void {
    this.thread.note({ kind: 'close', recording: this.id, at: clock() })
  }
}
