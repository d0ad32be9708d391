// lib/provider.ts: declares tracepoints. What it returns is an object of functions, one an event, typed by their fields.

import { makeEmitter } from './emitter.js'
import { applyEnvironment } from './environment.js'
import { native } from './native.js'
import type { Emit } from './placement.js'
import {
  canonical,
  checkEvent,
  checkEvents,
  checkProviderName,
  conflict,
  type EventDeclaration,
  type Schema,
} from './schema.js'
import { flags } from './staging.js'
import { writeError } from './stderr.js'
import { publishWord } from './transform/word.js'
import type { FieldType } from './types.js'

/** What a call takes for the fields of a declaration. */
export type Values<Fields> = {
  readonly [Name in keyof Fields]: Fields[Name] extends FieldType<infer V> ? V : never
}

interface Common {
  /** True while a rule wants the event. `on` costs less to ask where the call site is not static. */
  readonly enabled: boolean
  /** `on[0]` is 0 while nobody wants the event. Taken out once, `const on = disk.io.on`, the test `if (on[0])` costs nothing. */
  readonly on: Readonly<Uint16Array>
  /** "provider:event", the name that rules cover. */
  readonly tracepoint: string
}

/**
 * Records the event, if someone wants it. Never throws: a value that is not of its field's type, a missing field
 * or a getter that throws makes the event a counted loss (`status().lost.badValue`).
 */
export type Tracepoint<Declaration> = Common &
  (Declaration extends { readonly fields: infer Fields extends Record<string, FieldType<unknown>> }
    ? (values: Values<Fields>) => void
    : () => void)

export type Provider<Events> = { readonly [Event in keyof Events]: Tracepoint<Events[Event]> }

/** The form in which each was declared first here. */
const forms = new Map<string, string>()
let isTold = false

/** The number, or why there is none: the first form of a name that has 64, or '' where no more can be had. */
export function declareBeside(schema: Schema, form: string = canonical(schema)): number | string {
  if (native === undefined) return 0
  const { provider, event, level, fields } = schema
  return native.declare({ provider, event, level, fields: [...fields], schema: form })
}

/** The tracepoint's number, the same for the same declaration in every thread. The schema is a checked one. */
export function declare(schema: Schema): number {
  const { provider, event } = schema
  const form = canonical(schema)
  const id = declareBeside(schema, form)
  if (typeof id !== 'number') return conflict(schema, id)
  const name = `${provider}:${event}`
  const first = forms.get(name)
  if (first === undefined) forms.set(name, form)
  else if (first !== form) tellOnce(name, first, form)
  return id
}

/** A module that was edited and loaded again, or is there in two versions, is no reason to end. */
function tellOnce(name: string, first: string, form: string): void {
  if (isTold) return
  isTold = true
  writeError(
    `blkin: tracepoint ${name} is declared again as ${form}, and was ${first}: both stand under that name\n`,
  )
}

function makeTracepoint(schema: Schema): Emit & Common {
  const id = declare(schema)
  const on = flags.subarray(id, id + 1)
  publishWord(`${schema.provider}:${schema.event}`, on)
  return Object.defineProperties(makeEmitter(id, schema) as Emit & Common, {
    on: { value: on, enumerable: true },
    enabled: { get: () => flags[id] !== 0, enumerable: true },
    tracepoint: { value: `${schema.provider}:${schema.event}`, enumerable: true },
    name: { value: schema.event },
  })
}

/**
 * Declares the tracepoints of one provider. Declaring the same again (in a Worker, say) gives the same tracepoints; declaring one with
 * other fields or another level gives another of the same name beside it, up to 64.
 *
 * @param name letters, digits and `_ . -`, a letter first
 * @param events by name: `{ level?, fields? }`; the level is `debug_line` where none is given
 * @throws TypeError (code ERR_BLKIN_DECLARATION) that names the tracepoint, the field, what was given and what is
 *   allowed; nothing is declared then but the events before the bad one
 */
export function provider<const Events extends Readonly<Record<string, EventDeclaration>>>(
  name: string,
  events: Events,
): Provider<Events> {
  checkProviderName(name)
  checkEvents(name, events)
  applyEnvironment()
  const schemas = Object.entries(events).map(([event, declaration]) => checkEvent(name, event, declaration))
  const made = schemas.map((schema) => [schema.event, makeTracepoint(schema)] as const)
  return Object.freeze(Object.fromEntries(made)) as Provider<Events>
}
