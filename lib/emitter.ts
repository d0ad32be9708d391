// lib/emitter.ts: makes the function behind a tracepoint, once per tracepoint and thread. It holds the hot path from
// JavaScript: a flag test; the fields read, checked and stored into staging at offsets fixed here; one native call.
//
//   function io(values) { if (on[0]) attempt(values) }        off: this is all
//   function attempt(values) { try { read(values) } catch { refuse() } }
//   function read(values) { record(values.offset, values.length) }   may run the caller's code; nothing is staged yet
//   function record(v0, v1) {
//     if (typeof v0 !== 'number' || ...) return refuse()
//     if (on[0] >= 256) { if (!gate(on[0], v0, v1)) return }   somebody asks first, or for contexts: gates.ts
//     else staging.setUint32(0, 458764, true)                 which event, how long
//     staging.setFloat64(8, v0, true); ...                    no caller's code from here on
//     if (commit()) again(v0, v1)                             the ring takes it, or rules changed on the way
//   }
//
// Four functions, as V8 puts one into its caller whatever the caller's size if it has less than 27 bytes of bytecode: the first
// has 18, the second 22, the third 25 where there are three fields. So a caller that is warm makes no object for a tracepoint that is off.
// `on`, `record` and the others are no constants there, since each reading of such a one costs two bytes to see that it has a value.
//
// The steps for each kind of field stand in one table, steps(); where code generation is forbidden the same text
// cannot be used, and closure.ts does the work more slowly.
import { closureEmitter } from './closure.js'
import { canGenerate } from './code-generation.js'
import { joinedUnsigned } from './filter/integers.js'
import { gateKeeper } from './gates.js'
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
  /** What check takes, out of `values`; may run the caller's code, and throw. */
  read: string
  /** Refuses; runs when everything is read and before anything is staged, and no code of the caller's. */
  check: string
  /** Runs no code of the caller's. */
  store: string
}

/** v is the variable that holds the value; k names the field's constants; key is the property of the program's object. */
function steps({ field, at }: Placed, v: string, k: string, key: string): Steps {
  const read = `values[${JSON.stringify(key)}]`
  const set = (type: number, where: string | number, value: string) =>
    `staging.set${setters[type]}(${where}, ${value}, true)`
  if (field.shape !== Shape.scalar) {
    const length = field.shape === Shape.array ? `, ${field.length}` : ''
    const check = `if (!isNumbers(${v}, ${field.type}${length})) return refuse()`
    const one = bytesOf[field.type] as number
    const store = `for (let i = 0; i < ${field.length}; i++) ${set(field.type, `${at} + i * ${one}`, `${v}[i]`)}`
    const copy = `numbers(${read}, ${field.type}${length})`
    return { read: copy, check, store: field.shape === Shape.array ? store : '' }
  }
  switch (field.type) {
    case Type.bool:
      return {
        read,
        check: `if (typeof ${v} !== 'boolean') return refuse()`,
        store: `staging.setUint8(${at}, ${v} ? 1 : 0)`,
      }
    case Type.string:
      return { read, check: `if (typeof ${v} !== 'string') return refuse()`, store: '' }
    case Type.bytes:
      return { read, check: `if (nameOf(${v}) !== 'Uint8Array') return refuse()`, store: '' }
    case Type.enum: {
      const cases = field.labels.map(
        ([label, value]) => `case ${JSON.stringify(label)}: ${v} = ${value}; break`,
      )
      const check =
        cases.length <= switchMost
          ? `switch (${v}) { ${cases.join('; ')}; default: return refuse() }`
          : `if ((${v} = ${k}.get(${v})) === undefined) return refuse()`
      return { read, check, store: set(field.container, at, v) }
    }
    case Type.u64:
    case Type.i64:
      // A number goes in as two halves, which costs a nanosecond where a bigint made for it costs ten.
      return {
        read,
        check: `if (typeof ${v} === 'number') ${v} = Math.trunc(${v}); else if (typeof ${v} !== 'bigint') return refuse()`,
        store:
          `if (typeof ${v} === 'number') { staging.setUint32(${at}, ${v}, true); ` +
          `staging.setUint32(${at + 4}, Math.floor(${v} / 4294967296), true) } else ${set(field.type, at, v)}`,
      }
    default:
      return { read, check: `if (typeof ${v} !== 'number') return refuse()`, store: set(field.type, at, v) }
  }
}

function source(id: number, schema: Schema, told: Told): string {
  const { channel, parameters, fields, keys, first = '' } = told
  const { placed, fixedBytes } = place(schema)
  const name = JSON.stringify(schema.event)
  const each = placed.map((one, i) => {
    const known = fields[i]
    if (known) return { v: known.value, one, read: '', check: '', store: known.store?.(one.at) ?? '' }
    const key = keys?.[i - fields.length] ?? one.field.name
    return { ...steps(one, `v${i}`, `labels[${i}]`, key), v: `v${i}`, one }
  })
  const own = each.slice(fields.length)
  const parts = each.filter(({ one }) => one.at < 0).map(({ v }) => v)
  const all = each.map((_, i) => `v${i}`).join(', ')
  const given = each.map(({ v }) => v).join(', ')
  const lists = each.filter(({ one }) => one.field.shape !== Shape.scalar)
  const isFixed = parts.length === 0
  const head = stagedHead(id, isFixed ? fixedBytes : 0, channel)
  // Of the caller's arguments all but the program's object, and in its place what was read from it.
  const passed = parameters.filter((parameter) => parameter !== 'values')
  const outer = parameters.join(', ')
  const taken = [...passed, ...own.map(({ v }) => v)].join(', ')
  const put = [
    `if (want >= ${gated}) {`,
    `if (!gate(want${given && `, ${given}`})) return`,
    ...lists.map(({ check }) => check), // once more: what ran may have detached them
    !isFixed ? '}' : `} else staging.setUint32(0, ${head}, true)`,
    ...each.map(({ store }) => store),
  ]
  return [
    '"use strict"',
    'let known, ask',
    // These apart, so that the emitter stays small enough to be inlined.
    'function ready() {',
    'try { ({ known, ask } = prepare()); return true } catch { lose(); return false }',
    '}',
    `function gate(want${all && `, ${all}`}) {`,
    `if (generations[${id}] !== known && !ready()) return false`,
    `const asked = ask(${all})`,
    'if (((want & ~(want >> 8) | asked) & 255) === 0) return false',
    `staging.setUint32(${askedAt}, asked, true)`,
    `staging.setUint32(0, ${head + stagedAsked}, true)`,
    'return true',
    '}',
    `function again(${taken}) {`,
    'for (;;) {',
    'const want = on[0]',
    'if (want === 0) return',
    ...put,
    `if (!commit(${parts.join(', ')})) return`,
    '}',
    '}',
    `function record(${taken}) {`,
    ...each.map(({ check }) => check),
    'const want = on[0]',
    ...put,
    `if (commit(${parts.join(', ')})) again(${taken})`,
    '}',
    `function read(${outer}) { return record(${[...passed, ...own.map(({ read }) => read)].join(', ')}) }`,
    `function attempt(${outer}) { try { return read(${outer}) } catch { return refuse() } }`,
    first === ''
      ? `return { ${name}(${outer}) { if (on[0]) return attempt(${outer}) } }[${name}]`
      : `return { ${name}(${outer}) { const want = on[0]\n${first}\nif (want !== 0) return attempt(${outer}) } }[${name}]`,
  ].join('\n')
}

/**
 * @param on the tracepoint's flag
 * @param refuse called for what cannot be recorded; what it returns the emitter returns
 */
export function makeEmitter(
  id: number,
  schema: Schema,
  on: Uint16Array,
  told: Told = plain,
  refuse: () => unknown = () => native?.refuse(id),
): Emit {
  const { event } = schema
  if (native === undefined) return { [event]() {} }[event] as Emit
  const mixed = schema.fields.some(isVariable)
  const commit = mixed ? native.mixedEmitter(id) : native.emit
  if (!canGenerate) return closureEmitter(id, schema, on, commit, refuse, told)
  const labels = schema.fields.map((field) => new Map(field.labels))
  const lose = () => native!.refuse(id)
  const given = {
    on,
    flags,
    staging,
    words,
    joinedUnsigned,
    numbers,
    isNumbers,
    nameOf,
    labels,
    commit,
    refuse,
    lose,
  }
  const plainObject = { getPrototypeOf: Object.getPrototypeOf, plainPrototype: Object.prototype }
  const names = { ...given, ...plainObject, generations, prepare: gateKeeper(id, schema) }
  const make = new Function(...Object.keys(names), source(id, schema, told))
  return make(...Object.values(names)) as Emit
}
