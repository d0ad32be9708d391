// relay/src/ctf/print/write-general.ts: what general.ts says of a number, written as bytes without a string in between.
// text-lines.ts calls it. What it is not sure of, and what needs an exponent, it leaves to general.ts.

import { writeSigned, writeUnsigned } from './digits.js'
import { general } from './general.js'
import { writeAscii } from './line-strings.js'

/** 10^0 to 10^9; all are exact. */
const POWERS = Array.from({ length: 10 }, (_, i) => 10 ** i)

/** Returns where it ended; nothing is written and -1 returned where general() must be asked. */
function writeFixed(view: DataView, at: number, value: number): number {
  const size = Math.abs(value)
  if (!(size >= 1e-4 && size < 999_999)) return -1
  let decimals = 5
  if (size >= 1) while (size >= POWERS[6 - decimals]!) decimals--
  else while (size * POWERS[decimals - 5]! < 1) decimals++
  const scaled = size * POWERS[decimals]!
  let digits = Math.floor(scaled)
  const rest = scaled - digits
  if (Math.abs(rest - 0.5) < 1e-6) return -1 // the product is rounded, by less than that
  if (rest > 0.5) digits++
  if (value < 0) view.setUint8(at++, 0x2d)
  const power = POWERS[decimals]!
  const whole = Math.floor(digits / power)
  let fraction = digits - whole * power
  at = writeUnsigned(view, at, whole)
  if (fraction === 0) return at
  while (fraction % 10 === 0) {
    fraction /= 10
    decimals--
  }
  view.setUint8(at, 0x2e)
  for (let i = decimals; i > 0; i--) {
    view.setUint8(at + i, 0x30 + (fraction % 10))
    fraction = (fraction / 10) | 0
  }
  return at + 1 + decimals
}

export function writeGeneral(view: DataView, at: number, value: number): number {
  if (Number.isInteger(value) && value > -1e6 && value < 1e6 && !Object.is(value, -0))
    return writeSigned(view, at, value)
  const end = writeFixed(view, at, value)
  return end >= 0 ? end : writeAscii(view, at, general(value))
}
