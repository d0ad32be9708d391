// relay/src/check/packets.ts: walks the packets of a put, header by header, before a byte of them is stored.
// The stream file calls it with what it holds; it never looks at events and copies nothing.
// What passes can be appended to the file, and the file stays one that babeltrace2 reads.

import { HEADER_BYTES, MAGIC, readHeader, wrongSize } from '../ctf/packet.js'
import { refuse } from './refuse.js'

export interface End {
  /** Length of the file. */
  bytes: number
  packets: number
  /** timestamp_end and events_discarded of the last packet. */
  lastTime: bigint
  lost: bigint
}

/** Where the stream will end once these packets are in it. */
export function walkPackets(packets: Buffer, uuid: Buffer, stream: number, from: End): End {
  const end = { bytes: from.bytes, packets: from.packets, lastTime: from.lastTime, lost: from.lost }
  let at = 0
  if (packets.length === 0) refuse('MALFORMED', 'put.packets is empty; expected whole packets')
  while (at < packets.length) {
    const wrong = (message: string): never =>
      refuse('MALFORMED', `stream ${stream}, packet ${end.packets}, byte ${at} of the put: ${message}`)
    if (packets.length - at < HEADER_BYTES) {
      return wrong(`${packets.length - at} bytes are left; expected a header of ${HEADER_BYTES}`)
    }
    const header = readHeader(packets, at)
    if (header.magic !== MAGIC)
      wrong(`magic is 0x${header.magic.toString(16)}; expected 0x${MAGIC.toString(16)}`)
    if (uuid.compare(packets, at + 4, at + 20) !== 0) wrong('uuid differs; expected the one in hello')
    if (header.streamId !== 0) wrong(`stream_id is ${header.streamId}; expected 0`)
    if (header.stream !== BigInt(stream)) wrong(`stream_instance_id is ${header.stream}; expected ${stream}`)
    const size = wrongSize(header, end.bytes)
    if (size !== undefined) wrong(size)
    if (header.packetBits / 8 > packets.length - at) {
      wrong(`packet_size is ${header.packetBits / 8} bytes; only ${packets.length - at} are left in the put`)
    }
    if (header.begin < end.lastTime)
      wrong(`timestamp_begin is ${header.begin}; expected ${end.lastTime} or more`)
    if (header.end < header.begin) wrong(`timestamp_end is ${header.end}; expected ${header.begin} or more`)
    if (header.sequence !== BigInt(end.packets)) {
      wrong(`packet_seq_num is ${header.sequence}; expected ${end.packets}`)
    }
    if (header.discarded < end.lost) {
      wrong(`events_discarded is ${header.discarded}; expected ${end.lost} or more`)
    }
    if (end.packets === 0 && (header.contentBits !== HEADER_BYTES * 8 || header.discarded !== 0n)) {
      wrong('a stream opens with a packet of no events and events_discarded 0')
    }
    at += header.packetBits / 8
    end.bytes += header.packetBits / 8
    end.packets++
    end.lastTime = header.end
    end.lost = header.discarded
  }
  return end
}
