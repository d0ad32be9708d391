// relay/src/recording/files/stream-recovery.ts: what a stream's file is to be after a kill, a power cut or a disk that lost what it had taken.
// stream-file.ts asks when it opens a file, repair.ts for all files of a folder. The file is cut behind its last whole put, or where
// more is gone than that behind its last whole packet; what is missing is told, by count. planRecovery() changes nothing.
//
// The marks say what was stored, the packets what is there. A process that lives is told what is there (Held.events) and counts the
// rest as lost, since only it knows what was acknowledged. Where nobody will come, a packet of no events tells it.

import { readFileSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { syncFile } from '../../common/disk.js'
import { type End, endOf } from '../../ctf/check-packets.js'
import type { Epoch } from '../../ctf/epochs.js'
import type { TraceInfo } from '../../ctf/model.js'
import { emptyPacket } from '../../ctf/packet.js'
import { cpuOf } from '../../ctf/streams.js'
import {
  beginEpoch,
  decodeMarks,
  encodeBoth,
  MARKS_FILE_BYTES,
  type Mark,
  NOTHING,
  type WrittenMark,
} from '../mark.js'
import { recentBegin, walkStream } from './stream-walk.js'

/** Of the machine: 8 bytes of the boot's id; 0 where there is none. */
export const BOOT = bootOf(readBoot())

export interface StreamPlace {
  uuid: Buffer
  epoch: Epoch
  stream: number
  /** Read only where events are to be counted. */
  info: () => TraceInfo
  /** Where the stream ended in the epoch before. */
  before: () => Promise<Mark>
}

export interface RecoveryOptions {
  /** What may be damaged: the last put; what was written in the minutes before; or anything. */
  extent: 'put' | 'recent' | 'all'
  /** Nobody goes on with the stream: all packets that are whole are kept, and what is missing is told in the file. */
  atRest: boolean
}

export interface Recovery {
  mark: Mark
  size: number
  /** So much of the file is kept, and these packets come behind it. */
  keep: number
  append: Buffer
  /** More went than the put that was under way. */
  isDamaged: boolean
  /** Events that were stored, by the newest mark, and are gone. */
  missing: number
}

export async function readMarks(marksFile: FileHandle): Promise<WrittenMark[]> {
  const slots = Buffer.alloc(MARKS_FILE_BYTES)
  await marksFile.read(slots, 0, MARKS_FILE_BYTES, 0)
  return decodeMarks(slots)
}

export async function planRecovery(
  file: FileHandle,
  marks: WrittenMark[],
  place: StreamPlace,
  { extent, atRest }: RecoveryOptions,
): Promise<Recovery> {
  const { size } = await file.stat()
  const { uuid, stream, epoch } = place
  const [newest, older] = marks
  const base = await baseOf(marks, place)
  const previous = older ?? (newest && newest.sequence !== base.sequence + 1 ? undefined : base)
  const begin: End = { bytes: 0, packets: 0, lastTime: 0n, lost: 0n }
  const limit = atRest || newest === undefined ? size : Math.min(size, newest.bytes)
  const known = extent === 'put' && previous && previous.bytes <= limit ? previous : undefined
  const from =
    known ??
    (extent === 'recent' && newest
      ? await recentBegin(file, limit, newest.lastTime, { uuid, stream })
      : begin)
  const looks = known === undefined ? { info: place.info() } : {}
  const { end } = await walkStream(file, from, limit, { uuid, stream, ...looks })

  const kept = (mark: Mark, more: Partial<Recovery> = {}): Recovery => ({
    ...{ mark, size, keep: mark.bytes, append: Buffer.alloc(0), isDamaged: false, missing: 0 },
    ...more,
  })
  if (newest !== undefined && end.bytes === newest.bytes) return kept({ ...newest, epoch })
  const isShort = newest !== undefined && end.bytes < newest.bytes
  if (!atRest && isShort && previous !== undefined && end.bytes >= previous.bytes) {
    // A kill leaves as much, before the put was acknowledged: its process has it still, or counts it.
    const isDamaged = newest.boot !== BOOT
    return kept(
      { ...previous, epoch },
      { isDamaged, missing: isDamaged ? newest.events - previous.events : 0 },
    )
  }
  const start: Pick<Mark, 'events'> & End = marks.find(({ bytes }) => bytes <= end.bytes) ?? {
    ...begin,
    events: base.events,
  }
  const counted = await walkStream(file, start, end.bytes, { uuid, stream, info: place.info() })
  const events = start.events + counted.events
  // without a mark nothing says where in its ring that is
  const unmarked = end.bytes > 0 ? { ...base, position: 0 } : base
  const there = { ...(newest ?? unmarked), ...endOf(end), epoch, events }
  const missing = isShort ? newest.events - events : 0
  const isDamaged = isShort || (newest === undefined && size > 0)
  if (!atRest || newest === undefined) return kept(there, { isDamaged, missing })
  const { mark, packets } = tellMissing(there, newest, missing, place)
  return kept(mark, { keep: there.bytes, append: packets, isDamaged, missing })
}

/** With what the packets that are gone had told, and themselves, in packets of no events. */
function tellMissing(
  there: Mark,
  newest: WrittenMark,
  missing: number,
  { uuid, stream }: StreamPlace,
): { mark: Mark; packets: Buffer } {
  const lost = newest.lost + BigInt(missing)
  if (lost <= there.lost) return { mark: there, packets: Buffer.alloc(0) }
  const mark = { ...there, unstored: there.unstored + missing }
  if (there.lastTime < newest.lastTime) mark.lastTime = newest.lastTime
  const packets: Buffer[] = []
  for (const discarded of there.packets === 0 ? [0n, lost] : [lost]) {
    const packet = emptyPacket(uuid, stream, cpuOf(stream), { ...mark, lost: discarded })
    Object.assign(mark, { lost: discarded, packets: mark.packets + 1, bytes: mark.bytes + packet.length })
    packets.push(packet)
  }
  return { mark, packets: Buffer.concat(packets) }
}

/** Makes the file and its marks so, and has it on the disk. Done again after a kill in its midst, it does the rest. */
export async function applyRecovery(
  file: FileHandle,
  marksFile: FileHandle,
  { mark, size, keep, append }: Recovery,
): Promise<void> {
  if (keep < size) await file.truncate(keep)
  await file.write(append, 0, append.length, keep)
  await syncFile(file)
  await marksFile.write(encodeBoth({ ...mark, boot: BOOT }), 0, MARKS_FILE_BYTES, 0)
  await syncFile(marksFile)
}

/** The stream before anything was in this file. */
async function baseOf([newest, older]: WrittenMark[], { epoch, before }: StreamPlace): Promise<Mark> {
  if (newest === undefined || older === undefined || newest.boot === 0n)
    return beginEpoch(await before(), epoch)
  const { lostBefore, eventsBefore } = newest
  return { ...NOTHING, epoch, lostBefore, events: eventsBefore, eventsBefore }
}

function readBoot(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')
  } catch {
    return '' // not Linux
  }
}

/** Of a boot's id, as text with dashes. */
export function bootOf(id: string): bigint {
  return BigInt(`0x0${id.replace(/[^0-9a-f]/g, '').slice(0, 16)}`)
}
