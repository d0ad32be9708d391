// relay/src/ctf/packet-walk.ts: goes from event to event of one stream, packet by packet, and tells what was lost between packets.
// cursor.ts feeds it from a file; packet-reader.ts makes items of what it comes to. It reads the headers: whoever drives it reads
// each event's payload, and so moves it on. It reads bytes it is lent, keeps none and does no I/O.
// A packet that is not as docs/ctf.md says throws a PacketError; where that was is told by who lent the bytes.

import type { Position } from './decode.js'
import { type TraceInfo, TraceLoss } from './model.js'
import { HEADER_BYTES, type PacketHeader } from './packet.js'

export const SECOND = 1_000_000_000
const TWO_32 = 0x100000000

export class PacketError extends Error {}

/** Bytes that hold whole packets, and a view of the same bytes. */
export interface Bytes {
  bytes: Buffer
  view: DataView
}

export class PacketWalk implements Position {
  /** Where the payload begins of the event that nextEvent() came to: its reader moves it to the payload's end. */
  at = 0
  /** Where the packet's content ends. */
  end = 0
  bytes!: Buffer
  view!: DataView
  cpu = 0
  /** Of the event's tracepoint. */
  id = 0
  /** The event's time, since the epoch. */
  seconds = 0
  nanoseconds = 0
  // the same as the packet has it
  #high = 0
  #low = 0
  // of the packet before
  #sequence = -1n
  #discarded = 0n
  #ended: bigint | undefined

  constructor(
    readonly info: TraceInfo,
    readonly stream: number,
    /** Nanoseconds from packet time to the epoch of 1970. */
    readonly offset = info.offset,
  ) {}

  /** For a stream whose first packets are not read: the next one is taken as it comes. */
  resume(sequence: bigint, discarded: bigint, ended: bigint): void {
    this.#sequence = sequence
    this.#discarded = discarded
    this.#ended = ended
  }

  /** Goes into the packet that starts there, or over one that ends before `since`; returns what was lost before it. */
  enterPacket(
    { bytes, view }: Bytes,
    start: number,
    header: PacketHeader,
    since?: bigint,
  ): TraceLoss | undefined {
    const { info, offset, stream } = this
    const lostEvents = header.discarded - this.#discarded
    const lostPackets = header.sequence - this.#sequence - 1n
    const from = this.#ended ?? header.begin
    if (lostEvents < 0n || lostPackets < 0n) throw new PacketError('its counters go down')
    // an event may stand behind the end that its packet tells
    if (header.begin < from || header.begin < this.#time || header.end < header.begin)
      throw new PacketError('its time goes back')
    this.#sequence = header.sequence
    this.#discarded = header.discarded
    this.#ended = header.end
    this.at = this.end = 0
    const until = header.end + offset
    if (since !== undefined && until < since) return undefined
    this.bytes = bytes
    this.view = view
    this.at = start + HEADER_BYTES
    this.end = start + header.contentBits / 8
    this.cpu = header.cpu
    this.#high = Number(header.begin >> 32n)
    this.#low = Number(header.begin & 0xffffffffn)
    const [seconds, nanoseconds] = splitTime(header.begin + offset)
    this.seconds = seconds
    this.nanoseconds = nanoseconds
    if (lostEvents === 0n && lostPackets === 0n) return undefined
    return new TraceLoss(info, stream, ...splitTime(from + offset), until, lostEvents, lostPackets)
  }

  /** To the packet's next event, past its header; false at the end. */
  nextEvent(): boolean {
    const { at, view } = this
    if (at >= this.end) return false
    const word = view.getUint32(at, true)
    this.id = word & 31
    if (this.id === 31) {
      this.id = view.getUint32(at + 1, true)
      this.#setTime(view.getUint32(at + 9, true), view.getUint32(at + 5, true))
      this.at = at + 13
    } else {
      this.#step(((word >>> 5) - this.#low) & 0x7ffffff)
      this.at = at + 4
    }
    return true
  }

  get #time(): bigint {
    return (BigInt(this.#high) << 32n) + BigInt(this.#low)
  }

  #setTime(high: number, low: number): void {
    const step = (high - this.#high) * TWO_32 + (low - this.#low)
    if (step < 0 || step > Number.MAX_SAFE_INTEGER - SECOND) throw new PacketError('time goes back')
    this.#step(step)
  }

  #step(step: number): void {
    this.#low += step
    if (this.#low >= TWO_32) {
      this.#high += Math.floor(this.#low / TWO_32)
      this.#low %= TWO_32
    }
    this.nanoseconds += step
    if (this.nanoseconds >= SECOND) {
      this.seconds += Math.floor(this.nanoseconds / SECOND)
      this.nanoseconds %= SECOND
    }
  }
}

export function splitTime(time: bigint): [number, number] {
  return [Number(time / 1_000_000_000n), Number(time % 1_000_000_000n)]
}
