// relay/src/read/cursor.ts: one stream's file, read from its start to where it ended when the reading began.
// merge.ts moves it on, item by item. It holds one chunk of the file and no descriptor between reads.
// A file that is not as docs/ctf.md says ends the reading with one line that names the file and the byte.

import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { HEADER_BYTES, MAGIC, PAGE, type PacketHeader, readHeader, wrongSize } from '../ctf/packet.js'
import { streamFile } from '../ctf/streams.js'
import { SLACK } from './decode.js'
import { TraceError, type TraceEvent, type TraceLoss } from './model.js'
import { type Decoders, PacketError, PacketReader } from './packet-reader.js'

const CHUNK = 64 * 1024

export class Cursor {
  /** Breaks a tie in time; set by who sorts. */
  rank = 0

  readonly #path: string
  readonly #size: number
  readonly #uuid: Buffer
  readonly #bytes = Buffer.allocUnsafeSlow(CHUNK + SLACK)
  readonly #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length)
  readonly #lent = { bytes: this.#bytes, view: this.#view }
  readonly #reader: PacketReader
  #chunkAt = 0
  #chunkBytes = 0
  #packetAt = 0
  #nextPacket = 0

  constructor(
    readonly decoders: Decoders,
    readonly stream: number,
  ) {
    this.#path = join(decoders.info.folder, streamFile(stream))
    this.#size = statSync(this.#path).size
    this.#uuid = Buffer.from(decoders.info.uuid.replaceAll('-', ''), 'hex')
    this.#reader = new PacketReader(decoders, stream)
  }

  /** Where the reading is: set by advance(). */
  get item(): TraceEvent | TraceLoss {
    return this.#reader.item
  }

  /** When the stream's first packet begins, in nanoseconds since the epoch. */
  begin(): bigint | undefined {
    return this.#size === 0 ? undefined : this.#header().begin + this.decoders.info.offset
  }

  /** To the next item, passing over packets that end before `since`; false at the end. */
  advance(since: bigint | undefined): boolean {
    try {
      for (;;) {
        if (this.#reader.next()) return true
        if (this.#nextPacket >= this.#size) return false
        const header = this.#header()
        this.#nextPacket = this.#packetAt + header.packetBits / 8
        if (this.#reader.enter(this.#lent, this.#packetAt - this.#chunkAt, header, since)) return true
      }
    } catch (error) {
      if (error instanceof PacketError) this.#wrong(error.message)
      throw error
    }
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
    throw new TraceError(this.#path, `${message} in the packet at byte ${this.#packetAt}`)
  }
}
