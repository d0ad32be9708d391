// relay/src/read/cursor.ts: one stream's file, read from its start to where it ended when the reading began.
// merge.ts moves it on, item by item. It holds one chunk of the file and no descriptor between reads.
// A file that is not as docs/ctf.md says ends the reading with one line that names the file and the byte.

import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { HEADER_BYTES, MAGIC, PAGE, type PacketHeader, readHeader, wrongSize } from '../ctf/packet.js'
import { compileDecoder, type Decode, type Position, SLACK } from './decode.js'
import { TraceError, TraceEvent, type TraceInfo, TraceLoss } from './model.js'

const CHUNK = 64 * 1024
const SECOND = 1_000_000_000
const TWO_32 = 0x100000000

/** The decoders of one trace, compiled when first met, and which tracepoints are wanted. */
export class Decoders {
  readonly #compiled: (Decode | undefined)[] = []

  constructor(
    readonly info: TraceInfo,
    readonly wanted: boolean[],
  ) {}

  get(id: number): Decode | undefined {
    const known = this.#compiled[id]
    if (known || id >= this.info.tracepoints.length) return known
    this.#compiled[id] = compileDecoder(this.info.tracepoints[id]!)
    return this.#compiled[id]
  }
}

export class Cursor {
  /** Where the reading is: set by advance(). */
  item!: TraceEvent | TraceLoss
  /** Breaks a tie in time; set by who sorts. */
  rank = 0

  readonly #path: string
  readonly #size: number
  readonly #uuid: Buffer
  readonly #bytes = Buffer.allocUnsafeSlow(CHUNK + SLACK)
  readonly #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length)
  readonly #position: Position = { at: 0, end: 0 }
  #chunkAt = 0
  #chunkBytes = 0
  #packetAt = 0
  #nextPacket = 0
  #cpu = 0
  // the time of the event read last: as the file has it, and since the epoch
  #high = 0
  #low = 0
  #seconds = 0
  #nanoseconds = 0
  // of the packet before
  #sequence = -1n
  #discarded = 0n
  #ended: bigint | undefined

  constructor(
    readonly decoders: Decoders,
    readonly stream: number,
  ) {
    this.#path = join(decoders.info.folder, `events_${stream}`)
    this.#size = statSync(this.#path).size
    this.#uuid = Buffer.from(decoders.info.uuid.replaceAll('-', ''), 'hex')
  }

  /** When the stream's first packet begins, in nanoseconds since the epoch. */
  begin(): bigint | undefined {
    return this.#size === 0 ? undefined : this.#header().begin + this.decoders.info.offset
  }

  /** To the next item, passing over packets that end before `since`; false at the end. */
  advance(since: bigint | undefined): boolean {
    for (;;) {
      while (this.#position.at < this.#position.end) if (this.#event()) return true
      if (this.#nextPacket >= this.#size) return false
      if (this.#packet(since)) return true
    }
  }

  /** Goes into the next packet, or over it; true where something was lost before it. */
  #packet(since: bigint | undefined): boolean {
    const header = this.#header()
    const { info } = this.decoders
    const start = this.#packetAt - this.#chunkAt
    const lostEvents = header.discarded - this.#discarded
    const lostPackets = header.sequence - this.#sequence - 1n
    const from = this.#ended ?? header.begin
    if (lostEvents < 0n || lostPackets < 0n) this.#wrong('its counters go down')
    if (header.begin < from || header.end < header.begin) this.#wrong('its time goes back')
    this.#nextPacket = this.#packetAt + header.packetBits / 8
    this.#sequence = header.sequence
    this.#discarded = header.discarded
    this.#ended = header.end
    const until = header.end + info.offset
    if (since !== undefined && until < since) return false
    this.#position.at = start + HEADER_BYTES
    this.#position.end = start + header.contentBits / 8
    this.#cpu = header.cpu
    this.#high = Number(header.begin >> 32n)
    this.#low = Number(header.begin & 0xffffffffn)
    const [seconds, nanoseconds] = split(header.begin + info.offset)
    this.#seconds = seconds
    this.#nanoseconds = nanoseconds
    if (lostEvents === 0n && lostPackets === 0n) return false
    this.item = new TraceLoss(info, this.stream, ...split(from + info.offset), until, lostEvents, lostPackets)
    return true
  }

  /** Reads one event; true where it is a wanted one. */
  #event(): boolean {
    const bytes = this.#bytes
    const position = this.#position
    const at = position.at
    let id = bytes[at]! & 31
    if (id === 31) {
      id = this.#view.getUint32(at + 1, true)
      this.#setTime(this.#view.getUint32(at + 9, true), this.#view.getUint32(at + 5, true))
      position.at = at + 13
    } else {
      const step = ((this.#view.getUint32(at, true) >>> 5) - this.#low) & 0x7ffffff
      this.#step(step)
      position.at = at + 4
    }
    const decode = this.decoders.get(id)
    if (decode === undefined) this.#wrong(`event id ${id} is in no metadata,`)
    const fields = this.#decode(decode)
    if (!this.decoders.wanted[id]) return false
    const { info } = this.decoders
    const tracepoint = info.tracepoints[id]!
    this.item = new TraceEvent(
      info,
      this.stream,
      this.#seconds,
      this.#nanoseconds,
      tracepoint,
      this.#cpu,
      fields,
    )
    return true
  }

  #decode(decode: Decode) {
    try {
      return decode(this.#bytes, this.#view, this.#position)
    } catch (error) {
      if (error instanceof RangeError) this.#wrong('an event reaches beyond its end')
      throw error
    }
  }

  #setTime(high: number, low: number): void {
    const step = (high - this.#high) * TWO_32 + (low - this.#low)
    if (step < 0 || step > Number.MAX_SAFE_INTEGER - SECOND) this.#wrong('time goes back')
    this.#step(step)
  }

  #step(step: number): void {
    this.#low += step
    if (this.#low >= TWO_32) {
      this.#high += Math.floor(this.#low / TWO_32)
      this.#low %= TWO_32
    }
    this.#nanoseconds += step
    if (this.#nanoseconds >= SECOND) {
      this.#seconds += Math.floor(this.#nanoseconds / SECOND)
      this.#nanoseconds %= SECOND
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

function split(time: bigint): [number, number] {
  return [Number(time / 1_000_000_000n), Number(time % 1_000_000_000n)]
}
