// lib/cli/print/losses.ts: why events were lost, and what keeps them next time. Pure. ps, record, relay and status tell it.
import type { Channel, Lost } from '@blkin/relay'
import { defaultBuffer } from '../../buffer.js'
import { grouped } from './amounts.js'

export type Rings = Pick<Channel, 'subBuffers' | 'subBufferBytes'>

const mostSubBuffers = 64
const mostSubBufferBytes = 2 ** 30

/** The order is that of the wire's struct. */
const reasons: Record<keyof Lost, { words: string; cure: (rings: Rings) => string }> = {
  noRoom: {
    words: 'no room',
    cure: (rings) =>
      `a ring was full; --buffer ${larger(rings)} (BLKIN_BUFFER) has room for more, --mode block:100 waits for it`,
  },
  tooBig: {
    words: 'too big',
    cure: () => 'an event has at most 3,984 bytes; make its arrays or bytes shorter',
  },
  badValue: {
    words: 'bad value',
    cure: () => 'a field was missing or of another type than declared; TypeScript says where',
  },
  noRing: {
    words: 'no ring',
    cure: (rings) =>
      `no ring could be made; make room in /dev/shm, or take a --buffer (BLKIN_BUFFER) below ${text(rings)}`,
  },
  overwritten: {
    words: 'overwritten',
    cure: (rings) =>
      `newer events took their place; --buffer ${larger(rings)} (BLKIN_BUFFER) keeps more of them`,
  },
  unstored: {
    words: 'unstored',
    cure: () =>
      "the relay's disk lost what it had taken, in a power cut or by a fault; a session with ack synced waits for the disk",
  },
}

const sorts = Object.entries(reasons) as [keyof Lost, (typeof reasons)[keyof Lost]][]

export const lostOf = (lost: Lost): number => sorts.reduce((sum, [reason]) => sum + (lost[reason] ?? 0), 0) // an older relay does not know all

export function addLost(all: readonly Lost[]): Lost {
  const sum: Lost = { noRoom: 0, tooBig: 0, badValue: 0, noRing: 0, overwritten: 0, unstored: 0 }
  for (const lost of all) for (const [reason] of sorts) sum[reason] += lost[reason] ?? 0
  return sum
}

/** "no room: 3, too big: 1" */
export const reasonsText = (lost: Lost): string =>
  sorts
    .filter(([reason]) => lost[reason] > 0)
    .map(([reason, { words }]) => `${words}: ${grouped(lost[reason])}`)
    .join(', ')

/** A line for each reason. `rings`: those that lost them, the usual ones where that is not known. */
export const cures = (lost: Lost, rings: Rings = defaultBuffer): string[] =>
  sorts
    .filter(([reason]) => lost[reason] > 0)
    .map(([, { words, cure }]) => `lost for ${words}: ${cure(rings)}`)

/** Four times the room, as --buffer takes it: in more sub-buffers, or where there are as many as may be in larger ones. */
function larger({ subBuffers, subBufferBytes }: Rings): string {
  return subBuffers * 4 <= mostSubBuffers
    ? text({ subBuffers: subBuffers * 4, subBufferBytes })
    : text({ subBuffers, subBufferBytes: Math.min(mostSubBufferBytes, subBufferBytes * 4) })
}

function text({ subBuffers, subBufferBytes }: Rings): string {
  const units = ['', 'K', 'M', 'G']
  const power = Math.floor(Math.log2(subBufferBytes) / 10)
  return `${subBuffers}x${subBufferBytes / 1024 ** power}${units[power]}`
}
