// lib/trace/tag-fields.ts: tags as fields of an event: what each is called there, and the field `keys` that stands in front of
// them, an enum whose labels are the tags' own names in their order. So a declaration says all of what its events mean. Pure.
import { type FieldType, t } from '../types.js'
import { beginFields } from './span-fields.js'

const taken = new Set([
  ...Object.keys(beginFields(t.string)),
  'keys',
  'annotation',
  'constructor',
  'prototype',
])
const nameMost = 90

export interface TagFields {
  /** `keys`, then one a tag; nothing where there are no tags. */
  readonly fields: Readonly<Record<string, FieldType<unknown>>>
  readonly keys: readonly string[]
}

/** `http.route` is called http_route, and what an event has already gets a number behind it. */
export function tagFields(tags: Readonly<Record<string, FieldType<unknown>>>): TagFields {
  const keys = Object.keys(tags)
  if (keys.length === 0) return { fields: {}, keys }
  const fields: Record<string, FieldType<unknown>> = { keys: t.enum(keys) as FieldType<unknown> }
  for (const key of keys) {
    const plain = key.replace(/\W/g, '_').slice(0, nameMost)
    const name = /^[a-z]/i.test(plain) ? plain : `tag_${plain}`
    let free = name
    for (let n = 2; taken.has(free) || Object.hasOwn(fields, free); n++) free = `${name}_${n}`
    fields[free] = tags[key] as FieldType<unknown>
  }
  return { fields, keys }
}
