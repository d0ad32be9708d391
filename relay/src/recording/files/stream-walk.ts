// relay/src/recording/files/stream-walk.ts: how far the file of a stream is whole: its packets, one behind the other, and the events in them.
// stream-recovery.ts asks where a disk may have lost what came last: pages of zeros, of something else, or no pages at all.
// It reads, and changes nothing.

import type { FileHandle } from 'node:fs/promises'
import { type End, endOf, passPacket } from '../../ctf/check-packets.js'
import { SLACK } from '../../ctf/decode.js'
import type { TraceInfo } from '../../ctf/model.js'
import { HEADER_BYTES, MAGIC, PAGE, readHeader } from '../../ctf/packet.js'
import { PacketError, PacketWalk } from '../../ctf/packet-walk.js'
import { PayloadReaders } from '../../ctf/payload-readers.js'

const CHUNK = 2 ** 20
/** What is older than this, against the newest, is on the disk: Linux writes a page back after half a minute. In nanoseconds. */
const RECENT = 600_000_000_000n

export interface Whole {
  end: End
  /** From where the walk began; 0 where they are not looked at. */
  events: number
}

/** The walk from a packet's begin as far as packets are whole, `limit` at most. Events are looked at where `info` is given. */
export async function walkStream(
  file: FileHandle,
  from: End,
  limit: number,
  { uuid, stream, info }: { uuid: Buffer; stream: number; info?: TraceInfo },
): Promise<Whole> {
  const end = endOf(from)
  const counter = info && new EventCounter(info, stream, from)
  const buffer = Buffer.alloc(CHUNK + SLACK)
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
  while (end.bytes < limit) {
    const start = end.bytes
    const wanted = Math.min(limit - start, CHUNK - (start % PAGE))
    const bytes = buffer.subarray(0, await readAll(file, buffer, wanted, start))
    while (end.bytes - start < bytes.length) {
      const at = end.bytes - start
      const before = endOf(end)
      const isWhole =
        passPacket(bytes, at, uuid, stream, end) === undefined && (counter?.count(buffer, view, at) ?? true)
      if (!isWhole) return { end: before, events: counter?.events ?? 0 }
    }
    if (bytes.length < wanted) break
  }
  return { end, events: counter?.events ?? 0 }
}

/** Where a walk may begin that is to meet all that may not be on the disk yet: at a page that is older, or at the file's begin. */
export async function recentBegin(
  file: FileHandle,
  limit: number,
  newest: bigint,
  { uuid, stream }: { uuid: Buffer; stream: number },
): Promise<End> {
  const page = Buffer.alloc(HEADER_BYTES)
  let begin: End = { bytes: 0, packets: 0, lastTime: 0n, lost: 0n }
  let high = Math.ceil(limit / PAGE)
  for (let low = 0; high - low > 1; ) {
    const middle = (low + high) >> 1
    const isThere = (await readAll(file, page, HEADER_BYTES, middle * PAGE)) === HEADER_BYTES
    const header = readHeader(page, 0)
    const isOurs =
      header.magic === MAGIC && uuid.compare(page, 4, 20) === 0 && header.stream === BigInt(stream)
    if (isThere && isOurs && header.end + RECENT < newest) {
      low = middle
      const { sequence, begin: lastTime, discarded: lost } = header
      begin = { bytes: middle * PAGE, packets: Number(sequence), lastTime, lost }
    } else high = middle
  }
  return begin
}

/** Less than `count` where the file ends before. */
async function readAll(file: FileHandle, buffer: Buffer, count: number, from: number): Promise<number> {
  let have = 0
  while (have < count) {
    const { bytesRead } = await file.read(buffer, have, count - have, from + have)
    if (bytesRead === 0) break
    have += bytesRead
  }
  return have
}

class EventCounter {
  events = 0
  readonly #walk: PacketWalk
  readonly #readers: PayloadReaders

  constructor(info: TraceInfo, stream: number, { packets, lost, lastTime }: End) {
    this.#walk = new PacketWalk(info, stream)
    this.#readers = new PayloadReaders(
      info,
      () => false,
      () => () => {},
    )
    if (packets > 0) this.#walk.resume(BigInt(packets) - 1n, lost, lastTime)
  }

  /** False where they are not as declared: half a page may be all that was written of it. */
  count(bytes: Buffer, view: DataView, at: number): boolean {
    const walk = this.#walk
    const header = readHeader(bytes, at)
    let events = 0
    try {
      walk.enterPacket({ bytes, view }, at, header)
      for (; walk.nextEvent(); events++) {
        if (this.#readers.wanted[walk.id] === undefined) this.#readers.meet(walk.id)
        this.#readers.skip[walk.id]!(walk)
      }
    } catch (error) {
      if (error instanceof PacketError || error instanceof RangeError) return false
      throw error
    }
    // zeros are events too, of a later time
    const time = BigInt(walk.seconds) * 1_000_000_000n + BigInt(walk.nanoseconds)
    if (time > header.end + walk.offset) return false
    this.events += events
    return true
  }
}
