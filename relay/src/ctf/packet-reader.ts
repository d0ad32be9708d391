// relay/src/ctf/packet-reader.ts: the items of one stream whose packets come by themselves, as live/ and the spans' tap have them:
// events decoded one by one, and losses. Packets of a file are read by cursor.ts.

import { compileDecoder, type Decode } from './decode.js'
import { TraceEvent, type TraceInfo, type TraceLoss, type TraceTracepoint } from './model.js'
import type { PacketHeader } from './packet.js'
import { type Bytes, PacketError, PacketWalk } from './packet-walk.js'

export { PacketError }

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

/** Reads the event that the walk has come to. */
export function readEvent<Event>(walk: PacketWalk, decoders: Decoders<Event>): Event | undefined {
  const { bytes, view, id } = walk
  const decode = decoders.get(id)
  if (decode === undefined) throw new PacketError(`event id ${id} is in no metadata,`)
  const context = decoders.context?.(bytes, view, walk)
  const fields = decode(bytes, view, walk)
  if (!decoders.wanted[id]) return undefined
  const { info } = decoders
  return decoders.making.make(
    info,
    walk.stream,
    walk.seconds,
    walk.nanoseconds,
    info.tracepoints[id]!,
    walk.cpu,
    context,
    fields,
  )
}

export class PacketReader<Event = TraceEvent> {
  /** What enter() or next() came to. */
  item!: Event | TraceLoss
  readonly #walk: PacketWalk

  constructor(
    readonly decoders: Decoders<Event>,
    stream: number,
    /** Nanoseconds from packet time to the epoch of 1970. */
    offset = decoders.info.offset,
  ) {
    this.#walk = new PacketWalk(decoders.info, stream, offset)
  }

  /** For a stream whose first packets are not read: the next one is taken as it comes. */
  resume(sequence: bigint, discarded: bigint, ended: bigint): void {
    this.#walk.resume(sequence, discarded, ended)
  }

  /** Goes into the packet that starts there; true where a loss came first. */
  enter(bytes: Bytes, start: number, header: PacketHeader): boolean {
    const loss = this.#walk.enterPacket(bytes, start, header)
    if (loss !== undefined) this.item = loss
    return loss !== undefined
  }

  /** To the packet's next wanted event; false at its end. */
  next(): boolean {
    try {
      while (this.#walk.nextEvent()) {
        const event = readEvent(this.#walk, this.decoders)
        if (event === undefined) continue
        this.item = event
        return true
      }
    } catch (error) {
      if (error instanceof RangeError) throw new PacketError('an event reaches beyond its end')
      throw error
    }
    return false
  }
}
