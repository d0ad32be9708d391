// test/support/schemas.ts: declarations and values made at random by fast-check, in a form that goes to a child
// process (v8.serialize), and what of them must come out: expectedEvent(). It follows docs/ctf.md and the comments on
// lib/types.ts, not the code. Pure.
import fc from 'fast-check'
import type { PrintedValue } from './babeltrace.js'

export type IntegerName = 'u8' | 'u16' | 'u32' | 'u64' | 'i8' | 'i16' | 'i32' | 'i64'
export type NumberName = IntegerName | 'f32' | 'f64'

export interface FieldSpec {
  name: string
  type: NumberName | 'bool' | 'string' | 'bytes' | 'enum'
  shape: 'scalar' | 'array' | 'sequence'
  length: number
  /** Enums: as the program gives them to t.enum(). */
  labels: string[] | Record<string, number>
}

export interface EventSpec {
  event: string
  fields: FieldSpec[]
  values: Record<string, unknown>[]
}

const payloadMax = 3984
const bits: Record<NumberName, number> = {
  u8: 8, u16: 16, u32: 32, u64: 64, i8: 8, i16: 16, i32: 32, i64: 64, f32: 32, f64: 64,
} // biome-ignore format: a table
const numberNames = Object.keys(bits) as NumberName[]

// Values

const anyNumber = fc.oneof(
  fc.double(),
  fc.maxSafeInteger(),
  fc.integer({ min: -(2 ** 33), max: 2 ** 33 }),
  fc.constantFrom(
    0,
    -0,
    NaN,
    Infinity,
    -Infinity,
    2 ** 63,
    -(2 ** 63),
    2 ** 64,
    2 ** 64 + 2 ** 12,
    -0.5,
    1e300,
    5e-324,
  ),
  fc.constantFrom(
    127,
    128,
    255,
    256,
    32767,
    32768,
    65535,
    65536,
    2 ** 31,
    2 ** 32,
    -(2 ** 31) - 1,
    2 ** 32 + 0.75,
  ),
)
const anyBigint = fc.oneof(
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.constantFrom(0n, -1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, -(2n ** 63n), 2n ** 53n + 1n),
)

const element = (type: NumberName) => (takesBigint(type) ? fc.oneof(anyNumber, anyBigint) : anyNumber)

const units = fc.oneof(
  fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }),
  fc.constantFrom(
    '\0',
    '\ud800',
    '\udc00',
    '😀',
    '…',
    '␀',
    '"',
    '\\',
    "'",
    '?',
    '\n',
    '\x7f',
    '\x9f',
    '\ufeff',
    'é',
  ),
)
const anyString = fc.oneof(
  { weight: 6, arbitrary: fc.array(units, { maxLength: 12 }).map((parts) => parts.join('')) },
  { weight: 2, arbitrary: fc.string({ maxLength: 60 }) },
  // Beyond a record, and close to its end, where a string is cut.
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.array(units, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 4200 }))
      .map(([parts, count]) => parts.join('').repeat(count).slice(0, 4200)),
  },
)

const constructors = {
  u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, u64: BigUint64Array,
  i8: Int8Array, i16: Int16Array, i32: Int32Array, i64: BigInt64Array,
  f32: Float32Array, f64: Float64Array,
} // biome-ignore format: a table

/** What a list of `type` may be made from: bigints only where the element takes them. */
const takesBigint = (type: NumberName) => bits[type] === 64 && type !== 'f64'
const givable = (type: NumberName) => numberNames.filter((of) => takesBigint(type) || !takesBigint(of))

/** A plain array, the typed array of the element, or one of another element. */
function anyList(type: NumberName, length: number): fc.Arbitrary<unknown> {
  const size = { minLength: length, maxLength: length }
  return fc.oneof(
    fc.array(element(type), size),
    fc.uint8Array(size).chain((bytes) =>
      fc.constantFrom(type, ...givable(type)).map((of) => {
        const buffer = new Uint8Array(length * 8 + 8)
        for (let i = 0; i < buffer.length; i++) buffer[i] = (bytes[i % Math.max(1, length)] ?? 0) * (i + 1)
        return new constructors[of](buffer.buffer, 8, length)
      }),
    ),
  )
}

const sequenceLength = (type: NumberName) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 0, max: 6 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: Math.ceil((payloadMax * 8) / bits[type]) + 2 }) },
  )

function anyValue(field: FieldSpec): fc.Arbitrary<unknown> {
  if (field.shape === 'array') return anyList(field.type as NumberName, field.length)
  if (field.shape === 'sequence') {
    const type = field.type as NumberName
    return sequenceLength(type).chain((length) => anyList(type, length))
  }
  switch (field.type) {
    case 'bool':
      return fc.boolean()
    case 'string':
      return anyString
    case 'bytes':
      return fc.oneof(
        { weight: 8, arbitrary: fc.uint8Array({ maxLength: 20 }) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 4100 }).map((n) => new Uint8Array(n).fill(n)) },
      )
    case 'enum':
      return fc.constantFrom(...entries(field).map(([label]) => label))
    default:
      return element(field.type)
  }
}

// Declarations

const anyLabel = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }),
      fc.constantFrom(
        '"',
        '\\',
        "'",
        '?',
        '*/',
        '//',
        '%s',
        ' ',
        ';',
        '}',
        '\\n',
        '😀',
        'é',
        '0x',
        '__proto__',
      ),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((parts) => parts.join(''))
  .filter((label) => !/[\p{Cc}\ufffd]/u.test(label) && Buffer.byteLength(label) <= 255)

const anyLabels: fc.Arbitrary<FieldSpec['labels']> = fc.oneof(
  fc.uniqueArray(anyLabel, { minLength: 1, maxLength: 20 }),
  fc.integer({ min: 1, max: 400 }).map((count) => Array.from({ length: count }, (_, i) => `label ${i}`)),
  fc
    .uniqueArray(
      fc.tuple(
        anyLabel.filter((label) => label !== '__proto__'),
        fc.oneof(
          fc.integer({ min: 0, max: 255 }),
          fc.integer({ min: 0, max: 65535 }),
          fc.integer(),
          fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, -1, 256, 65536),
        ),
      ),
      { minLength: 1, maxLength: 20, selector: ([label]) => label },
    )
    .map((pairs) => {
      const labelOf = new Map(pairs.map(([label, value]) => [value, label])) // each value once
      return Object.fromEntries([...labelOf].map(([value, label]) => [label, value]))
    }),
)

const plain = { length: 0, labels: [] as string[] }

const anyField = (name: string): fc.Arbitrary<FieldSpec> =>
  fc.oneof(
    fc
      .constantFrom(...numberNames, 'bool', 'string', 'bytes')
      .map((type) => ({ name, type, shape: 'scalar', ...plain }) as FieldSpec),
    anyLabels.map((labels) => ({ name, type: 'enum', shape: 'scalar', length: 0, labels }) as FieldSpec),
    fc
      .tuple(
        fc.constantFrom(...numberNames),
        fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 40 })),
      )
      .map(([type, length]) => ({ ...plain, name, type, shape: 'array', length }) as FieldSpec),
    fc.constantFrom(...numberNames).map((type) => ({ ...plain, name, type, shape: 'sequence' }) as FieldSpec),
  )

/** Names that are words of TSDL, of JavaScript or of the reader. */
const fieldNames = fc.oneof(
  fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,8}$/),
  fc.constantFrom(
    'struct',
    'integer',
    'event',
    'string',
    'length',
    'v0',
    'values',
    'toString',
    'hasOwnProperty',
    'id',
    'variant',
  ),
)

export const anyEvent = (event: string, most = 4): fc.Arbitrary<EventSpec> =>
  fc
    .uniqueArray(
      fieldNames.filter((name) => !['constructor', 'prototype'].includes(name)),
      { maxLength: 7 },
    )
    .chain((names) => fc.tuple(...names.map(anyField)))
    .chain((fields) =>
      fc.array(fc.tuple(...fields.map(anyValue)), { minLength: 1, maxLength: most }).map((rows) => ({
        event,
        fields,
        values: rows.map((row) => Object.fromEntries(row.map((value, i) => [fields[i]!.name, value]))),
      })),
    )

export const anyEvents = (count: number): fc.Arbitrary<EventSpec[]> =>
  fc.tuple(...Array.from({ length: count }, (_, i) => anyEvent(`event${i}`)))

// What must come out

export function entries(field: FieldSpec): [string, number][] {
  return Array.isArray(field.labels)
    ? field.labels.map((label, i) => [label, i])
    : Object.entries(field.labels)
}

function expectedNumber(type: NumberName, value: unknown): bigint | number {
  if (type === 'f64') return Number(value)
  if (type === 'f32') return Math.fround(Number(value))
  const whole =
    typeof value === 'bigint' ? value : Number.isFinite(value) ? BigInt(Math.trunc(value as number)) : 0n
  return type[0] === 'i' ? BigInt.asIntN(bits[type], whole) : BigInt.asUintN(bits[type], whole)
}

const list = (value: unknown): unknown[] => Array.from(value as ArrayLike<unknown>)

/** Text as it is stored, of at most `most` bytes. */
function expectedText(text: string, most: number): Buffer {
  const bytes = Buffer.from(text.replaceAll('\0', '␀')) // a lone surrogate becomes U+FFFD
  if (bytes.length <= most) return bytes
  let end = most - 3
  while (((bytes[end] as number) & 0xc0) === 0x80) end--
  return Buffer.concat([bytes.subarray(0, end), Buffer.from('…')])
}

const isVariable = ({ type, shape }: FieldSpec) =>
  type === 'string' || type === 'bytes' || shape === 'sequence'

function fixedBytes(field: FieldSpec): number {
  if (field.type === 'bool') return 1
  if (field.type === 'enum') {
    const values = entries(field).map(([, value]) => value)
    const within = (most: number) => values.every((value) => value >= 0 && value <= most)
    return within(255) ? 1 : within(65535) ? 2 : 4
  }
  return (bits[field.type as NumberName] / 8) * (field.shape === 'array' ? field.length : 1)
}

/** Undefined where the event is too big and counts as lost. */
export function expectedEvent(
  fields: FieldSpec[],
  values: Record<string, unknown>,
): Record<string, PrintedValue> | undefined {
  const out: Record<string, PrintedValue> = {}
  let at = 0
  for (const [i, field] of fields.entries()) {
    const value = values[field.name]
    if (!isVariable(field)) {
      at += fixedBytes(field)
      if (field.shape === 'array')
        out[field.name] = list(value).map((one) => expectedNumber(field.type as NumberName, one))
      else if (field.type === 'bool' || field.type === 'enum') out[field.name] = String(value)
      else out[field.name] = expectedNumber(field.type as NumberName, value)
      continue
    }
    // A string is cut so that everything behind it has the room that it takes at least.
    const behind = fields.slice(i + 1).reduce((sum, one) => sum + (isVariable(one) ? 4 : fixedBytes(one)), 0)
    const room = payloadMax - at - behind
    if (field.type === 'string') {
      const text = expectedText(value as string, room - 1)
      at += text.length + 1
      out[field.name] = text.toString()
      continue
    }
    const one = field.type === 'bytes' ? 1 : bits[field.type as NumberName] / 8
    const all = list(value)
    if (4 + all.length * one > room) return undefined
    at += 4 + all.length * one
    out[field.name] = all.map((each) =>
      expectedNumber(field.type === 'bytes' ? 'u8' : (field.type as NumberName), each),
    )
  }
  return out
}

/** The same from readTrace(): integers as bigints, so that both sides compare. */
export function normal(field: FieldSpec, value: unknown): PrintedValue {
  if (Buffer.isBuffer(value)) return [...value].map(BigInt)
  if (Array.isArray(value)) return value.map((one) => normal({ ...field, shape: 'scalar' }, one))
  if (field.type === 'f32' || field.type === 'f64') return value as number
  return typeof value === 'number'
    ? BigInt(value)
    : typeof value === 'boolean'
      ? String(value)
      : (value as PrintedValue)
}

/** babeltrace2 prints six digits of a float. */
export function sameFloat(exact: number, shown: number): boolean {
  if (Object.is(exact, shown) || !Number.isFinite(exact)) return Object.is(exact, shown)
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(exact))) - 5)
  return Math.abs(exact - shown) <= 0.51 * unit || Math.abs(exact) < 1e-300
}
