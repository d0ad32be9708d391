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
//     if (want >= 256) { if (!gate(want, offset, length)) return }   somebody asks first, or for contexts: gates.ts
//     else staging.setUint32(0, 458764, true)                 which event, how long
//     staging.setFloat64(8, offset, true); ...                no caller's code from here on
//     if (emit()) again(offset, length)                       the ring takes it, or rules changed on the way
//   }
//
// The steps for each kind of field stand in one table, steps(); where code generation is forbidden the same text
// cannot be used, and closure.ts does the work more slowly.
import { closureEmitter } from './closure.js'
import { canGenerate } from './code-generation.js'
import { gateKeeper } from './gates.js'
import { native } from './native.js'
import { isNumbers, nameOf, numbers } from './numbers.js'
import { Channel, type Emit, isVariable, type Placed, place, stagedHead } from './placement.js'
import type { Schema } from './schema.js'
import { askedAt, flags, gated, generations, stagedAsked, staging } from './staging.js'
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

function source(id: number, schema: Schema): string {
  const { placed, fixedBytes } = place(schema)
  const each = placed.map((one, i) => ({ ...steps(one, `v${i}`, `labels[${i}]`), v: `v${i}`, one }))
  const reads = each.map(({ v, one }) => `${v} = values[${JSON.stringify(one.field.name)}]`)
  const parts = each.filter(({ one }) => one.at < 0).map(({ v }) => v)
  const all = each.map(({ v }) => v).join(', ')
  const lists = each.filter(({ one }) => one.field.shape !== Shape.scalar)
  const isFixed = parts.length === 0
  const head = stagedHead(id, isFixed ? fixedBytes : 0, Channel.events)
  const put = [
    `if (want >= ${gated}) {`,
    `if (!gate(want${all && `, ${all}`})) return`,
    ...lists.map(({ check }) => check), // once more: what ran may have detached them
    !isFixed ? '}' : `} else staging.setUint32(0, ${head}, true)`,
    ...each.map(({ store }) => store),
  ]
  return [
    '"use strict"',
    'let known, ask',
    // These apart, so that the emitter stays small enough to be inlined.
    'function ready() {',
    'try { ({ known, ask } = prepare()); return true } catch { refuse(); return false }',
    '}',
    `function gate(want${all && `, ${all}`}) {`,
    `if (generations[${id}] !== known && !ready()) return false`,
    `const asked = ask(${all})`,
    'if (((want & ~(want >> 8) | asked) & 255) === 0) return false',
    `staging.setUint32(${askedAt}, asked, true)`,
    `staging.setUint32(0, ${head + stagedAsked}, true)`,
    'return true',
    '}',
    `function again(${all}) {`,
    'for (;;) {',
    `const want = flags[${id}]`,
    'if (want === 0) return',
    ...put,
    `if (!commit(${parts.join(', ')})) return`,
    '}',
    '}',
    'return function emit(values) {',
    `const want = flags[${id}]`,
    'if (want === 0) return',
    reads.length > 0 ? `let ${all}` : '',
    reads.length > 0
      ? `try { ${[...reads, ...each.flatMap(({ read }) => read ?? [])].join('; ')} } catch { return refuse() }`
      : '',
    ...each.map(({ check }) => check),
    ...put,
    `if (commit(${parts.join(', ')})) again(${all})`,
    '}',
  ].join('\n')
}

export function makeEmitter(id: number, schema: Schema): Emit {
  if (native === undefined) return () => {}
  const mixed = schema.fields.some(isVariable)
  const commit = mixed ? native.mixedEmitter(id) : native.emit
  const refuse = () => native?.refuse(id)
  if (!canGenerate) return closureEmitter(id, schema, commit, refuse)
  const labels = schema.fields.map((field) => new Map(field.labels))
  const given = { flags, staging, numbers, isNumbers, nameOf, labels, commit, refuse }
  const names = { ...given, generations, prepare: gateKeeper(id, schema) }
  const make = new Function(...Object.keys(names), source(id, schema))
  return make(...Object.values(names)) as Emit
}
