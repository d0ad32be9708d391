// lib/closure.ts: an emitter without generated code, for programs that forbid it
// (--disallow-code-generation-from-strings). The same rules as emitter.ts, a loop in place of straight code.
import { gateFor } from './gates.js'
import { isNumbers, nameOf, numbers } from './numbers.js'
import { type Emit, type Placed, place, plain, stagedHead, type Told } from './placement.js'
import type { Schema } from './schema.js'
import { gated, staging } from './staging.js'
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

const setters: Record<number, (at: number, value: never) => void> = {
  [Type.bool]: (at, value) => staging.setUint8(at, Number(value)),
  [Type.u8]: (at, value) => staging.setUint8(at, value),
  [Type.u16]: (at, value) => staging.setUint16(at, value, true),
  [Type.u32]: (at, value) => staging.setUint32(at, value, true),
  [Type.u64]: (at, value) => staging.setBigUint64(at, value, true),
  [Type.i8]: (at, value) => staging.setInt8(at, value),
  [Type.i16]: (at, value) => staging.setInt16(at, value, true),
  [Type.i32]: (at, value) => staging.setInt32(at, value, true),
  [Type.i64]: (at, value) => staging.setBigInt64(at, value, true),
  [Type.f32]: (at, value) => staging.setFloat32(at, value, true),
  [Type.f64]: (at, value) => staging.setFloat64(at, value, true),
}

function store({ field, at }: Placed, value: unknown): void {
  if (field.shape === Shape.array) {
    const list = value as ArrayLike<never>
    const one = bytesOf[field.type] as number
    for (let i = 0; i < field.length; i++) setters[field.type]?.(at + i * one, list[i] as never)
  } else {
    setters[field.type === Type.enum ? field.container : field.type]?.(at, value as never)
  }
}

export function closureEmitter(
  id: number,
  schema: Schema,
  on: Uint16Array,
  commit: (...parts: unknown[]) => boolean | undefined,
  refuse: () => unknown,
  { channel, collect }: Told = plain,
): Emit {
  const { placed, fixedBytes } = place(schema)
  const converters = placed.map(converter)
  const lists = placed.flatMap(({ field }, i) => (field.shape === Shape.scalar ? [] : [{ field, i }]))
  const mixed = placed.some(({ at }) => at < 0)
  const head = stagedHead(id, mixed ? 0 : fixedBytes, channel)
  const gate = gateFor(id, schema, head)

  /** False: rules changed on the way, so it is to be put once more. */
  function put(want: number, stored: readonly unknown[]): boolean {
    if (want >= gated && !gate(want, ...stored)) return true
    // Once more, when no code of the caller's comes any more: what ran may have detached what was converted before.
    if (!lists.every(({ field, i }) => isNumbers(stored[i], field.type, field.length || undefined))) {
      refuse()
      return true
    }
    if (want < gated && !mixed) staging.setUint32(0, head, true)
    placed.forEach((one, i) => {
      if (one.at >= 0) store(one, stored[i])
    })
    return !commit(...stored.filter((_, i) => (placed[i] as Placed).at < 0))
  }

  const record = (given: unknown[]) => {
    const stored: unknown[] = []
    try {
      const values = collect(...(given as never[]))
      for (let i = 0; i < placed.length; i++) {
        const one = converters[i]?.(values[(placed[i] as Placed).field.name])
        if (one === undefined) return refuse()
        stored.push(one)
      }
    } catch {
      return refuse()
    }
    let want = on[0] as number
    while (want !== 0 && !put(want, stored)) want = on[0] as number
  }
  const { event } = schema
  return {
    [event](...given: unknown[]) {
      if (on[0]) return record(given)
    },
  }[event] as Emit
}
