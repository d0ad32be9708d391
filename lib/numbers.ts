// lib/numbers.ts: brings what a caller gave for an array or a sequence into the typed array of its element, before
// anything is staged: reading a plain array may run the caller's code (getters, proxies), and that may emit too.
import { payloadMax } from './schema.js'
import { Type } from './types.js'

type NumberArray =
  | Uint8Array | Uint16Array | Uint32Array | BigUint64Array
  | Int8Array | Int16Array | Int32Array | BigInt64Array
  | Float32Array | Float64Array // biome-ignore format: a table

type Constructor = new (length: number) => NumberArray

export const arrayOf: Record<number, Constructor> = {
  [Type.u8]: Uint8Array,
  [Type.u16]: Uint16Array,
  [Type.u32]: Uint32Array,
  [Type.u64]: BigUint64Array,
  [Type.i8]: Int8Array,
  [Type.i16]: Int16Array,
  [Type.i32]: Int32Array,
  [Type.i64]: BigInt64Array,
  [Type.f32]: Float32Array,
  [Type.f64]: Float64Array,
}
const names = Object.fromEntries(Object.entries(arrayOf).map(([type, { name }]) => [type, name]))

// Prototypes, tags and own properties can say anything; what stands in the object itself cannot. These getters read
// that and run no code of the caller's, whatever the value is.
const typedArray = Object.getPrototypeOf(Uint8Array.prototype)
const own = <T>(key: string | symbol): ((value: unknown) => T) =>
  Function.prototype.call.bind(Object.getOwnPropertyDescriptor(typedArray, key)?.get as () => T)

/** "Float64Array" and the like; undefined for what is no typed array. */
export const nameOf = own<string | undefined>(Symbol.toStringTag)

/** Of a typed array; 0 where its buffer is detached or no longer reaches so far. */
const lengthOf = own<number>('length')

/** True for what can be stored as it is. Runs no code of the caller's, so what it says holds until something does. */
export function isNumbers(value: unknown, type: number, length?: number): boolean {
  return nameOf(value) === names[type] && (length === undefined || lengthOf(value) === length)
}

/**
 * The typed array of the element, which isNumbers() has yet to check: code that ran for another field may have detached
 * it. Undefined when the value is no list of numbers. May throw: see above.
 */
export function numbers(value: unknown, type: number, length?: number): unknown {
  const name = nameOf(value)
  if (name === names[type]) return value
  if (name === undefined && !Array.isArray(value)) return undefined
  const list = value as ArrayLike<unknown>
  const count = name === undefined ? list.length : lengthOf(value)
  if (!Number.isInteger(count) || (length !== undefined && count !== length)) return undefined
  const Wanted = arrayOf[type] as Constructor
  if (count > payloadMax) return new Wanted(payloadMax + 1) // more than any record holds: the addon counts it as too big
  const out = new Wanted(count)
  const big = type === Type.u64 || type === Type.i64
  for (let i = 0; i < count; i++) {
    const one = list[i]
    if (big) {
      if (typeof one === 'bigint') out[i] = one
      else if (typeof one === 'number') out[i] = BigInt(Number.isFinite(one) ? Math.trunc(one) : 0)
      else return undefined
    } else {
      if (typeof one !== 'number') return undefined
      out[i] = one
    }
  }
  return out
}
