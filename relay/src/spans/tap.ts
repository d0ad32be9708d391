// relay/src/spans/tap.ts: recordings whose span events go to the assembler too, once they are taken.
// A recording is wrapped here when its process says hello. Only streams of the channel `spans` are decoded; those of
// ordinary events pass through as bytes. An event that is not as declared is told, and stored all the same.

import type { Process } from '../check/hello.js'
import type { Epoch } from '../ctf/epochs.js'
import { isSpanStream } from '../ctf/streams.js'
import type { Recorder, Recording } from '../intake/recording.js'
import { PutDecoder } from '../live/put-decoder.js'
import type { TraceInfo } from '../read/model.js'
import { PacketError } from '../read/packet-reader.js'
import type { Reject } from '../rejections.js'
import type { Mark, PutMark } from '../store/mark.js'
import type { Tracepoint } from '../wire.js'
import type { Source } from './group.js'
import { type SpanRecord, spanDecoders } from './records.js'
import type { Tracing } from './tracing.js'

export class Tap implements Recorder {
  constructor(
    readonly recorder: Recorder,
    readonly tracing: Tracing,
    readonly reject: Reject,
  ) {}

  async open(process: Process): Promise<Recording> {
    return new Tapped(await this.recorder.open(process), this)
  }
}

class Tapped implements Recording {
  readonly #source: Source
  #decoder: PutDecoder<SpanRecord> | undefined

  constructor(
    readonly inner: Recording,
    readonly tap: Tap,
  ) {
    const { bootId, hostname, pid, startedAt, uuid, program } = inner.process
    const boot = bootId.toString('hex')
    const process = [hostname, boot, pid, startedAt].join(' ')
    this.#source = tap.tracing.assembler.open(process, uuid.toString('hex'), program, boot.slice(0, 8))
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
    this.#take(stream, before, mark.epoch, packets)
    await this.tap.tracing.room()
    return true
  }

  async close(): Promise<void> {
    this.tap.tracing.assembler.close(this.#source, performance.now())
    await this.inner.close()
  }

  /** All by the first epoch's time, so that a span takes as long as it took; and a span begins by the time of its own. */
  #take(stream: number, before: Mark, { number, offset }: Epoch, packets: Buffer): void {
    this.#decoder ??= new PutDecoder(spanDecoders(this.info))
    const first = this.info.offset
    const taker = this.tap.tracing.taker(this.#source, Number(offset - first) / 1000)
    try {
      this.#decoder.each(stream, before, { number, offset: first }, packets, taker)
    } catch (error) {
      if (!(error instanceof PacketError)) throw error
      const { program, pid } = this.process
      const which = `${program} (pid ${pid}): spans of stream ${stream}, put ${before.sequence + 1}`
      this.tap.reject('put', 'spans not as declared', `${which}: ${error.message} in a packet`)
    }
  }
}
