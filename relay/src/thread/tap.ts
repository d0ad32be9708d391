// relay/src/thread/tap.ts: recordings whose puts of spans the thread that assembles them is told of, once they are in their files.
// A recording is wrapped here when its process says hello. Only streams of the channel `spans` are told of. An event that is not as
// declared is told there, and stored all the same.

import { join } from 'node:path'
import type { TraceInfo } from '../ctf/model.js'
import { isSpanStream, streamFile } from '../ctf/streams.js'
import type { Process } from '../protocol/check/hello.js'
import type { Tracepoint } from '../protocol/wire.js'
import { pathOf } from '../recording/files/epoch-folder.js'
import type { Mark, PutMark } from '../recording/mark.js'
import type { Recorder, Recording } from '../recording/recording.js'
import { clock } from './messages.js'
import type { TracingThread } from './tracing-thread.js'

export class Tap implements Recorder {
  recordings = 0

  constructor(
    readonly recorder: Recorder,
    readonly output: string,
    readonly thread: TracingThread,
  ) {}

  async open(process: Process): Promise<Recording> {
    return new Tapped(await this.recorder.open(process), this)
  }
}

class Tapped implements Recording {
  readonly #recording: number
  /** Tracepoints that were told of. */
  #known: number

  constructor(
    readonly inner: Recording,
    readonly tap: Tap,
  ) {
    const { info } = inner
    const { bootId, hostname, pid, startedAt, uuid, program } = inner.process
    const boot = bootId.toString('hex')
    this.#recording = tap.recordings++
    this.#known = info.tracepoints.length
    tap.thread.note({
      ...{ kind: 'open', recording: this.#recording, info: { ...info, tracepoints: [...info.tracepoints] } },
      process: [hostname, boot, pid, startedAt].join(' '),
      ...{ session: uuid.toString('hex'), service: program, host: boot.slice(0, 8) },
    })
  }

  get process(): Process {
    return this.inner.process
  }

  get info(): TraceInfo {
    return this.inner.info
  }

  get followed(): boolean {
    return this.inner.followed
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
    if (!isSpanStream(stream)) return this.inner.put(stream, mark, packets)
    const before = await this.inner.held(stream)
    const taken = await this.inner.put(stream, mark, packets)
    if (!taken) return false
    this.#tell(stream, before, mark, packets.length)
    await this.tap.thread.room()
    return true
  }

  async close(): Promise<void> {
    this.tap.thread.note({ kind: 'close', recording: this.#recording, at: clock() })
    await this.inner.close()
  }

  #tell(
    stream: number,
    { sequence, packets, lost, lastTime, bytes, epoch: was }: Mark,
    mark: PutMark,
    length: number,
  ) {
    const { epoch } = mark
    const tracepoints = this.info.tracepoints.slice(this.#known)
    this.#known += tracepoints.length
    this.tap.thread.note({
      ...{ kind: 'put', recording: this.#recording, stream, epoch, tracepoints, bytes: length, at: clock() },
      path: join(pathOf(this.tap.output, this.process, epoch.number), streamFile(stream)),
      start: epoch.number === was.number ? bytes : 0,
      before: { sequence, packets, lost, lastTime, epoch: was },
    })
  }
}
