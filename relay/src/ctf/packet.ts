// relay/src/ctf/packet.ts: where things are in a packet, as docs/ctf.md draws it, and the reading of one header.
// The door's checks and the reader both use it; it judges nothing and never reads past the header.

export const MAGIC = 0xc1fc1fc1
export const PAGE = 4096
export const HEADER_BYTES = 84
export const NO_CPU = 0xffffffff
/** A header, up to a multiple of 8. */
const EMPTY_BYTES = 88
/** With less left of a page the packet before takes it, as the tracer packs them. */
const SMALLEST_BYTES = 256

export interface PacketHeader {
  magic: number
  streamId: number
  stream: bigint
  begin: bigint
  end: bigint
  contentBits: number
  packetBits: number
  sequence: bigint
  discarded: bigint
  cpu: number
}

/** The caller has seen to it that HEADER_BYTES are there. The uuid, bytes 4 to 20, stays in the buffer. */
export function readHeader(bytes: Buffer, at: number): PacketHeader {
  return {
    magic: bytes.readUInt32LE(at),
    streamId: bytes.readUInt32LE(at + 20),
    stream: bytes.readBigUInt64LE(at + 24),
    begin: bytes.readBigUInt64LE(at + 32),
    end: bytes.readBigUInt64LE(at + 40),
    contentBits: Number(bytes.readBigUInt64LE(at + 48)),
    packetBits: Number(bytes.readBigUInt64LE(at + 56)),
    sequence: bytes.readBigUInt64LE(at + 64),
    discarded: bytes.readBigUInt64LE(at + 72),
    cpu: bytes.readUInt32LE(at + 80),
  }
}

/** A packet of no events: what a stream opens with, and what tells a loss behind which nothing comes. */
export function emptyPacket(
  uuid: Buffer,
  stream: number,
  cpu: number,
  { bytes, packets, lastTime, lost }: { bytes: number; packets: number; lastTime: bigint; lost: bigint },
): Buffer {
  const room = PAGE - (bytes % PAGE)
  const size = room - EMPTY_BYTES < SMALLEST_BYTES ? room : EMPTY_BYTES
  const packet = Buffer.alloc(size)
  packet.writeUInt32LE(MAGIC, 0)
  uuid.copy(packet, 4)
  packet.writeBigUInt64LE(BigInt(stream), 24)
  packet.writeBigUInt64LE(lastTime, 32)
  packet.writeBigUInt64LE(lastTime, 40)
  packet.writeBigUInt64LE(BigInt(HEADER_BYTES * 8), 48)
  packet.writeBigUInt64LE(BigInt(size * 8), 56)
  packet.writeBigUInt64LE(BigInt(packets), 64)
  packet.writeBigUInt64LE(lost, 72)
  packet.writeUInt32LE(cpu, 80)
  return packet
}

/** The rules of size that hold for every packet: what is wrong with it, or nothing. `at` is its place in the file. */
export function wrongSize(header: PacketHeader, at: number): string | undefined {
  const content = header.contentBits / 8
  const size = header.packetBits / 8
  if (!(Number.isInteger(content) && content >= HEADER_BYTES && content <= size)) {
    return `content_size is ${header.contentBits} bits; expected whole bytes, from ${HEADER_BYTES * 8} to packet_size`
  }
  if (size % 8 !== 0) return `packet_size is ${header.packetBits} bits; expected a multiple of 64`
  if ((at % PAGE) + size > PAGE) {
    return `packet of ${size} bytes at ${at} crosses a boundary of ${PAGE} bytes; expected it to end before`
  }
  return undefined
}
