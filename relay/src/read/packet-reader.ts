// relay/src/read/packet-reader.ts: the events of one stream, packet by packet, and what was lost between packets.
// cursor.ts feeds it from a file, live/ from what just came. It reads bytes it is lent, keeps none and does no I/O.
// A packet that is not as docs/ctf.md says throws a PacketError; where that was is told by who lent the bytes.

import { HEADER_BYTES, type PacketHeader } from '../ctf/packet.js'
import { compileDecoder, type Decode, type Position } from './decode.js'
import { TraceEvent, type TraceInfo, TraceLoss, type TraceTracepoint } from './model.js'

const SECOND = 1_000_000_000
const TWO_32 = 0x100000000

export class PacketError extends Error {}

/** What becomes of an event: how its bytes are read, and what that makes with where and when it was. */
export interface Making<Event> {
  compile(tracepoint: TraceTracepoint): Decode
  make(...given: ConstructorParameters<typeof TraceEvent>): Event
}

const PLAIN: Making<TraceEvent> = {
  compile: ({ fields }) => compileDecoder(fields),
  make: (...given) => new TraceEvent(...given),
}

/** The decoders of one trace, compiled when first met, and which tracepoints are wanted. */
export class Decoders<Event = TraceEvent> {
  readonly context: Decode | undefined
  readonly wanted: boolean[] = []
  readonly #compiled: (Decode | undefined)[] = []

  constructor(
    readonly info: TraceInfo,
    readonly wants: (name: string) => boolean,
    readonly making = PLAIN as unknown as Making<Event>,
  ) {
    if (info.contexts.length > 0) this.context = compileDecoder(info.contexts)
  }

  get(id: number): Decode | undefined {
    return this.#compiled[id] ?? this.#compile(id)
  }

  #compile(id: number): Decode | undefined {
    const tracepoint = this.info.tracepoints[id]
    if (tracepoint === undefined) return undefined
    this.wanted[id] = this.wants(`${tracepoint.provider}:${tracepoint.event}`)
    this.#compiled[id] = this.making.compile(tracepoint)
    return this.#compiled[id]
  }
}

/** Bytes that hold whole packets, and a view of the same bytes. */
export interface Bytes {
  bytes: Buffer
  view: DataView
}

export class PacketReader<Event = TraceEvent> {
  /** What enter() or next() came to. */
  item!: Event | TraceLoss

  readonly #position: Position = { at: 0, end: 0 }
  #bytes!: Buffer
  #view!: DataView
  #cpu = 0
  // the time of the event read last: as the packet has it, and since the epoch
  #high = 0
  #low = 0
  #seconds = 0
  #nanoseconds = 0
  // of the packet before
  #sequence = -1n
  #discarded = 0n
  #ended: bigint | undefined

  constructor(
    readonly decoders: Decoders<Event>,
    readonly stream: number,
    /** Nanoseconds from packet time to the epoch of 1970. */
    readonly offset = decoders.info.offset,
  ) {}

  /** For a stream whose first packets are not read: the next one is taken as it comes. */
  resume(sequence: bigint, discarded: bigint, ended: bigint): void {
    this.#sequence = sequence
    this.#discarded = discarded
    this.#ended = ended
  }

  /** Goes into the packet that starts there, or over one that ends before `since`; true where a loss came first. */
  enter({ bytes, view }: Bytes, start: number, header: PacketHeader, since?: bigint): boolean {
    const { offset } = this
    const { info } = this.decoders
    const lostEvents = header.discarded - this.#discarded
    const lostPackets = header.sequence - this.#sequence - 1n
    const from = this.#ended ?? header.begin
    if (lostEvents < 0n || lostPackets < 0n) throw new PacketError('its counters go down')
    if (header.begin < from || header.end < header.begin) throw new PacketError('its time goes back')
    this.#sequence = header.sequence
    this.#discarded = header.discarded
    this.#ended = header.end
    this.#position.at = this.#position.end = 0
    const until = header.end + offset
    if (since !== undefined && until < since) return false
    this.#bytes = bytes
    this.#view = view
    this.#position.at = start + HEADER_BYTES
    this.#position.end = start + header.contentBits / 8
    this.#cpu = header.cpu
    this.#high = Number(header.begin >> 32n)
    this.#low = Number(header.begin & 0xffffffffn)
    const [seconds, nanoseconds] = split(header.begin + offset)
    this.#seconds = seconds
    this.#nanoseconds = nanoseconds
    if (lostEvents === 0n && lostPackets === 0n) return false
    this.item = new TraceLoss(info, this.stream, ...split(from + offset), until, lostEvents, lostPackets)
    return true
  }

  /** To the packet's next wanted event; false at its end. */
  next(): boolean {
    const position = this.#position
    try {
      while (position.at < position.end) if (this.#event()) return true
    } catch (error) {
      if (error instanceof RangeError) throw new PacketError('an event reaches beyond its end')
      throw error
    }
    return false
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
    const { decoders } = this
    const decode = decoders.get(id)
    if (decode === undefined) throw new PacketError(`event id ${id} is in no metadata,`)
    const context = decoders.context?.(bytes, this.#view, position)
    const fields = decode(bytes, this.#view, position)
    if (!decoders.wanted[id]) return false
    const { info } = decoders
    this.item = decoders.making.make(
      info,
      this.stream,
      this.#seconds,
      this.#nanoseconds,
      info.tracepoints[id]!,
      this.#cpu,
      context,
      fields,
    )
    return true
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
    this.#nanoseconds += step
    if (this.#nanoseconds >= SECOND) {
      this.#seconds += Math.floor(this.#nanoseconds / SECOND)
      this.#nanoseconds %= SECOND
    }
  }
}

function split(time: bigint): [number, number] {
  return [Number(time / 1_000_000_000n), Number(time % 1_000_000_000n)]
}
