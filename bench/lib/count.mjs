// bench/lib/count.mjs: counts the events in a trace, packet by packet and header by header, with nobody's help but
// docs/ctf.md's: what the relay says it has stored is compared with this. Knows sizes by id, and no metadata.
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'

const packetHeader = 84
const chunkBytes = 8 * 2 ** 20 // a whole number of pages, which no packet crosses
const extended = 31

/**
 * @param {number[]} sizes bytes of an event's fields, by id
 * @returns {{events: number, byId: {events: number, bytes: number}[]}} bytes: with their share of the packets' headers
 */
export function countEvents(folder, sizes) {
  const byId = sizes.map(() => ({ events: 0, bytes: 0 }))
  for (const name of existsSync(folder) ? readdirSync(folder) : []) // a session that recorded nothing has no folder
    if (name.startsWith('events_')) countFile(join(folder, name), sizes, byId)
  return { events: byId.reduce((sum, { events }) => sum + events, 0), byId }
}

function countFile(path, sizes, byId) {
  const file = openSync(path)
  try {
    const { size } = fstatSync(file)
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, size))
    for (let at = 0; at < size; at += chunk.length) {
      const length = readSync(file, chunk, 0, chunk.length, at)
      for (let packet = 0; packet < length; ) packet += countPacket(chunk, packet, sizes, byId)
    }
  } finally {
    closeSync(file)
  }
}

/** Returns the packet's size. */
function countPacket(chunk, at, sizes, byId) {
  if (chunk.readUInt32LE(at) !== 0xc1fc1fc1) throw new Error(`there is no packet at byte ${at}`)
  const end = at + Number(chunk.readBigUInt64LE(at + 48)) / 8
  const size = Number(chunk.readBigUInt64LE(at + 56)) / 8
  const scale = size / (end - at - packetHeader)
  let event = at + packetHeader
  while (event < end) {
    const compact = (chunk[event] & 31) !== extended
    const id = compact ? chunk[event] & 31 : chunk.readUInt32LE(event + 1)
    const bytes = (compact ? 4 : 13) + sizes[id]
    byId[id].events++
    byId[id].bytes += bytes * scale
    event += bytes
  }
  if (event !== end) throw new Error(`the packet at byte ${at} ends within an event`)
  return size
}
