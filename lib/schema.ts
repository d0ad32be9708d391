// lib/schema.ts: checks a declaration when it is made, and gives it the one form that the emitter, the addon and the
// wire share. Pure.
import { defaultLevel, isLevel, type Level, levelNames, levels } from './levels.js'
import { show } from './show.js'
import { bytesOf, type FieldDescription, type FieldType, Shape, Type } from './types.js'

/** What provider() takes for an event. */
export interface EventDeclaration {
  readonly level?: Level
  readonly fields?: Readonly<Record<string, FieldType<unknown>>>
}

export interface Schema {
  readonly provider: string
  readonly event: string
  readonly level: number
  readonly fields: readonly FieldDescription[]
}

/** What one page of a CTF stream can hold of an event; native/ring/layout.hpp. */
export const payloadMax = 3984
const fieldsMax = 64
const labelsMax = 1024 // these two the relay has as well: relay/src/protocol/check/tracepoint.ts, protocol/frames.ts
const labelBytesMax = 1 << 20
const arrayMax = 498

const reserved = new Set(['__proto__', 'prototype', 'constructor'])
const providers = new Set(['blkin', 'lttng_ust', 'lttng'])

class DeclarationError extends TypeError {
  readonly code = 'ERR_BLKIN_DECLARATION'
}

export function fail(where: string, given: string, expected: string): never {
  throw new DeclarationError(`${where}: ${given}; expected ${expected}`)
}

export function checkEvents(provider: string, events: unknown): void {
  if (typeof events !== 'object' || events === null)
    fail(`provider ${provider}`, `the events are ${show(events)}`, 'an object of declarations by name')
}

export function checkProviderName(name: unknown): asserts name is string {
  if (typeof name !== 'string' || !/^[A-Za-z][A-Za-z0-9_.-]{0,99}$/.test(name)) {
    fail('provider', `the name is ${show(name)}`, '1 to 100 letters, digits and _ . -, a letter first')
  }
  if (providers.has(name))
    fail(`provider ${name}`, 'the name is reserved', `none of ${[...providers].join(', ')}`)
}

function checkEventName(provider: string, name: string): void {
  if (!/^[A-Za-z][A-Za-z0-9_.-]{0,99}$/.test(name) || reserved.has(name)) {
    fail(
      `tracepoint ${provider}:${show(name)}`,
      'the event has this name',
      `1 to 100 letters, digits and _ . -, a letter first, and none of ${[...reserved].join(', ')}`,
    )
  }
}

function checkLabels(where: string, type: FieldType<unknown>): void {
  const { labels } = type
  if (!Array.isArray(labels) || labels.length === 0 || labels.length > labelsMax) {
    fail(where, `the enum has ${labels?.length ?? 'no'} labels`, `1 to ${labelsMax}`)
  }
  const seen = new Set<string>()
  for (const [label, value] of labels) {
    if (
      typeof label !== 'string' ||
      label === '' ||
      Buffer.byteLength(label) > 255 ||
      /[\p{Cc}\p{Cs}\ufffd]/u.test(label)
    ) {
      fail(where, `a label is ${show(label)}`, 'text of 1 to 255 bytes of UTF-8 without control characters')
    }
    if (seen.has(label)) fail(where, `the label ${show(label)} comes twice`, 'each label once')
    seen.add(label)
    if (!Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 31) {
      fail(where, `the label ${show(label)} has the value ${show(value)}`, 'an integer of 32 bits')
    }
  }
  if (new Set(labels.map(([, value]) => value)).size < labels.length) {
    fail(where, 'two labels have one value', 'each value once')
  }
}

function checkField(where: string, name: string, type: FieldType<unknown>): void {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,99}$/.test(name) || reserved.has(name)) {
    const rule = `1 to 100 letters, digits and _, a letter first, and none of ${[...reserved].join(', ')}`
    fail(where, 'the field has this name', rule)
  }
  const known = typeof type === 'object' && type !== null && Object.values(Type).includes(type.type)
  if (!known || !Object.values(Shape).includes(type.shape)) {
    fail(
      where,
      `the type is ${show(type)}`,
      `a field type of t: ${Object.keys(Type).join(', ')}, array or sequence`,
    )
  }
  if (type.shape !== Shape.scalar && !(type.type <= Type.f64)) {
    fail(where, 'the elements are not numbers', 'an array or sequence of u8 to i64, f32 or f64')
  }
  if (
    type.shape === Shape.array &&
    !(Number.isInteger(type.length) && type.length >= 1 && type.length <= arrayMax)
  ) {
    fail(where, `the array's length is ${show(type.length)}`, `an integer from 1 to ${arrayMax}`)
  }
  if (type.type === Type.enum) checkLabels(where, type)
}

/** The bytes a field takes at least: a string its cut mark and NUL, a sequence its count. */
function leastBytes(field: FieldDescription): number {
  if (field.type === Type.string || field.type === Type.bytes || field.shape === Shape.sequence) return 4
  const one = bytesOf[field.type === Type.enum ? field.container : field.type] as number
  return field.shape === Shape.array ? one * field.length : one
}

/** @throws TypeError naming the tracepoint, the field, what was given and what is allowed. */
export function checkEvent(provider: string, event: string, declaration: EventDeclaration): Schema {
  checkEventName(provider, event)
  const where = `tracepoint ${provider}:${event}`
  if (typeof declaration !== 'object' || declaration === null) {
    fail(where, `the declaration is ${show(declaration)}`, '{ level?, fields? }')
  }
  for (const key of Object.keys(declaration)) {
    if (key !== 'level' && key !== 'fields')
      fail(where, `the declaration has ${show(key)}`, 'level and fields')
  }
  const level = declaration.level ?? defaultLevel
  if (!isLevel(level)) fail(where, `the level is ${show(level)}`, levelNames.join(', '))
  const given = declaration.fields ?? {}
  if (typeof given !== 'object') fail(where, `the fields are ${show(given)}`, 'an object of field types')
  const fields = Object.entries(given).map(([name, type]): FieldDescription => {
    checkField(`${where}, field ${show(name)}`, name, type)
    return {
      name,
      type: type.type,
      shape: type.shape,
      length: type.length,
      container: type.container,
      labels: type.labels,
    }
  })
  if (fields.length > fieldsMax) fail(where, `there are ${fields.length} fields`, `at most ${fieldsMax}`)
  const least = fields.reduce((sum, field) => sum + leastBytes(field), 0)
  if (least > payloadMax) fail(where, `the fields take ${least} bytes at least`, `at most ${payloadMax}`)
  const labelBytes = fields
    .flatMap(({ labels }) => labels)
    .reduce((sum, [l]) => sum + Buffer.byteLength(l) + 20, 0)
  if (labelBytes > labelBytesMax)
    fail(where, `the enums' labels take ${labelBytes} bytes on the wire`, `at most ${labelBytesMax}`)
  return { provider, event, level: levels[level], fields }
}

/** One text a schema: the addon tells by it whether a second declaration is the same. */
export function canonical(schema: Schema): string {
  const names = Object.keys(Type)
  const fields = schema.fields.map((field) => {
    const type = names[field.type - 1] as string
    const labels =
      field.type === Type.enum
        ? `(${field.labels.map(([l, v]) => `${JSON.stringify(l)}=${v}`).join(',')})`
        : ''
    const shape =
      field.shape === Shape.array ? `[${field.length}]` : field.shape === Shape.sequence ? '[]' : ''
    return `${field.name}: ${type}${labels}${shape}`
  })
  return `level ${levelNames[schema.level]} { ${fields.join(', ')} }`
}

export function conflict(schema: Schema, existing: string): never {
  const name = `tracepoint ${schema.provider}:${schema.event}`
  if (existing === '') fail(name, 'this process has declared 16384 tracepoints', 'no more than that')
  fail(
    name,
    `declared in a 65th form, ${canonical(schema)}`,
    `one of the 64 it had, such as the first, ${existing}`,
  )
}
