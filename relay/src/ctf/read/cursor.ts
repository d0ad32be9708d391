// relay/src/ctf/read/cursor.ts: one stream's file, read from its start to where it ended when the reading began.
// merge.ts moves it on, event by event. It holds one chunk of the file and no descriptor between reads.
// A file that is not as docs/ctf.md says ends the reading with one line that names the file and the byte.

import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { SLACK } from '../decode.js'
import { TraceError, type TraceLoss } from '../model.js'
import { HEADER_BYTES, MAGIC, PAGE, type PacketHeader, readHeader, wrongSize } from '../packet.js'
import { PacketError, PacketWalk } from '../packet-walk.js'
import type { PayloadReaders } from '../payload-readers.js'
import { streamFile } from '../streams.js'

const CHUNK = 64 * 1024

export class Cursor {
  /** Breaks a tie in time; set by who sorts. */
  rank = 0
  /** Set by advance() where a loss comes first; else the walk stands before an event's payload. */
  loss: TraceLoss | undefined
  readonly walk: PacketWalk

  readonly #path: string
  readonly #size: number
  readonly #uuid: Buffer
  readonly #bytes = Buffer.allocUnsafeSlow(CHUNK + SLACK)
  readonly #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length)
  readonly #lent = { bytes: this.#bytes, view: this.#view }
  #chunkAt = 0
  #chunkBytes = 0
  #packetAt = 0
  #nextPacket = 0
  #failed = false

  constructor(
    readonly readers: PayloadReaders,
    readonly stream: number,
    /** Called with what is wrong with the file, whose reading ends there; it may throw it. */
    readonly onFault: (error: TraceError) => void,
  ) {
    const { info } = readers
    this.#path = join(info.folder, streamFile(stream))
    this.#size = statSync(this.#path).size
    this.#uuid = Buffer.from(info.uuid.replaceAll('-', ''), 'hex')
    this.walk = new PacketWalk(info, stream)
  }

  /** Where the reading is, in time: set by advance(). */
  get seconds(): number {
    return this.loss === undefined ? this.walk.seconds : this.loss.seconds
  }

  get nanoseconds(): number {
    return this.loss === undefined ? this.walk.nanoseconds : this.loss.nanoseconds
  }

  /** When the stream's first packet begins, in nanoseconds since the epoch. */
  begin(): bigint | undefined {
    return this.#size === 0 ? undefined : this.#header().begin + this.readers.info.offset
  }

  /** To the next loss or wanted event, passing over packets that end before `since`; false at the end. */
  advance(since: bigint | undefined): boolean {
    if (this.#failed) return false
    this.loss = undefined
    try {
      for (;;) {
        if (this.#nextEvent()) return true
        if (this.#nextPacket >= this.#size) return false
        const header = this.#header()
        this.#nextPacket = this.#packetAt + header.packetBits / 8
        this.loss = this.walk.enterPacket(this.#lent, this.#packetAt - this.#chunkAt, header, since)
        if (this.loss !== undefined) return true
      }
    } catch (error) {
      this.#fail(error)
      return false
    }
  }

  /** Has the event's payload read, or passed over, once, before the next advance(); false where that cannot be. */
  readPayload(how: 'read' | 'skip' = 'read'): boolean {
    try {
      this.readers[how][this.walk.id]!(this.walk)
      return true
    } catch (error) {
      this.#fail(error)
      return false
    }
  }

  #nextEvent(): boolean {
    const { readers, walk } = this
    while (walk.nextEvent()) {
      if (readers.wanted[walk.id] ?? readers.meet(walk.id)) return true
      readers.read[walk.id]!(walk)
    }
    return false
  }

  #fail(error: unknown): void {
    this.#failed = true
    if (error instanceof TraceError) this.onFault(error)
    else if (error instanceof PacketError) this.onFault(this.#faultAt(error.message))
    else if (error instanceof RangeError) this.onFault(this.#faultAt('an event reaches beyond its end'))
    else throw error
  }

  /** Reads and checks the header of the next packet, and sees to it that the packet is in the chunk whole. */
  #header(): PacketHeader {
    this.#packetAt = this.#nextPacket
    const left = this.#size - this.#packetAt
    if (left < HEADER_BYTES) this.#wrong(`the file ends after ${left} bytes`)
    if (this.#packetAt + Math.min(left, PAGE) > this.#chunkAt + this.#chunkBytes) this.#fill()
    const start = this.#packetAt - this.#chunkAt
    const header = readHeader(this.#bytes, start)
    if (header.magic !== MAGIC)
      this.#wrong(`magic is 0x${header.magic.toString(16)}, not 0x${MAGIC.toString(16)},`)
    if (this.#uuid.compare(this.#bytes, start + 4, start + 20) !== 0)
      this.#wrong('uuid is not the one in metadata,')
    const size = wrongSize(header, this.#packetAt)
    if (size !== undefined) this.#wrong(size)
    if (header.packetBits / 8 > left)
      this.#wrong(`the file ends after ${left} of ${header.packetBits / 8} bytes`)
    return header
  }

  #fill(): void {
    this.#chunkAt = this.#packetAt - (this.#packetAt % PAGE)
    this.#chunkBytes = Math.min(CHUNK, this.#size - this.#chunkAt)
    const file = openSync(this.#path, 'r')
    try {
      let have = 0
      while (have < this.#chunkBytes) {
        const got = readSync(file, this.#bytes, have, this.#chunkBytes - have, this.#chunkAt + have)
        if (got === 0) this.#wrong('the file became shorter while it was read,')
        have += got
      }
    } finally {
      closeSync(file)
    }
  }

  #wrong(message: string): never {
    throw this.#faultAt(message)
  }

  #faultAt(message: string): TraceError {
    return new TraceError(this.#path, `${message} in the packet at byte ${this.#packetAt}`)
  }
}
