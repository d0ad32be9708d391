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

/** Undefined when the value is no list of numbers, or not of `length` where that is given. May throw: see above. */
export function numbers(value: unknown, type: number, length?: number): NumberArray | undefined {
  const Wanted = arrayOf[type] as Constructor
  if (value instanceof Wanted) return length === undefined || value.length === length ? value : undefined
  if (!Array.isArray(value) && !(ArrayBuffer.isView(value) && !(value instanceof DataView))) return undefined
  const list = value as ArrayLike<unknown>
  const count = list.length
  if (length !== undefined && count !== length) return undefined
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
