// relay/src/pipeline/backlog.ts: puts of spans that are in their files and not assembled yet, in the order in which they came. recorded.ts
// owns one: it is told of puts, and reads them when it is its turn. They are durable, so that nothing hurries, and nothing of
// them is in memory: how far it may be behind is for the thread to say that takes them (thread/tracing-thread.ts).
//
// The assembler's clock is that of what is read: what came at one moment is assembled as at that moment, however late it is.

import { closeSync, openSync, readSync } from 'node:fs'
import { Queue } from '../common/queue.js'
import type { Reject } from '../common/rejections.js'
import type { TraceInfo } from '../ctf/model.js'
import { PacketError } from '../ctf/packet-reader.js'
import { PutDecoder } from '../ctf/put-decoder.js'
import type { Assembler } from '../spans/assembly/assembler.js'
import type { Source } from '../spans/assembly/group.js'
import { type SpanRecord, spanDecoders } from '../spans/assembly/records.js'
import { clock, type Note, type Opened, type Stored } from './notes.js'
import { Progress } from './progress.js'

interface Recording {
  source: Source
  info: TraceInfo
  decoder: PutDecoder<SpanRecord>
}

export class Backlog {
  readonly #notes = new Queue<Note>()
  readonly #recordings = new Map<number, Recording>()
  #buffer = Buffer.alloc(0)
  #arrivals = 0

  constructor(
    readonly assembler: Assembler,
    readonly reject: Reject,
    readonly progress = new Progress(),
  ) {}

  add(notes: readonly Note[]): void {
    for (const note of notes) this.#notes.push(note)
    this.#tell()
  }

  get isEmpty(): boolean {
    return this.#notes.length === 0
  }

  /** How many it was told of by now, and how many it has read: for who waits for those that came before. */
  get told(): number {
    return this.#arrivals + this.#notes.length
  }

  get done(): number {
    return this.#arrivals
  }

  /** What time it is for the assembler: that of what is read next, or now. By clock(). */
  get now(): number {
    const next = this.#notes.first
    return next === undefined || next.kind === 'open' ? clock() : next.at
  }

  /** The next one. */
  read(): void {
    const note = this.#notes.shift()
    if (note === undefined) return
    if (note.kind === 'open') this.#open(note)
    else if (note.kind === 'close') this.#close(note.recording, note.at)
    else this.#put(note)
    this.#arrivals++
    this.#tell()
  }

  #tell(): void {
    this.progress.puts = this.#notes.length
    this.progress.next = this.#notes.length === 0 ? 0 : this.now
  }

  #open({ recording, process, session, service, host, info }: Opened): void {
    const source = this.assembler.open(process, session, service, host)
    this.#recordings.set(recording, { source, info, decoder: new PutDecoder(spanDecoders(info)) })
  }

  #close(recording: number, at: number): void {
    this.assembler.close(this.#recordings.get(recording)!.source, at)
    this.#recordings.delete(recording)
  }

  /** All by the first epoch's time, so that a span takes as long as it took; and a span begins by the time of its own. */
  #put({ recording, stream, tracepoints, epoch, before, at, bytes, ...where }: Stored): void {
    const { info, source, decoder } = this.#recordings.get(recording)!
    info.tracepoints.push(...tracepoints)
    const first = info.offset
    const shift = Number(epoch.offset - first) / 1000
    try {
      const packets = this.#packets(where.path, where.start, bytes)
      decoder.each(stream, before, { number: epoch.number, offset: first }, packets, (item) =>
        this.assembler.take(source, item, at, shift),
      )
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      const isWrong = error instanceof PacketError
      if (!isWrong && code === undefined) throw error
      const which = `${info.program} (pid ${info.pid}): spans of stream ${stream}, put ${before.sequence + 1}`
      const [reason, why] = isWrong
        ? ['spans not as declared', `${error.message} in a packet`]
        : ['spans not readable', `${where.path}: ${(error as Error).message}`]
      this.reject('put', reason, `${which}: ${why}`)
    }
    this.progress.read += bytes
  }

  /** Lent until the next call. */
  #packets(path: string, start: number, bytes: number): Buffer {
    if (this.#buffer.length < bytes) this.#buffer = Buffer.allocUnsafeSlow(Math.max(bytes, 2 ** 20))
    const packets = this.#buffer.subarray(0, bytes)
    const file = openSync(path, 'r')
    try {
      for (let at = 0; at < bytes; ) {
        const count = readSync(file, packets, at, bytes - at, start + at)
        if (count === 0) throw Object.assign(new Error('it is shorter than it was'), { code: 'EIO' })
        at += count
      }
    } finally {
      closeSync(file)
    }
    return packets
  }
}
