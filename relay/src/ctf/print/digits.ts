// relay/src/ctf/print/digits.ts: numbers as ASCII, written straight into bytes: three digits at a time, from two tables.
// text-lines.ts and json-lines.ts write with them. Each takes where to write and returns where it ended; the four bytes
// behind that may be written over. Pure but for those bytes.

const TWO_32 = 0x100000000
const BILLION = 1_000_000_000

/** 0 to 999 in three digits, the first in the lowest byte. */
const PADDED = new Int32Array(1000)
/** The same without leading zeros; how many digits there are stands in the highest byte. */
const SHORT = new Int32Array(1000)
for (let n = 0; n < 1000; n++) {
  const text = String(n)
  PADDED[n] = Buffer.from(`${text.padStart(3, '0')}\0`).readInt32LE()
  SHORT[n] = Buffer.from(`${text.padEnd(3, '\0')}${String.fromCharCode(text.length)}`).readInt32LE()
}

const HEX = Buffer.from('0123456789abcdef')
const UPPER_HEX = Buffer.from('0123456789ABCDEF')

function writeShort(view: DataView, at: number, n: number): number {
  const digits = SHORT[n]!
  view.setInt32(at, digits, true)
  return at + (digits >>> 24)
}

/** A whole number from 0 to 2^53. */
export function writeUnsigned(view: DataView, at: number, n: number): number {
  if (n < 1000) return writeShort(view, at, n)
  if (n < 1_000_000) {
    const thousands = (n / 1000) | 0
    at = writeShort(view, at, thousands)
    view.setInt32(at, PADDED[n - thousands * 1000]!, true)
    return at + 3
  }
  if (n < BILLION) {
    const millions = (n / 1_000_000) | 0
    const rest = n - millions * 1_000_000
    const thousands = (rest / 1000) | 0
    at = writeShort(view, at, millions)
    view.setInt32(at, PADDED[thousands]!, true)
    view.setInt32(at + 3, PADDED[rest - thousands * 1000]!, true)
    return at + 6
  }
  let billions = Math.floor(n / BILLION)
  let rest = n - billions * BILLION
  if (rest < 0) {
    billions-- // the quotient was rounded up
    rest += BILLION
  }
  return writeNine(view, writeUnsigned(view, at, billions), rest)
}

/** A whole number from -2^53 to 2^53. */
export function writeSigned(view: DataView, at: number, n: number): number {
  if (n >= 0) return writeUnsigned(view, at, n)
  view.setUint8(at, 0x2d)
  return writeUnsigned(view, at + 1, -n)
}

/** 0 to 999,999,999 in nine digits. */
export function writeNine(view: DataView, at: number, n: number): number {
  const millions = (n / 1_000_000) | 0
  const rest = n - millions * 1_000_000
  const thousands = (rest / 1000) | 0
  view.setInt32(at, PADDED[millions]!, true)
  view.setInt32(at + 3, PADDED[thousands]!, true)
  view.setInt32(at + 6, PADDED[rest - thousands * 1000]!, true)
  return at + 9
}

/** A number of 64 bits without a sign, by its halves. */
export function writeWords(view: DataView, at: number, high: number, low: number): number {
  if (high < 0x200000) return writeUnsigned(view, at, high * TWO_32 + low)
  // twice divided by 10^9, in limbs of 16 bits
  let [a, b, c, d] = [high >>> 16, high & 0xffff, low >>> 16, low & 0xffff]
  const divide = (): number => {
    let rest = a
    a = Math.floor(rest / BILLION)
    rest = (rest - a * BILLION) * 65536 + b
    b = Math.floor(rest / BILLION)
    rest = (rest - b * BILLION) * 65536 + c
    c = Math.floor(rest / BILLION)
    rest = (rest - c * BILLION) * 65536 + d
    d = Math.floor(rest / BILLION)
    return rest - d * BILLION
  }
  const last = divide()
  const middle = divide()
  const first = c * 65536 + d
  at = first === 0 ? writeUnsigned(view, at, middle) : writeNine(view, writeUnsigned(view, at, first), middle)
  return writeNine(view, at, last)
}

/** The same with a sign: `high` is from -2^31 to 2^31 - 1. */
export function writeSignedWords(view: DataView, at: number, high: number, low: number): number {
  if (high >= 0) return writeWords(view, at, high, low)
  view.setUint8(at, 0x2d)
  const negated = -low >>> 0
  return writeWords(view, at + 1, (~high + (negated === 0 ? 1 : 0)) >>> 0, negated)
}

/** Sixteen hexadecimal digits. */
export function writeId(view: DataView, at: number, high: number, low: number): number {
  for (let i = 0; i < 8; i++) {
    view.setUint8(at + i, HEX[(high >>> (28 - 4 * i)) & 15]!)
    view.setUint8(at + 8 + i, HEX[(low >>> (28 - 4 * i)) & 15]!)
  }
  return at + 16
}

/** As many hexadecimal digits as it has. */
export function writeHex(view: DataView, at: number, high: number, low: number): number {
  view.setUint16(at, 0x7830, true)
  at += 2
  let begun = false
  for (let shift = 60; shift >= 0; shift -= 4) {
    const digit = (shift >= 32 ? high >>> (shift - 32) : low >>> shift) & 15
    begun ||= digit > 0 || shift === 0
    if (begun) view.setUint8(at++, UPPER_HEX[digit]!)
  }
  return at
}

/** Both hexadecimal digits of a byte. */
export function writeByte(view: DataView, at: number, byte: number): number {
  view.setUint8(at, HEX[byte >>> 4]!)
  view.setUint8(at + 1, HEX[byte & 15]!)
  return at + 2
}
