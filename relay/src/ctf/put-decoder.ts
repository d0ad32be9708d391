// relay/src/ctf/put-decoder.ts: the packets of one process's puts, as they come, to events and losses.
// Live recordings and followers own one a process. It reads the bytes it is lent and keeps none of them.

import type { Epoch } from './epochs.js'
import type { TraceEvent, TraceLoss } from './model.js'
import { HEADER_BYTES, readHeader } from './packet.js'
import { type Decoders, PacketReader } from './packet-reader.js'

/** Where the stream was: how many puts it had, and what the last packet of its epoch's file says. */
export interface Before {
  sequence: number
  packets: number
  lost: bigint
  lastTime: bigint
  epoch: Epoch
}

export class PutDecoder<Event = TraceEvent> {
  readonly #readers = new Map<number, { reader: PacketReader<Event>; sequence: number; epoch: number }>()

  constructor(readonly decoders: Decoders<Event>) {}

  /**
   * The items of the put of an epoch that follows what `before` says, in the order of time. The put's headers were checked.
   *
   * @throws PacketError where an event is not as declared; reading goes on with the put after it
   */
  decode(stream: number, before: Before, epoch: Epoch, packets: Buffer): (Event | TraceLoss)[] {
    const items: (Event | TraceLoss)[] = []
    this.each(stream, before, epoch, packets, (item) => items.push(item))
    return items
  }

  /** The same, one by one; those before what is wrong have been handed out. */
  each(
    stream: number,
    before: Before,
    epoch: Epoch,
    packets: Buffer,
    take: (item: Event | TraceLoss) => void,
  ): void {
    const known = this.#readers.get(stream)
    const goesOn = known?.sequence === before.sequence && known.epoch === epoch.number
    const reader = goesOn ? known.reader : this.#from(stream, before, epoch)
    this.#readers.delete(stream)
    const bytes = { bytes: packets, view: new DataView(packets.buffer, packets.byteOffset, packets.length) }
    for (let at = 0; at + HEADER_BYTES <= packets.length; ) {
      const header = readHeader(packets, at)
      if (reader.enter(bytes, at, header)) take(reader.item)
      while (reader.next()) take(reader.item)
      at += header.packetBits / 8
    }
    this.#readers.set(stream, { reader, sequence: before.sequence + 1, epoch: epoch.number })
  }

  #from(stream: number, before: Before, epoch: Epoch): PacketReader<Event> {
    const reader = new PacketReader(this.decoders, stream, epoch.offset)
    const { packets, lost, lastTime } = before
    if (packets > 0 && before.epoch.number === epoch.number)
      reader.resume(BigInt(packets) - 1n, lost, lastTime)
    return reader
  }
}
