// lib/emitter.ts: makes the function behind a tracepoint, once per tracepoint and thread. It holds the hot path from
// JavaScript: a flag test; the fields read, checked and stored into staging at offsets fixed here; one native call.
//
//   function emit(values) {
//     const want = flags[7]
//     if (want === 0) return                                  off: this is all
//     let offset, length
//     try { offset = values.offset; length = values.length }  may run the caller's code; nothing is staged yet
//     catch { refuse(); return }
//     if (typeof offset !== 'number' || ...) { refuse(); return }
//     if (want >= 256) { ... }                                somebody asks first: gates.ts; or for contexts: context.ts
//     staging.setUint32(0, 458764, true)                      which event, how long
//     staging.setFloat64(8, offset, true); ...                no caller's code from here on
//     emit()                                                  the ring takes it
//   }
//
// The steps for each kind of field stand in one table, steps(); where code generation is forbidden the same text
// cannot be used, and closure.ts does the work more slowly.
import { closureEmitter } from './closure.js'
import { gather } from './context.js'
import { gateOf } from './gates.js'
import { native } from './native.js'
import { isNumbers, nameOf, numbers } from './numbers.js'
import { type Emit, isVariable, type Placed, place, plain, stagedHead, type Told } from './placement.js'
import type { Schema } from './schema.js'
import { askedAt, flags, gated, generations, stagedAsked, staging, words } from './staging.js'
import { bytesOf, Shape, Type } from './types.js'

const switchMost = 12

const setters: Record<number, string> = {
  [Type.u8]: 'Uint8', [Type.u16]: 'Uint16', [Type.u32]: 'Uint32', [Type.u64]: 'BigUint64',
  [Type.i8]: 'Int8', [Type.i16]: 'Int16', [Type.i32]: 'Int32', [Type.i64]: 'BigInt64',
  [Type.f32]: 'Float32', [Type.f64]: 'Float64',
} // biome-ignore format: a table

interface Steps {
  /** Turns the value into what check takes; may run the caller's code, and throw. */
  read?: string
  /** Refuses; runs when everything is read and before anything is staged, and no code of the caller's. */
  check: string
  /** Runs no code of the caller's. */
  store: string
}

/** v is the variable that holds the value; k names the field's constants. */
function steps({ field, at }: Placed, v: string, k: string): Steps {
  const set = (type: number, where: string | number, value: string) =>
    `staging.set${setters[type]}(${where}, ${value}, true)`
  if (field.shape !== Shape.scalar) {
    const length = field.shape === Shape.array ? `, ${field.length}` : ''
    const read = `${v} = numbers(${v}, ${field.type}${length})`
    const check = `if (!isNumbers(${v}, ${field.type}${length})) return refuse()`
    const one = bytesOf[field.type] as number
    const store = `for (let i = 0; i < ${field.length}; i++) ${set(field.type, `${at} + i * ${one}`, `${v}[i]`)}`
    return { read, check, store: field.shape === Shape.array ? store : '' }
  }
  switch (field.type) {
    case Type.bool:
      return {
        check: `if (typeof ${v} !== 'boolean') return refuse()`,
        store: `staging.setUint8(${at}, ${v} ? 1 : 0)`,
      }
    case Type.string:
      return { check: `if (typeof ${v} !== 'string') return refuse()`, store: '' }
    case Type.bytes:
      return { check: `if (nameOf(${v}) !== 'Uint8Array') return refuse()`, store: '' }
    case Type.enum: {
      const cases = field.labels.map(
        ([label, value]) => `case ${JSON.stringify(label)}: ${v} = ${value}; break`,
      )
      const check =
        cases.length <= switchMost
          ? `switch (${v}) { ${cases.join('; ')}; default: return refuse() }`
          : `if ((${v} = ${k}.get(${v})) === undefined) return refuse()`
      return { check, store: set(field.container, at, v) }
    }
    case Type.u64:
    case Type.i64:
      // A number goes in as two halves, which costs a nanosecond where a bigint made for it costs ten.
      return {
        check: `if (typeof ${v} === 'number') ${v} = Math.trunc(${v}); else if (typeof ${v} !== 'bigint') return refuse()`,
        store:
          `if (typeof ${v} === 'number') { staging.setUint32(${at}, ${v}, true); ` +
          `staging.setUint32(${at + 4}, Math.floor(${v} / 4294967296), true) } else ${set(field.type, at, v)}`,
      }
    default:
      return { check: `if (typeof ${v} !== 'number') return refuse()`, store: set(field.type, at, v) }
  }
}

function source(id: number, schema: Schema, told: Told): string {
  const { channel, parameters, fields, keys, first = '' } = told
  const { placed, fixedBytes } = place(schema)
  const each = placed.map((one, i) => {
    const known = fields[i]
    if (known) return { v: known.value, one, check: '', store: known.store?.(one.at) ?? '', isTold: true }
    return { ...steps(one, `v${i}`, `labels[${i}]`), v: `v${i}`, one, isTold: false }
  })
  const own = each.filter(({ isTold }) => !isTold)
  const keyOf = (one: Placed, i: number) => JSON.stringify(keys?.[i] ?? one.field.name)
  const reads = own.map(({ v, one }, i) => `${v} = values[${keyOf(one, i)}]`)
  const parts = each.filter(({ one }) => one.at < 0).map(({ v }) => v)
  const all = each.map((_, i) => `v${i}`).join(', ')
  const given = each.map(({ v }) => v).join(', ')
  const lists = each.filter(({ one }) => one.field.shape !== Shape.scalar)
  const isFixed = parts.length === 0
  const head = stagedHead(id, isFixed ? fixedBytes : 0, channel)
  return [
    '"use strict"',
    'let known, ask',
    // Apart, so that an emitter without gates stays small enough to be inlined. False: all refuse.
    `function gate(want${all && `, ${all}`}) {`,
    `if (generations[${id}] !== known) ({ known, ask } = gateOf(${id}, schema))`,
    `const asked = ask(${all})`,
    'if ((want & 255 & ~asked) === 0) return false',
    'gather()', // which may run the program's code
    `staging.setUint32(${askedAt}, asked, true)`,
    `staging.setUint32(0, ${head + stagedAsked}, true)`,
    'return true',
    '}',
    `return function emit(${parameters.join(', ')}) {`,
    `const want = flags[${id}]`,
    first,
    'if (want === 0) return',
    own.length > 0 ? `let ${own.map(({ v }) => v).join(', ')}` : '',
    own.length > 0
      ? `try { ${[...reads, ...own.flatMap((one) => ('read' in one && one.read) || [])].join('; ')} } catch { return refuse() }`
      : '',
    ...each.map(({ check }) => check),
    `if (want >= ${gated}) {`,
    `if (!gate(want${given && `, ${given}`})) return`,
    ...lists.map(({ check }) => check), // once more: what ran may have detached them
    !isFixed ? '}' : `} else staging.setUint32(0, ${head}, true)`,
    ...each.map(({ store }) => store),
    `commit(${parts.join(', ')})`,
    '}',
  ].join('\n')
}

/** An id of 64 bits of its halves, for gates. */
const wide = (high: number, low: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)

/** Probed once: --disallow-code-generation-from-strings makes the first use throw. */
export const canGenerate: boolean = (() => {
  try {
    new Function('')
    return true
  } catch {
    return false
  }
})()

/** `refuse` is called for what cannot be recorded; what it returns the emitter returns. */
export function makeEmitter(
  id: number,
  schema: Schema,
  told: Told = plain,
  refuse: () => unknown = () => native?.refuse(id),
): Emit {
  if (native === undefined) return () => {}
  const mixed = schema.fields.some(isVariable)
  const commit = mixed ? native.mixedEmitter(id) : native.emit
  if (!canGenerate) return closureEmitter(id, schema, commit, refuse, told)
  const labels = schema.fields.map((field) => new Map(field.labels))
  const given = { flags, staging, words, wide, gather, numbers, isNumbers, nameOf, labels, commit, refuse }
  const plainObject = { getPrototypeOf: Object.getPrototypeOf, plainPrototype: Object.prototype }
  const names = { ...given, ...plainObject, generations, gateOf, schema }
  const make = new Function(...Object.keys(names), source(id, schema, told))
  return make(...Object.values(names)) as Emit
}
