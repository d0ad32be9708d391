// relay/src/protocol/check/tracepoint.ts: is this declaration one that TSDL, a file name and a reader can carry?
// The session calls it for each tracepoint before its metadata is written. Pure: no I/O, no state.
// Names: a letter or underscore, then letters, digits, underscores; in provider and event also "." and "-".

import { big, type Field, type Tracepoint, types } from '../wire.js'
import { int, malformed, plainText, refuse } from './refuse.js'

export const MAX_TRACEPOINTS = 16384
export const MAX_FIELDS = 64
const MAX_LABELS = 1024
const EVENT_NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,99}$/
const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,99}$/
const TYPES = Object.keys(types.Type).length / 2

export function checkTracepoint(tracepoint: Tracepoint, id: number): void {
  const where = `tracepoint ${id}`
  if (tracepoint.id !== id) malformed(`${where}: id`, tracepoint.id, `${id}, the next one`)
  checkName(`${where}: provider`, tracepoint.provider, EVENT_NAME, '_.-')
  checkName(`${where}: event`, tracepoint.event, EVENT_NAME, '_.-')
  int(`${where}: level`, tracepoint.level, 0, 14)
  const fields = tracepoint.fields
  if (fields === null || fields.length > MAX_FIELDS) {
    malformed(`${where}: fields`, fields && `${fields.length} long`, `at most ${MAX_FIELDS}`)
  }
  checkFields(`${where} (${tracepoint.provider}:${tracepoint.event})`, fields)
}

/** Of one tracepoint, or the contexts of a session. */
export function checkFields(where: string, fields: Field[]): void {
  const members = new Set<string>()
  for (const field of fields) {
    checkField(`${where} field ${field.name}`, field)
    for (const member of membersOf(field)) {
      if (members.has(member))
        refuse('MALFORMED', `${where}: two fields make "${member}"; expected each name once`)
      members.add(member)
    }
  }
}

/** What a field is called in the metadata: itself, and its length where it has one. */
export function membersOf(field: Field): string[] {
  const counted = field.type === types.Type.BYTES || field.shape === types.Shape.SEQUENCE
  return counted ? [`__${field.name}_length`, `_${field.name}`] : [`_${field.name}`]
}

function checkName(where: string, name: string | null, pattern: RegExp, marks: string): void {
  if (name === null || !pattern.test(name)) {
    malformed(where, name, `1 to 100 letters, digits and ${marks}, not a digit first`)
  }
}

function checkField(where: string, field: Field): void {
  checkName(`${where}: name`, field.name, FIELD_NAME, '_')
  int(`${where}: type`, field.type, 1, TYPES)
  int(`${where}: shape`, field.shape, 0, 2)
  if (field.type === types.Type.BYTES && field.shape !== types.Shape.SCALAR) {
    malformed(`${where}: shape`, field.shape, 'SCALAR (0) for BYTES')
  }
  if (field.shape === types.Shape.ARRAY) int(`${where}: length`, field.length ?? null, 1, 4096)
  else if (field.length !== null) malformed(`${where}: length`, field.length, 'none unless shape is ARRAY')
  if (field.type === types.Type.ENUM) checkEnum(where, field)
  else if (field.labels !== null || field.container !== null) {
    malformed(`${where}: labels`, 'given', 'none unless type is ENUM')
  }
}

function checkEnum(where: string, field: Field): void {
  const ranges = new Map([
    [types.Type.U8 as number, [0n, 255n]],
    [types.Type.U16 as number, [0n, 65535n]],
    [types.Type.I32 as number, [-(2n ** 31n), 2n ** 31n - 1n]],
  ])
  const range = ranges.get(field.container ?? 0)
  if (range === undefined) malformed(`${where}: container`, field.container, 'U8 (1), U16 (2) or I32 (7)')
  const labels = field.labels
  if (!labels || labels.length < 1 || labels.length > MAX_LABELS) {
    malformed(`${where}: labels`, labels && `${labels.length} long`, `1 to ${MAX_LABELS}`)
  }
  const names = new Set<string>()
  for (const label of labels) {
    plainText(`${where}: label`, label.name, 1, 255)
    if (names.has(label.name)) malformed(`${where}: label`, label.name, 'each name once')
    names.add(label.name)
    const value = label.value === null ? undefined : big(label.value)
    if (value === undefined || value < range[0]! || value > range[1]!) {
      malformed(`${where}: label ${JSON.stringify(label.name)}`, value, `${range[0]} to ${range[1]}`)
    }
  }
}
