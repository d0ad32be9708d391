// relay/src/ctf/check-packets.ts: walks the packets of a stream, header by header: those of a put before a byte of them is stored, and
// those of a file whose disk may have lost some. It never looks at events and copies nothing.
// What passes can be appended to the file, and the file stays one that babeltrace2 reads.

import { refuse } from '../protocol/check/refuse.js'
import { HEADER_BYTES, MAGIC, readHeader, wrongSize } from './packet.js'

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
  const end = endOf(from)
  if (packets.length === 0) refuse('MALFORMED', 'put.packets is empty; expected whole packets')
  while (end.bytes - from.bytes < packets.length) {
    const at = end.bytes - from.bytes
    const wrong = passPacket(packets, at, uuid, stream, end)
    if (wrong !== undefined)
      refuse('MALFORMED', `stream ${stream}, packet ${end.packets}, byte ${at} of the put: ${wrong}`)
  }
  return end
}

export const endOf = ({ bytes, packets, lastTime, lost }: End): End => ({ bytes, packets, lastTime, lost })

/** Moves `end` over the packet that stands at `at`; or says what is wrong with it, and leaves `end` before it. */
export function passPacket(
  packets: Buffer,
  at: number,
  uuid: Buffer,
  stream: number,
  end: End,
): string | undefined {
  const left = packets.length - at
  if (left < HEADER_BYTES) return `${left} bytes are left; expected a header of ${HEADER_BYTES}`
  const header = readHeader(packets, at)
  if (header.magic !== MAGIC)
    return `magic is 0x${header.magic.toString(16)}; expected 0x${MAGIC.toString(16)}`
  if (uuid.compare(packets, at + 4, at + 20) !== 0) return 'uuid differs; expected the one in hello'
  if (header.streamId !== 0) return `stream_id is ${header.streamId}; expected 0`
  if (header.stream !== BigInt(stream)) return `stream_instance_id is ${header.stream}; expected ${stream}`
  const size = wrongSize(header, end.bytes)
  if (size !== undefined) return size
  if (header.packetBits / 8 > left)
    return `packet_size is ${header.packetBits / 8} bytes; only ${left} are left in the put`
  if (header.begin < end.lastTime)
    return `timestamp_begin is ${header.begin}; expected ${end.lastTime} or more`
  if (header.end < header.begin) return `timestamp_end is ${header.end}; expected ${header.begin} or more`
  if (header.sequence !== BigInt(end.packets))
    return `packet_seq_num is ${header.sequence}; expected ${end.packets}`
  if (header.discarded < end.lost)
    return `events_discarded is ${header.discarded}; expected ${end.lost} or more`
  if (end.packets === 0 && (header.contentBits !== HEADER_BYTES * 8 || header.discarded !== 0n))
    return 'a stream opens with a packet of no events and events_discarded 0'
  end.bytes += header.packetBits / 8
  end.packets++
  end.lastTime = header.end
  end.lost = header.discarded
  return undefined
}
