// relay/src/spans/formats/json-text.ts: JSON that was posted, parsed: counted before, so that a small body does not become millions of
// objects, and with each number that JavaScript would write in other digits kept as its text: 1.10, 1E400, 793024884742246336.
// Zipkin's readers take a number's text wherever they take a number, and ours do (json-values.ts). Pure.

import { Amount } from './amount.js'

/** @throws TooMuch, SyntaxError */
export function parseJson(bytes: Buffer): unknown {
  const numbers = scan(bytes)
  return JSON.parse(numbers.length === 0 ? bytes.toString('utf8') : quoted(bytes, numbers))
}

/**
 * Counts a list of spans. Whether it is JSON at all is for the parser to say.
 *
 * @returns where numbers that need quotes begin and end, in turn
 * @throws TooMuch
 */
function scan(bytes: Buffer): number[] {
  const amount = new Amount()
  const numbers: number[] = []
  let depth = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === QUOTE) {
      for (at++; at < bytes.length && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++
    } else if (byte === OBJECT || byte === LIST) {
      if (depth++ === 1) amount.span()
      amount.value()
    } else if (byte === COMMA) {
      amount.value() // but for the first in an object or a list, which is counted with that
    } else if (byte === OBJECT_END || byte === LIST_END) {
      depth--
    } else if (byte === MINUS || isDigit(byte)) {
      const end = endOfNumber(bytes, at)
      if (!isExact(bytes, at, end) && NUMBER.test(bytes.toString('latin1', at, end))) numbers.push(at, end)
      at = end - 1
    }
  }
  return numbers
}

const [QUOTE, BACKSLASH, COMMA, MINUS] = [0x22, 0x5c, 0x2c, 0x2d]
const [OBJECT, OBJECT_END, LIST, LIST_END] = [0x7b, 0x7d, 0x5b, 0x5d]
const [ZERO, NINE] = [0x30, 0x39]
const [PLUS, POINT, E, LOWER_E] = [0x2b, 0x2e, 0x45, 0x65]
/** What JSON calls one: anything else is left for the parser to refuse. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= NINE

function endOfNumber(bytes: Buffer, start: number): number {
  let at = start + 1
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (isDigit(byte) || byte === POINT || byte === E || byte === LOWER_E) continue
    if (byte !== PLUS && byte !== MINUS) break
  }
  return at
}

/** A whole number without a sign, below 9e15: as times in microseconds are. */
function isExact(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > 16 || (end - start === 16 && bytes[start] === NINE)) return false
  for (let at = start; at < end; at++) if (!isDigit(bytes[at]!)) return false
  return true
}

function quoted(bytes: Buffer, numbers: number[]): string {
  const made = Buffer.allocUnsafe(bytes.length + numbers.length)
  let from = 0
  for (const [i, at] of numbers.entries()) {
    bytes.copy(made, from + i, from, at)
    made[at + i] = QUOTE
    from = at
  }
  bytes.copy(made, from + numbers.length, from)
  return made.toString('utf8')
}
