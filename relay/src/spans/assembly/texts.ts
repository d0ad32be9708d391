// relay/src/spans/assembly/texts.ts: short texts of span events, most of which have been seen before: keys, names, usual values.
// records.ts reads all its texts here. A text that is known costs no object, and is known to V8 as a key.

import { type Position, readString } from '../../ctf/decode.js'

const SLOTS = 4096
const LONGEST = 32
/** By hash; the newer text takes the place. */
const known = new Array<string>(SLOTS).fill('')

export function readText(bytes: Buffer, p: Position): string {
  const start = p.at
  const end = Math.min(p.end, start + LONGEST)
  let hash = 0x811c9dc5
  let stop = start
  let all = 0
  for (; stop < end; stop++) {
    const byte = bytes[stop]!
    if (byte === 0) break
    all |= byte
    hash = Math.imul(hash ^ byte, 0x01000193)
  }
  if (stop === end || all >= 0x80) return readString(bytes, p)
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1)
  const text = known[slot]!
  if (isAt(text, bytes, start, stop)) {
    p.at = stop + 1
    return text
  }
  const read = readString(bytes, p)
  known[slot] = read
  return read
}

function isAt(text: string, bytes: Buffer, start: number, stop: number): boolean {
  if (text.length !== stop - start) return false
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false
  return true
}
