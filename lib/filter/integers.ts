// lib/filter/integers.ts: 64-bit integers as filters have them: a number where that is exact, a bigint elsewhere. The two
// may meet: JavaScript compares them by their values. Pure.

export type Wide = number | bigint

const exact = 2 ** 53
const bits = (value: Wide): bigint => BigInt.asUintN(64, BigInt(value))

/** Values of fields, as their types store them. */
export function u64(value: Wide): Wide {
  if (typeof value === 'bigint') return BigInt.asUintN(64, value)
  if (value >= 0 && value < exact) return value
  return Number.isFinite(value) ? bits(value) : 0
}
export function i64(value: Wide): Wide {
  if (typeof value === 'bigint') return BigInt.asIntN(64, value)
  if (value > -exact && value < exact) return value
  return Number.isFinite(value) ? BigInt.asIntN(64, BigInt(value)) : 0
}

/** Two halves: the upper one decides the sign. */
export function joined(high: number, low: number): Wide {
  return high >= -0x200000 && high < 0x200000
    ? high * 0x100000000 + (low >>> 0)
    : (BigInt(high) << 32n) | BigInt(low >>> 0)
}

/** The same of a number that is not negative, whose halves may be int32. */
export const joinedUnsigned = (high: number, low: number): Wide => joined(high >>> 0, low)

/** As C++ turns it into a double: rounded to the nearest. */
export const toFloat = (value: Wide): number => Number(value)

export const low32 = (value: Wide): number =>
  typeof value === 'number' ? value >>> 0 : Number(BigInt.asUintN(32, value))

export const and64 = (a: Wide, b: Wide): Wide => bits(a) & bits(b)
export const or64 = (a: Wide, b: Wide): Wide => bits(a) | bits(b)
export const xor64 = (a: Wide, b: Wide): Wide => bits(a) ^ bits(b)
export const complement = (value: Wide): Wide => bits(~BigInt(value))
export const negative = (value: Wide): Wide =>
  typeof value === 'number' ? -value : BigInt.asIntN(64, -value)

/** By 0 to 63. */
export const shiftLeft = (value: Wide, by: number): Wide => bits(bits(value) << BigInt(by))
export const shiftRight = (value: Wide, by: number): Wide =>
  typeof value === 'number' && value >= 0 ? Math.floor(value / 2 ** by) : bits(value) >> BigInt(by)
