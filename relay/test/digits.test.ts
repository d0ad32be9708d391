// relay/test/digits.test.ts: numbers that are written as bytes are those that JavaScript, or C's printf, writes as text.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  writeByte,
  writeHex,
  writeId,
  writeNine,
  writeSigned,
  writeSignedWords,
  writeUnsigned,
  writeWords,
} from '../src/ctf/print/digits.js'
import { general } from '../src/ctf/print/general.js'
import { writeGeneral } from '../src/ctf/print/write-general.js'

const bytes = Buffer.alloc(64)
const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** What a writer left, from where it was told to begin. */
function written(write: (at: number) => number): string {
  bytes.fill('~')
  const end = write(3)
  expect(bytes.toString('latin1', 0, 3), 'what stands before').toBe('~~~')
  return bytes.toString('latin1', 3, end)
}

const check = <T>(values: fc.Arbitrary<T>, write: (value: T) => void) =>
  fc.assert(fc.property(values, write), { numRuns: 2000 })

const edges = [0, 9, 10, 99, 100, 999, 1000, 999_999, 1e6, 999_999_999, 1e9, 1e12 - 1, 2 ** 53 - 1]
const whole = fc.oneof(
  fc.constantFrom(...edges),
  fc.nat(),
  fc.maxSafeNat(),
  // one less than a multiple of 10^9, whose quotient is rounded up
  fc.integer({ min: 1, max: 9_000_000 }).map((n) => n * 1e9 - 1),
)

test('whole numbers, with sign and without', () => {
  check(whole, (n) => {
    expect(written((at) => writeUnsigned(view, at, n))).toBe(String(n))
    expect(written((at) => writeSigned(view, at, -n))).toBe(String(n === 0 ? 0 : -n))
    expect(written((at) => writeNine(view, at, n % 1e9))).toBe(String(n % 1e9).padStart(9, '0'))
  })
})

const halves = (n: bigint): [number, number] => [Number(BigInt.asIntN(32, n >> 32n)), Number(n & 0xffffffffn)]
const words = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(
    0n,
    -1n,
    2n ** 53n,
    2n ** 53n - 1n,
    10n ** 18n - 1n,
    10n ** 18n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ),
)

test('numbers of 64 bits, in decimal and hexadecimal', () => {
  check(words, (n) => {
    const [high, low] = halves(n)
    const unsigned = BigInt.asUintN(64, n)
    expect(written((at) => writeSignedWords(view, at, high, low))).toBe(String(n))
    expect(written((at) => writeWords(view, at, high >>> 0, low))).toBe(String(unsigned))
    expect(written((at) => writeId(view, at, high, low))).toBe(unsigned.toString(16).padStart(16, '0'))
    expect(written((at) => writeHex(view, at, high, low))).toBe(`0x${unsigned.toString(16).toUpperCase()}`)
  })
  for (let byte = 0; byte < 256; byte++)
    expect(written((at) => writeByte(view, at, byte))).toBe(byte.toString(16).padStart(2, '0'))
})

const float = fc.oneof(
  fc.double(),
  fc.double({ min: -1e7, max: 1e7 }),
  fc.double({ min: -1e-3, max: 1e-3 }),
  // between two of six digits, or close to it
  fc.integer({ min: -2e7, max: 2e7 }).map((n) => n / 2 ** 7),
  fc.tuple(fc.integer({ min: -9_999_999, max: 9_999_999 }), fc.nat(10)).map(([n, k]) => n / 10 ** k),
  fc.constantFrom(0, -0, 1e-4, 1e5, 999_999.5, 99_999.95, 0.1, 0.3, 1e6, 123_456.5, 0.000_099_999_95),
)

test('floats, as %g', () => {
  check(float, (n) => {
    expect(written((at) => writeGeneral(view, at, n))).toBe(general(n))
  })
})
