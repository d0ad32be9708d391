// lib/types.ts: the field types that a declaration is made of. Descriptions only: schema.ts checks them,
// emitter.ts writes values. The numbers are those of idl/blkin.thrift; a test compares.

export const Type = {
  u8: 1, u16: 2, u32: 3, u64: 4,
  i8: 5, i16: 6, i32: 7, i64: 8,
  f32: 9, f64: 10,
  bool: 11, string: 12, enum: 13, bytes: 14,
} as const // biome-ignore format: a table

export const Shape = { scalar: 0, array: 1, sequence: 2 } as const

export type TypeNumber = (typeof Type)[keyof typeof Type]
export type ShapeNumber = (typeof Shape)[keyof typeof Shape]

/** Bytes of one value; strings and bytes have no one size, and an enum has its container's. */
export const bytesOf: Record<number, number> = {
  [Type.u8]: 1, [Type.u16]: 2, [Type.u32]: 4, [Type.u64]: 8,
  [Type.i8]: 1, [Type.i16]: 2, [Type.i32]: 4, [Type.i64]: 8,
  [Type.f32]: 4, [Type.f64]: 8, [Type.bool]: 1,
} // biome-ignore format: a table

/** A field's type. `Value` is what the tracepoint's call takes for it. */
export interface FieldType<Value> {
  readonly type: TypeNumber
  readonly shape: ShapeNumber
  /** Arrays: how many values. */
  readonly length: number
  /** Enums: the integer that a label is stored as. */
  readonly container: TypeNumber
  /** Enums: label and value. */
  readonly labels: readonly (readonly [string, number])[]
  /** Never there; it carries `Value` for the type checker. */
  readonly _value?: Value
}

/** A field as the addon and the wire know it. */
export interface FieldDescription extends FieldType<unknown> {
  readonly name: string
}

type NumberType = FieldType<number> | FieldType<number | bigint>
type Elements<F> =
  F extends FieldType<infer V>
    ? number extends V
      ? readonly V[] | ArrayLike<number> | (bigint extends V ? ArrayLike<bigint> : never)
      : never
    : never

function scalar<Value>(type: TypeNumber): FieldType<Value> {
  return Object.freeze({ type, shape: Shape.scalar, length: 0, container: type, labels: [] })
}

function shaped<F extends NumberType>(
  element: F,
  shape: ShapeNumber,
  length: number,
): FieldType<Elements<F>> {
  const { type, container, labels } = element
  return Object.freeze({ type, shape, length, container, labels })
}

function enumeration(given: readonly string[] | Record<string, number>): FieldType<string> {
  const labels = Array.isArray(given)
    ? given.map((name: string, value) => [name, value] as const)
    : Object.entries(given as Record<string, number>)
  const values = labels.map(([, value]) => value)
  const within = (low: number, high: number) => values.every((v) => v >= low && v <= high)
  const container = within(0, 0xff) ? Type.u8 : within(0, 0xffff) ? Type.u16 : Type.i32
  return Object.freeze({ type: Type.enum, shape: Shape.scalar, length: 0, container, labels })
}

/**
 * Field types. Integers are stored modulo 2^n, as a typed array stores them; a value that is not of the field's type
 * is refused: the event is not recorded and counts as lost (`badValue`).
 */
export const t = {
  u8: scalar<number>(Type.u8),
  u16: scalar<number>(Type.u16),
  u32: scalar<number>(Type.u32),
  /** A number (its integer part) or a bigint. */
  u64: scalar<number | bigint>(Type.u64),
  i8: scalar<number>(Type.i8),
  i16: scalar<number>(Type.i16),
  i32: scalar<number>(Type.i32),
  /** A number (its integer part) or a bigint. */
  i64: scalar<number | bigint>(Type.i64),
  f32: scalar<number>(Type.f32),
  f64: scalar<number>(Type.f64),
  bool: scalar<boolean>(Type.bool),
  /** UTF-8. Cut to what is left of the record's 3,984 bytes, then ending in "…"; a NUL is stored as "␀". */
  string: scalar<string>(Type.string),
  /** A Uint8Array (or Buffer), copied. */
  // Asserted, which declarations repeat as it stands; what tsc infers is generic, which compilers before 5.7 do not know.
  bytes: scalar(Type.bytes) as FieldType<Uint8Array>,
  /** One of the labels: numbered from 0, or as given (32 bits). */
  enum: enumeration as {
    <const L extends readonly string[]>(labels: L): FieldType<L[number]>
    <const M extends Record<string, number>>(labels: M): FieldType<keyof M & string>
  },
  /** Exactly `length` numbers. Fastest from the typed array of the same element. */
  array<F extends NumberType>(element: F, length: number): FieldType<Elements<F>> {
    return shaped(element, Shape.array, length)
  },
  /** Any count of numbers that the record has room for. Fastest from the typed array of the same element. */
  sequence<F extends NumberType>(element: F): FieldType<Elements<F>> {
    return shaped(element, Shape.sequence, 0)
  },
}
