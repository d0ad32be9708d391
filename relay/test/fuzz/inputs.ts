// relay/test/fuzz/inputs.ts: a fuzzer's inputs: something real, changed as a broken or hostile sender would: bytes and lengths that
// lie, pieces left out, doubled and taken from others, words of the format put in, and cut anywhere. fuzz-*.test.ts use it.

import fc from 'fast-check'

/** Prints as what an example can be made of again. */
export class Bytes {
  constructor(readonly bytes: Buffer) {}
  [fc.toStringMethod](): string {
    return `base64 ${this.bytes.toString('base64')}`
  }
}

/** Numbers at which lengths and types change their meaning. */
const edges = [0, 1, 2, 7, 8, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff]

type Edit = (bytes: Buffer) => Buffer

const at = fc.nat(2 ** 20)
const put = (bytes: Buffer, at: number, left: number, piece: Buffer): Buffer => {
  const from = bytes.length === 0 ? 0 : at % (bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, from), piece, bytes.subarray(Math.min(bytes.length, from + left))])
}

function editOf(others: readonly Buffer[], words: readonly Buffer[]): fc.Arbitrary<Edit> {
  const byte = fc.tuple(at, fc.nat(255)).map(
    ([at, value]): Edit =>
      (bytes) =>
        put(bytes, at, 1, Buffer.of(value)),
  )
  const number = fc.tuple(at, fc.constantFrom(...edges), fc.constantFrom(2, 4), fc.boolean()).map(
    ([at, value, size, isLittle]): Edit =>
      (bytes) => {
        const piece = Buffer.alloc(4)
        piece[isLittle ? 'writeUInt32LE' : 'writeUInt32BE'](value)
        return put(bytes, at, size, isLittle ? piece.subarray(0, size) : piece.subarray(4 - size))
      },
  )
  const without = fc.tuple(at, fc.nat(40)).map(
    ([at, left]): Edit =>
      (bytes) =>
        put(bytes, at, left, Buffer.of()),
  )
  const cut = at.map(
    (at): Edit =>
      (bytes) =>
        bytes.subarray(0, at % (bytes.length + 1)),
  )
  const splice = fc.tuple(at, fc.nat(8), fc.constantFrom(...others), at, fc.nat(64)).map(
    ([at, left, other, from, length]): Edit =>
      (bytes) => {
        const start = from % (other.length + 1)
        return put(bytes, at, left, other.subarray(start, start + length))
      },
  )
  const doubled = fc.tuple(at, fc.nat(64), fc.integer({ min: 2, max: 50 })).map(
    ([at, length, times]): Edit =>
      (bytes) => {
        const start = at % (bytes.length + 1)
        return put(bytes, at, 0, Buffer.concat(Array(times).fill(bytes.subarray(start, start + length))))
      },
  )
  const word = fc.tuple(at, fc.nat(4), fc.constantFrom(...(words.length > 0 ? words : others))).map(
    ([at, left, word]): Edit =>
      (bytes) =>
        put(bytes, at, left, word.subarray(0, 200)),
  )
  return fc.oneof({ arbitrary: byte, weight: 3 }, number, without, cut, splice, doubled, word)
}

/** One of them, with some changes; or as it is. */
export function changed(seeds: readonly Buffer[], words: readonly string[] = []): fc.Arbitrary<Bytes> {
  const edits = fc.array(editOf(seeds, words.map((word) => Buffer.from(word))), { maxLength: 6 }) // biome-ignore format: one thing
  return fc
    .tuple(fc.constantFrom(...seeds), edits)
    .map(([seed, edits]) => new Bytes(edits.reduce((bytes, edit) => edit(bytes), seed)))
}
