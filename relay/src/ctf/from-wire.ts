// relay/src/ctf/from-wire.ts: a declaration as it comes over a wire, to what a reader of its metadata knows, and back.
// Whoever has tracepoints that are in no file uses it: the live relay, and the clients of Control and Fleet. Pure.

import { big, type Field, i64, type Tracepoint, types } from '../protocol/wire.js'
import { isBool } from './decode.js'
import { isId, isSpanId } from './metadata.js'
import type { Scalar, TraceField, TraceTracepoint } from './model.js'

const { Type, Shape } = types
const NUMBERS = Object.entries(Type).filter(
  (entry): entry is [string, number] => typeof entry[1] === 'number',
)
/** By the number on the wire; a bool is a byte with two labels. */
const SCALARS = new Map(NUMBERS.map(([name, type]) => [type, name.toLowerCase() as Scalar])).set(
  Type.BOOL,
  'u8',
)
const WIRE = new Map(NUMBERS.map(([name, type]) => [name.toLowerCase(), type]))

export function tracepoint(from: Tracepoint): TraceTracepoint {
  const { id, provider, event, level, fields } = from
  const ofEvent = (one: Field) =>
    isSpanId(provider, one) ? { ...field(one), base: 16 as const } : field(one)
  return { id, provider, event, level, fields: fields.map(ofEvent) }
}

export function field(from: Field): TraceField {
  const scalar = from.type === Type.ENUM ? from.container! : from.type
  const made: TraceField = { name: from.name, type: SCALARS.get(scalar)! }
  if (from.type === Type.BOOL) made.labels = [['false', 0], ['true', 1]] // biome-ignore format: a table of two
  if (from.type === Type.ENUM) made.labels = from.labels!.map(({ name, value }) => [name, Number(big(value))])
  if (from.shape === Shape.ARRAY) made.length = from.length!
  if (from.shape === Shape.SEQUENCE) made.length = 'counted'
  return made
}

export function context(from: Field): TraceField {
  return isId(from) ? { ...field(from), base: 16 } : field(from)
}

export function toWire({ fields, ...same }: TraceTracepoint): Tracepoint {
  return new types.Tracepoint({ ...same, fields: fields.map(fieldToWire) })
}

function fieldToWire(from: TraceField): Field {
  const { name, type, labels, length } = from
  const shape = length === undefined ? Shape.SCALAR : length === 'counted' ? Shape.SEQUENCE : Shape.ARRAY
  const scalar = WIRE.get(type)!
  return new types.Field({
    ...{ name, shape, type: isBool(from) ? Type.BOOL : labels ? Type.ENUM : scalar },
    ...(typeof length === 'number' ? { length } : {}),
    ...(labels && !isBool(from) ? { container: scalar, labels: labels.map(labelToWire) } : {}),
  })
}

function labelToWire([name, value]: [string, number]) {
  return new types.Label({ name, value: i64(value) })
}
