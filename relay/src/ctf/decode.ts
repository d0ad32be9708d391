// relay/src/ctf/decode.ts: compiles the function that reads a tracepoint's fields, or a trace's contexts.
// packet-reader.ts runs it for each event. Names come from metadata and get into the code only as JSON strings.
// Fixed fields are read without a check each: the buffer has SLACK bytes to spare, and the end is checked last.

import type { TraceField, TraceValue } from './model.js'

/** More than all fixed fields of one event together (64 of 8 bytes), or all contexts (32). */
export const SLACK = 1024

/** Where the decoder is, and where the packet's content ends. */
export interface Position {
  at: number
  end: number
}

export type Decode = (bytes: Buffer, view: DataView, position: Position) => Record<string, TraceValue>

export function compileDecoder(fields: TraceField[]): Decode {
  const labels = fields.map((field) => labelsByValue(field))
  const lines = fields.map((field, i) => `const f${i} = ${fieldCode(field, i)}`)
  const members = fields.map((field, i) => `[${JSON.stringify(field.name)}]: f${i}`)
  const plain = members.map((member) =>
    member.startsWith('["__proto__"]') ? member : member.replace(/^\[(.*)\]/, '$1'),
  )
  const code = `return (b, v, p) => {
    ${lines.join('\n    ')}
    if (p.at > p.end) h.beyond()
    return { ${plain.join(', ')} }
  }`
  return new Function('h', 'labels', code)(helpers, labels) as Decode
}

/** Goes past an event's contexts and fields and makes nothing of them. */
export function compileSkipper(
  fields: TraceField[],
): (event: Position & { bytes: Buffer; view: DataView }) => void {
  const code = `return (p) => {
    const { bytes: b, view: v } = p
    ${fields.map(skipCode).join('\n    ')}
    if (p.at > p.end) h.beyond()
  }`
  return new Function('h', code)(helpers)
}

function skipCode({ type, length }: TraceField): string {
  const varies = type === 'string' || type === 'bytes'
  const one = type === 'string' ? 'h.skipString(b, p)' : 'h.skipBytes(v, p)'
  if (length === undefined) return varies ? one : `p.at += ${SIZE[type]}`
  const count = `const count = ${length === 'counted' ? SCALAR.u32 : length}`
  const all = varies ? `for (let n = count; n > 0; n--) ${one}` : `p.at += count * ${SIZE[type]}`
  return `{ ${count}; ${all} }`
}

function labelsByValue(field: TraceField): Map<number, string | boolean> | undefined {
  if (!field.labels) return undefined
  if (isBool(field)) return new Map([[0, false], [1, true]]) // biome-ignore format: a table of two
  return new Map([...field.labels].reverse().map(([name, value]) => [value, name]))
}

export function isBool(field: TraceField): boolean {
  return field.type === 'u8' && JSON.stringify(field.labels) === '[["false",0],["true",1]]'
}

function fieldCode(field: TraceField, i: number): string {
  const one = field.labels ? `h.label(labels[${i}], ${SCALAR[field.type]})` : SCALAR[field.type]
  if (field.length === undefined) return one
  const count = field.length === 'counted' ? SCALAR.u32 : String(field.length)
  return `h.many(${count}, ${SIZE[field.type]}, p, () => ${one})`
}

export const SIZE = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  u64: 8,
  i64: 8,
  f64: 8,
  string: 1,
  bytes: 4,
}

const fixed = (get: string, size: number) => `v.get${get}((p.at += ${size}) - ${size}, true)`

const SCALAR = {
  u8: 'b[p.at++]',
  i8: 'v.getInt8(p.at++)',
  u16: fixed('Uint16', 2),
  i16: fixed('Int16', 2),
  u32: fixed('Uint32', 4),
  i32: fixed('Int32', 4),
  f32: fixed('Float32', 4),
  f64: fixed('Float64', 8),
  u64: 'h.u64(v, p)',
  i64: 'h.i64(v, p)',
  string: 'h.string(b, p)',
  bytes: 'h.bytes(b, v, p)',
}

export function beyond(): never {
  throw new RangeError('an event reaches beyond its packet')
}

const helpers = {
  beyond,

  label(labels: Map<number, string | boolean>, value: number): TraceValue {
    return labels.get(value) ?? value
  },

  u64(view: DataView, p: Position): number | bigint {
    const low = view.getUint32(p.at, true)
    const high = view.getUint32(p.at + 4, true)
    p.at += 8
    return high < 0x200000 ? high * 0x100000000 + low : (BigInt(high) << 32n) | BigInt(low)
  },

  i64(view: DataView, p: Position): number | bigint {
    const low = view.getUint32(p.at, true)
    const high = view.getInt32(p.at + 4, true)
    p.at += 8
    return high < 0x200000 && high >= -0x200000
      ? high * 0x100000000 + low
      : (BigInt(high) << 32n) + BigInt(low)
  },

  string: readString,

  bytes(bytes: Buffer, view: DataView, p: Position): Buffer {
    const length = view.getUint32(p.at, true)
    const start = p.at + 4
    if (start + length > p.end) beyond()
    p.at = start + length
    return Buffer.from(bytes.subarray(start, p.at))
  },

  skipString(bytes: Buffer, p: Position): void {
    while (p.at < p.end && bytes[p.at] !== 0) p.at++
    if (p.at++ >= p.end) beyond()
  },

  skipBytes(view: DataView, p: Position): void {
    p.at += 4 + view.getUint32(p.at, true)
    if (p.at > p.end) beyond()
  },

  many(count: number, size: number, p: Position, one: () => TraceValue): TraceValue[] {
    if (p.at + count * size > p.end) beyond()
    const values = new Array<TraceValue>(count)
    for (let i = 0; i < count; i++) values[i] = one()
    return values
  },
}

export function readString(bytes: Buffer, p: Position): string {
  const start = p.at
  let stop = start
  let all = 0
  while (stop < p.end && bytes[stop] !== 0) all |= bytes[stop++]!
  if (stop >= p.end) beyond()
  p.at = stop + 1
  if (all >= 0x80) return bytes.toString('utf8', start, stop)
  if (stop - start > 12) return bytes.toString('latin1', start, stop)
  let text = ''
  for (let i = start; i < stop; i++) text += String.fromCharCode(bytes[i]!)
  return text
}
