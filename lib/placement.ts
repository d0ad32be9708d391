// lib/placement.ts: where each field of an event goes in staging: packed, in the order of the declaration, the fixed
// ones alone. The addon (native/rules/registry.cc, lay_out) puts the others between them. Pure.
import type { Schema } from './schema.js'
import { payloadAt } from './staging.js'
import { bytesOf, type FieldDescription, Shape, Type } from './types.js'

/** The tracepoint's call, untyped. */
export type Emit = (...given: never[]) => unknown

/** A field's place: `at` in staging for a fixed one, -1 for one that goes to the addon as an argument. */
export interface Placed {
  readonly field: FieldDescription
  readonly at: number
}

export function isVariable(field: FieldDescription): boolean {
  return field.type === Type.string || field.type === Type.bytes || field.shape === Shape.sequence
}

export function place(schema: Schema): { placed: Placed[]; fixedBytes: number } {
  let at = payloadAt
  const placed = schema.fields.map((field) => {
    if (isVariable(field)) return { field, at: -1 }
    const here = at
    const one = bytesOf[field.type === Type.enum ? field.container : field.type] as number
    at += field.shape === Shape.array ? one * field.length : one
    return { field, at: here }
  })
  return { placed, fixedBytes: at - payloadAt }
}

/** The channel of a tracepoint, by its provider: native/event/channel.hpp. */
export const Channel = { events: 0, spans: 1 } as const

/** Staging's first word. kTracepointsMax keeps an id below 2^14, payloadMax the bytes below 2^15. */
export function stagedHead(id: number, fixedBytes: number, channel: number): number {
  return channel * 2 ** 30 + id * 65536 + fixedBytes
}

/**
 * What an emitter is told by its caller beside the object that the program gives: a span's ids, say. These are the first of
 * the event's fields, are of their types already, and are never read from the program's object.
 */
export interface Told {
  readonly channel: number
  /** Of the emitter; `values`, the program's object, is one of them where other fields are read from it. */
  readonly parameters: readonly string[]
  readonly fields: readonly ToldField[]
  /** Keys of the program's object, where they are not what the fields are called. */
  readonly keys?: readonly string[]
  /** A statement in front of all others, which may return what it likes. */
  readonly first?: string
  /** Where code generation is forbidden: the same arguments as one object with all the fields. */
  collect(...given: never[]): Record<string, unknown>
}

export interface ToldField {
  /** An expression over the parameters: of an enum its number, as gates are told it. */
  readonly value: string
  /** Stores it at that place in staging; missing for what the addon gets as an argument. */
  store?(at: number): string
}

/** Of ordinary events: all that they say is in the program's object. */
export const plain: Told = {
  channel: Channel.events,
  parameters: ['values'],
  fields: [],
  collect: (values) => values,
}
