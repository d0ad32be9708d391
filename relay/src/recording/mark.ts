// relay/src/recording/mark.ts: where a stream ends after a put, kept in two slots of a hidden file beside it.
// stream-file.ts writes the slot before the stream itself, so that a kill between the two leaves the older slot true.
// Slots are a disk sector apart and carry a checksum: writing one never hurts the other.

import { crc32 } from 'node:zlib'
import type { End } from '../ctf/check-packets.js'
import type { Epoch } from '../ctf/epochs.js'

export interface Mark extends End {
  /** Whose file it is in: `bytes`, `packets` and `lost` are of that. Not in the mark, but known from the folder. */
  epoch: Epoch
  /** events_discarded of its files before. */
  lostBefore: bigint
  sequence: number
  position: number
  events: number
  noRoom: number
  tooBig: number
  badValue: number
  noRing: number
  overwritten: number
  unstored: number
  /** `events` when its file began. */
  eventsBefore: number
}

/** Of a stream that never had a put. */
export const NOTHING: Mark = {
  epoch: { number: 0, offset: 0n },
  lostBefore: 0n,
  sequence: 0,
  position: 0,
  bytes: 0,
  packets: 0,
  lastTime: 0n,
  lost: 0n,
  events: 0,
  noRoom: 0,
  tooBig: 0,
  badValue: 0,
  noRing: 0,
  overwritten: 0,
  unstored: 0,
  eventsBefore: 0,
}

/** What a put says of itself; the rest is in its packets. */
export type PutMark = Omit<Mark, 'bytes' | 'packets' | 'lastTime' | 'lost' | 'lostBefore' | 'eventsBefore'>

/** As it stands in the file, with the boot of the machine that wrote it: another one now, and the disk may have lost what came last. */
export interface WrittenMark extends Omit<Mark, 'epoch'> {
  boot: bigint
}

/** Before the first put of another epoch, whose file has nothing yet. */
export function beginEpoch(mark: Mark, epoch: Epoch): Mark {
  const { lostBefore, lost, events } = mark
  const before = { lostBefore: lostBefore + lost, eventsBefore: events }
  return { ...mark, epoch, bytes: 0, packets: 0, lost: 0n, ...before }
}

export const MARK_BYTES = 140
export const SLOT_BYTES = 512
export const MARKS_FILE_BYTES = SLOT_BYTES + MARK_BYTES
const MAGIC = 0x4b52414f
/** Of a mark that ends with `lostBefore`. */
const SHORT_MAGIC = 0x4b52414e
const SHORT_BYTES = 116
const NUMBERS = [
  'sequence',
  'position',
  'bytes',
  'packets',
  'events',
  'noRoom',
  'tooBig',
  'badValue',
  'noRing',
  'overwritten',
] as const

export const slotOf = ({ sequence }: { sequence: number }): number => (sequence % 2) * SLOT_BYTES

export function encodeMark(mark: WrittenMark): Buffer {
  const slot = Buffer.alloc(MARK_BYTES)
  slot.writeUInt32LE(MAGIC, 0)
  for (const [i, name] of NUMBERS.entries()) slot.writeBigUInt64LE(BigInt(mark[name]), 8 + i * 8)
  slot.writeBigUInt64LE(mark.lastTime, 88)
  slot.writeBigUInt64LE(mark.lost, 96)
  slot.writeBigUInt64LE(mark.lostBefore, 104)
  slot.writeBigUInt64LE(BigInt(mark.unstored), 112)
  slot.writeBigUInt64LE(BigInt(mark.eventsBefore), 120)
  slot.writeBigUInt64LE(mark.boot, 128)
  slot.writeUInt32LE(crc32(slot.subarray(0, 136)), 136)
  return slot
}

/** The same mark in both slots: whichever is written over, the other is true. */
export function encodeBoth(mark: WrittenMark): Buffer {
  const slots = Buffer.alloc(MARKS_FILE_BYTES)
  for (const at of [0, SLOT_BYTES]) encodeMark(mark).copy(slots, at)
  return slots
}

/** The marks that are whole, the newest first. */
export function decodeMarks(file: Buffer): WrittenMark[] {
  const marks = [0, SLOT_BYTES].map((at) => decodeSlot(file.subarray(at, at + MARK_BYTES)))
  return marks.filter((mark) => mark !== undefined).sort((a, b) => b.sequence - a.sequence)
}

function decodeSlot(slot: Buffer): WrittenMark | undefined {
  if (slot.length < SHORT_BYTES) return undefined
  const isShort = slot.readUInt32LE(0) === SHORT_MAGIC
  const sum = isShort ? SHORT_BYTES - 4 : MARK_BYTES - 4
  if (!isShort && (slot.length < MARK_BYTES || slot.readUInt32LE(0) !== MAGIC)) return undefined
  if (slot.readUInt32LE(sum) !== crc32(slot.subarray(0, sum))) return undefined
  const numbers = Object.fromEntries(
    NUMBERS.map((name, i) => [name, Number(slot.readBigUInt64LE(8 + i * 8))]),
  )
  return {
    ...(numbers as Record<(typeof NUMBERS)[number], number>),
    lastTime: slot.readBigUInt64LE(88),
    lost: slot.readBigUInt64LE(96),
    lostBefore: slot.readBigUInt64LE(104),
    unstored: isShort ? 0 : Number(slot.readBigUInt64LE(112)),
    eventsBefore: isShort ? 0 : Number(slot.readBigUInt64LE(120)),
    boot: isShort ? 0n : slot.readBigUInt64LE(128),
  }
}
