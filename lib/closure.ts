// lib/closure.ts: an emitter without generated code, for programs that forbid it
// (--disallow-code-generation-from-strings). The same rules as emitter.ts, a loop in place of straight code.
import { isNumbers, nameOf, numbers } from './numbers.js'
import { type Emit, type Placed, place } from './placement.js'
import type { Schema } from './schema.js'
import { flags, staging } from './staging.js'
import { bytesOf, Shape, Type } from './types.js'

/** What is stored for `value`, or undefined to refuse the event. May run the caller's code. */
function converter({ field }: Placed): (value: unknown) => unknown {
  if (field.shape === Shape.array) return (value) => numbers(value, field.type, field.length)
  if (field.shape === Shape.sequence) return (value) => numbers(value, field.type)
  const only = (wanted: string) => (value: unknown) => (typeof value === wanted ? value : undefined)
  switch (field.type) {
    case Type.bool:
      return only('boolean')
    case Type.string:
      return only('string')
    case Type.bytes:
      return (value) => (nameOf(value) === 'Uint8Array' ? value : undefined)
    case Type.enum: {
      const labels = new Map<unknown, number>(field.labels)
      return (value) => labels.get(value)
    }
    case Type.u64:
    case Type.i64:
      return (value) =>
        typeof value === 'number'
          ? BigInt(Number.isFinite(value) ? Math.trunc(value) : 0)
          : only('bigint')(value)
    default:
      return only('number')
  }
}

function store({ field, at }: Placed, value: never): void {
  if (field.shape === Shape.array) {
    const list: ArrayLike<never> = value
    const one = bytesOf[field.type] as number
    for (let i = 0; i < field.length; i++) storeOne(field.type, at + i * one, list[i] as never)
    return
  }
  storeOne(field.type === Type.enum ? field.container : field.type, at, value)
}

function storeOne(type: number, at: number, value: never) {
  switch (type) {
    case Type.bool:
      return staging.setUint8(at, Number(value))
    case Type.u8:
    case Type.i8:
      return staging.setUint8(at, value)
    case Type.u16:
    case Type.i16:
      return staging.setUint16(at, value, true)
    case Type.u32:
    case Type.i32:
      return staging.setUint32(at, value, true)
    case Type.u64:
    case Type.i64:
      return staging.setBigUint64(at, BigInt.asUintN(64, value), true)
    case Type.f32:
      return staging.setFloat32(at, value, true)
    case Type.f64:
      return staging.setFloat64(at, value, true)
  }
}

export function closureEmitter(
  id: number,
  schema: Schema,
  commit: (...parts: unknown[]) => void,
  refuse: () => void,
): Emit {
  const { placed, fixedBytes } = place(schema)
  const converters = placed.map(converter)
  const lists = placed.flatMap(({ field }, i) => (field.shape === Shape.scalar ? [] : [{ field, i }]))
  const mixed = placed.some(({ at }) => at < 0)
  return (values) => {
    if (flags[id] === 0) return
    const stored: unknown[] = []
    try {
      for (let i = 0; i < placed.length; i++) {
        const given = (values as Record<string, unknown>)[(placed[i] as Placed).field.name]
        const one = converters[i]?.(given)
        if (one === undefined) return refuse()
        stored.push(one)
      }
    } catch {
      return refuse()
    }
    // Once more, when no code of the caller's comes any more: what ran may have detached what was converted before.
    if (!lists.every(({ field, i }) => isNumbers(stored[i], field.type, field.length || undefined)))
      return refuse()
    if (!mixed) {
      staging.setUint32(0, fixedBytes, true)
      staging.setUint32(4, id, true)
    }
    placed.forEach((one, i) => {
      if (one.at >= 0) store(one, stored[i] as never)
    })
    commit(...stored.filter((_, i) => (placed[i] as Placed).at < 0))
  }
}
