// relay/src/sql/puts.ts: what puts an event's values into the columns that a query asks for, straight from the packet's bytes.
// scan.ts composes them for each tracepoint. Fields that no column asks for are stepped over.

import { isUtf8 } from 'node:buffer'
import { beyond, compileDecoder, compileSkipper, isBool, SIZE } from '../ctf/decode.js'
import type { TraceField, TraceInfo, TraceTracepoint, TraceValue } from '../ctf/model.js'
import { NO_CPU } from '../ctf/packet.js'
import type { PacketWalk } from '../ctf/packet-walk.js'
import { LEVELS, valueText } from '../ctf/print/json.js'
import { type Lists, Strings, type Values } from './columns.js'
import type { RowSource, TableColumn } from './tables.js'
import { type ColumnBase, typeOf } from './types.js'

/** Reads at the walk's place, and moves it on; or reads nothing, where the value is in no payload. */
export type Put = (walk: PacketWalk, row: number) => void

/** A column that is asked for, and where its values go. */
export interface Asked {
  column: TableColumn
  values: Values
}

/** For one tracepoint's events, contexts and fields in their order. */
export function compilePuts(info: TraceInfo, tracepoint: TraceTracepoint, asked: Asked[]): Put {
  const puts: Put[] = []
  const found = new Set<Asked>()
  let skipped: TraceField[] = []
  const add = (fields: TraceField[], kind: 'context' | 'field') => {
    for (const field of fields) {
      const one = asked.find(({ column }) => (column.source as Record<string, string>)[kind] === field.name)
      if (one === undefined) {
        skipped.push(field)
        continue
      }
      if (skipped.length > 0) puts.push(compileSkipper(skipped))
      skipped = []
      found.add(one)
      puts.push(fieldPut(field, one))
    }
  }
  for (const one of asked) {
    if (!('row' in one.column.source)) continue
    found.add(one)
    puts.push(rowPut(one.column.source.row, info, tracepoint, one.values))
  }
  add(info.contexts, 'context')
  add(tracepoint.fields, 'field')
  puts.push(compileSkipper(skipped)) // which checks the end, too
  for (const one of asked) if (!found.has(one)) puts.push((_, row) => one.values.putNull(row))
  return (walk, row) => {
    for (let i = 0; i < puts.length; i++) puts[i]!(walk, row)
  }
}

function rowPut(source: RowSource, info: TraceInfo, tracepoint: TraceTracepoint, values: Values): Put {
  const texts: Partial<Record<RowSource, string>> = {
    provider: tracepoint.provider,
    event: tracepoint.event,
    level: LEVELS[tracepoint.level]!,
    host: info.hostname,
    program: info.program,
  }
  const text = texts[source]
  if (text !== undefined) return textPut(values as Strings, text)
  if (source === 'time') return ({ seconds, nanoseconds }, row) => putTime(values, row, seconds, nanoseconds)
  if (source === 'pid') return (_, row) => values.view.setUint32(row * 4, info.pid, true)
  if (source === 'stream') return (walk, row) => values.view.setUint32(row * 4, walk.stream, true)
  return ({ cpu }, row) => {
    if (cpu === NO_CPU) values.putNull(row)
    else values.view.setUint32(row * 4, cpu, true)
  }
}

function textPut(values: Strings, text: string): Put {
  const bytes = Buffer.from(text)
  return (_, row) => values.put(row, bytes, 0, bytes.length)
}

const TWO_32 = 0x100000000

/** Nanoseconds since 1970, in two words. */
export function putTime(values: Values, row: number, seconds: number, nanoseconds: number): void {
  const high = Math.floor(seconds / 65536) * 1e9 // of 2^16 ns
  const low = (seconds % 65536) * 1e9 + nanoseconds + (high % 65536) * 65536
  values.view.setUint32(row * 8, low % TWO_32, true)
  values.view.setUint32(row * 8 + 4, Math.floor(high / 65536) + Math.floor(low / TWO_32), true)
}

function fieldPut(field: TraceField, { column, values }: Asked): Put {
  const { base, list } = column.type
  const own = typeOf(field)
  if (list !== own.list) return fallbackPut(field, values, base)
  if (!list) return scalarPut(field, base, values) ?? fallbackPut(field, values, base)
  const lists = values as Lists
  const { length: fixed, ...scalar } = field
  const put = scalarPut(scalar, base, lists.elements)
  if (put === undefined) return fallbackPut(field, values, base)
  return (walk, row) => {
    let count = fixed as number
    if (fixed === 'counted') {
      count = walk.view.getUint32(walk.at, true)
      walk.at += 4
    }
    if (walk.at + count * SIZE[field.type] > walk.end) beyond()
    const first = lists.begin(row, count)
    for (let i = 0; i < count; i++) put(walk, first + i)
  }
}

/** Undefined where the column cannot hold them as they are. */
function scalarPut(field: TraceField, base: ColumnBase, values: Values): Put | undefined {
  const { type } = field
  if (field.labels && !isBool(field))
    return base === 'VARCHAR' ? labelPut(field, values as Strings) : undefined
  if (field.base === 16) return base === 'VARCHAR' ? idPut(values as Strings) : undefined
  if (type === 'string') return base === 'VARCHAR' ? stringPut(values as Strings) : undefined
  if (type === 'bytes') return base === 'BLOB' ? bytesPut(values as Strings) : undefined
  if (base === 'BOOLEAN')
    return isBool(field)
      ? (walk, row) => values.view.setUint8(row, walk.bytes[walk.at++] === 0 ? 0 : 1)
      : undefined
  if (type === 'f32' && base === 'FLOAT')
    return (walk, row) => values.view.setFloat32(row * 4, walk.view.getFloat32(step(walk, 4), true), true)
  if (type === 'f64' || type === 'f32') {
    if (base !== 'DOUBLE') return undefined
    const read = floatReader(type)
    return (walk, row) => values.view.setFloat64(row * 8, read(walk), true)
  }
  return isBool(field) ? undefined : wholePut(type, base, values)
}

const floatReader = (type: 'f32' | 'f64'): ((walk: PacketWalk) => number) =>
  type === 'f32'
    ? (walk) => walk.view.getFloat32(step(walk, 4), true)
    : (walk) => walk.view.getFloat64(step(walk, 8), true)

/** Past a value of so many bytes; returns where it is. */
function step(walk: PacketWalk, bytes: number): number {
  const { at } = walk
  walk.at = at + bytes
  return at
}

type Whole = 'u8' | 'u16' | 'u32' | 'u64' | 'i8' | 'i16' | 'i32' | 'i64'

/** The lowest 32 bits; the walk is left behind them all. */
const READ: Record<Whole, (walk: PacketWalk) => number> = {
  u8: (walk) => walk.view.getUint8(walk.at++),
  i8: (walk) => walk.view.getInt8(walk.at++),
  u16: (walk) => walk.view.getUint16(step(walk, 2), true),
  i16: (walk) => walk.view.getInt16(step(walk, 2), true),
  u32: (walk) => walk.view.getUint32(step(walk, 4), true),
  i32: (walk) => walk.view.getInt32(step(walk, 4), true),
  u64: (walk) => walk.view.getUint32(step(walk, 8), true),
  i64: (walk) => walk.view.getUint32(step(walk, 8), true),
}

const WHOLE: ColumnBase[] = ['UBIGINT', 'BIGINT', 'HUGEINT']

function wholePut(
  type: Exclude<TraceField['type'], 'string' | 'bytes' | 'f32' | 'f64'>,
  base: ColumnBase,
  values: Values,
): Put | undefined {
  const read = READ[type]
  const { size } = values
  const wide = SIZE[type] === 8
  if (size === 1) return (walk, row) => values.view.setInt8(row, read(walk))
  if (size === 2) return (walk, row) => values.view.setInt16(row * 2, read(walk), true)
  if (size === 4) return (walk, row) => values.view.setInt32(row * 4, read(walk), true)
  if (!WHOLE.includes(base)) return undefined
  const signed = type.startsWith('i')
  return (walk, row) => {
    const low = read(walk)
    const { view } = values
    const high = wide ? walk.view.getInt32(walk.at - 4, true) : signed && low < 0 ? -1 : 0
    view.setInt32(row * size, low, true)
    view.setInt32(row * size + 4, high, true)
    if (size === 8) return
    const fill = signed && high < 0 ? -1 : 0
    view.setInt32(row * size + 8, fill, true)
    view.setInt32(row * size + 12, fill, true)
  }
}

function stringPut(values: Strings): Put {
  return (walk, row) => {
    const { bytes, at, end } = walk
    let stop = at
    let all = 0
    while (stop < end && bytes[stop] !== 0) all |= bytes[stop++]!
    if (stop >= end) beyond()
    walk.at = stop + 1
    if (all < 0x80 || isUtf8(bytes.subarray(at, stop))) return values.put(row, bytes, at, stop)
    const text = Buffer.from(bytes.toString('utf8', at, stop)) // DuckDB takes no other
    values.put(row, text, 0, text.length)
  }
}

function bytesPut(values: Strings): Put {
  return (walk, row) => {
    const start = walk.at + 4
    const stop = start + walk.view.getUint32(walk.at, true)
    if (stop > walk.end) beyond()
    walk.at = stop
    values.put(row, walk.bytes, start, stop)
  }
}

/** The first label of a value; the number where it has none. */
function labelPut({ type, labels }: TraceField, values: Strings): Put {
  const texts = new Map([...labels!].reverse().map(([name, value]) => [value, Buffer.from(name)]))
  const read = READ[type as Whole]
  return (walk, row) => {
    const value = read(walk)
    const text = texts.get(value) ?? Buffer.from(String(value))
    values.put(row, text, 0, text.length)
  }
}

function idPut(values: Strings): Put {
  const text = Buffer.alloc(16)
  return (walk, row) => {
    text.write(walk.view.getBigUint64(step(walk, 8), true).toString(16).padStart(16, '0'))
    values.put(row, text, 0, 16)
  }
}

/** The value's text where a column holds texts of several types, none where it holds something else. */
function fallbackPut(field: TraceField, values: Values, base: ColumnBase): Put {
  const decode = compileDecoder([{ ...field, name: 'value' }])
  return (walk, row) => {
    const value = decode(walk.bytes, walk.view, walk).value!
    if (!(values instanceof Strings) || base !== 'VARCHAR') return values.putNull(row)
    const text = Buffer.from(plainText(value))
    values.put(row, text, 0, text.length)
  }
}

/** As in JSON, without the quotes that are not the value's. */
function plainText(value: TraceValue): string {
  if (typeof value === 'string' || typeof value === 'bigint') return String(value)
  return Buffer.isBuffer(value) ? value.toString('hex') : valueText(value)
}
