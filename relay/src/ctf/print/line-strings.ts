// relay/src/ctf/print/line-strings.ts: strings and labels into a line, byte for byte where nothing in them needs more.
// text-lines.ts and json-lines.ts call it, each with the marks that it must escape.

import { readString } from '../decode.js'
import type { PacketWalk } from '../packet-walk.js'
import type { LineBuffer } from './line-buffer.js'

/** Reads a string and writes it in quotes, with room for `spare` bytes behind it. */
export type WriteString = (out: LineBuffer, at: number, walk: PacketWalk, spare: number) => number

/** `special` are the printable marks that `quote` changes; it is asked for every string that is not plain ASCII without them. */
export function stringWriter(special: string, quote: (text: string) => string): WriteString {
  const plain = new Uint8Array(256)
  for (let code = 0x20; code < 0x7f; code++) plain[code] = special.includes(String.fromCharCode(code)) ? 0 : 1
  return (out, at, walk, spare) => {
    const { bytes, end } = walk
    out.reserve(at, end - walk.at + 2 + spare)
    const to = out.bytes
    let from = walk.at
    let next = at + 1
    while (from < end && plain[bytes[from]!] === 1) to[next++] = bytes[from++]!
    if (from < end && bytes[from] === 0) {
      to[at] = to[next] = 0x22
      walk.at = from + 1
      return next + 1
    }
    const written = out.write(at, quote(readString(bytes, walk)))
    out.reserve(written, spare)
    return written
  }
}

/** What stands for the values of an enum; `other` says it for one without a label. */
export class Labels {
  readonly most: number
  readonly #texts = new Map<number, Int32Array>()
  readonly #lengths = new Map<number, number>()

  constructor(
    texts: Map<number, string>,
    readonly other: (value: number) => string,
  ) {
    for (const [value, text] of texts) {
      const length = Buffer.byteLength(text)
      const bytes = Buffer.alloc(4 * Math.ceil(length / 4))
      bytes.write(text)
      this.#texts.set(
        value,
        Int32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readInt32LE(4 * i)),
      )
      this.#lengths.set(value, length)
    }
    this.most = 4 + Math.max(40, ...this.#lengths.values())
  }

  write(view: DataView, at: number, value: number): number {
    const words = this.#texts.get(value)
    if (words === undefined) return writeAscii(view, at, this.other(value))
    for (let i = 0; i < words.length; i++) view.setInt32(at + 4 * i, words[i]!, true)
    return at + this.#lengths.get(value)!
  }
}

export function writeAscii(view: DataView, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) view.setUint8(at + i, text.charCodeAt(i))
  return at + text.length
}
