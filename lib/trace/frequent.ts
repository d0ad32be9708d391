// lib/trace/frequent.ts: what free-form spans say again and again gets a tracepoint of its own: a beginning by its name and the
// keys and types of its tags, a later tag by its key. Such texts are told once, with the declaration, and the event holds
// numbers for them; the first tags are in the beginning's own record.
//
// One in eight or so of those that have no tracepoint yet is looked at, and what was seen `seenEnough` times is declared. So
// what comes once, such as a name with an id in it, uses up no place and costs a map's look-up. There are places for 512 of
// them in the process: 8 names of tracepoints, each in as many forms as a name may have (64, native/rules/registry.hpp).
// Where none is left fewer and fewer are looked at: to be refused costs more than all that a declaration would spare.
import { canGenerate } from '../code-generation.js'
import { makeEmitter } from '../emitter.js'
import type { Told } from '../placement.js'
import { declareBeside } from '../provider.js'
import type { EventDeclaration } from '../schema.js'
import { flagOf } from '../staging.js'
import { type FieldType, t } from '../types.js'
import { randomWord } from './ids.js'
import type { Recorded } from './recorded.js'
import { records, spanSchema } from './records.js'
import { argument, beginFields, first, ids, number, toldOfBegin, toldOfSpan } from './span-fields.js'
import { tagFields } from './tag-fields.js'

const lookEachLeast = 8
const lookEachMost = 2 ** 20
const seenEnough = 4
const candidatesMost = 256
const candidateMost = 4096 // characters
/** Of one name, with other tags each. */
const shapesMost = 4

/** Of one general event: the names of those that stand for it, how many are there to one that is looked at, and how many until the next. */
interface Places {
  readonly names: readonly string[]
  lookEach: number
  untilLook: number
}

const placesOf = (...names: string[]): Places => ({ names, lookEach: lookEachLeast, untilLook: 1 })
const places = {
  span_begin: placesOf('span_begin.0', 'span_begin.1', 'span_begin.2', 'span_begin.3'),
  span_tag: placesOf('span_tag.0', 'span_tag.1'),
  span_number: placesOf('span_number.0', 'span_number.1'),
}

type Tags = Readonly<Record<string, unknown>> | undefined
/** @returns whether it is none of this shape, and nothing was recorded */
type Emit<Given extends unknown[]> = (span: Recorded, ...given: Given) => true | undefined
type BeginEmit = Emit<[flagBits: number, kind: number, name: string, tags: Tags]>

interface Shape {
  readonly emit: BeginEmit
  readonly next: Shape | undefined
}

const begins = new Map<string, Shape>()
const tags = new Map<string, Emit<[key: string, value: string]>>()
const numbers = new Map<string, Emit<[key: string, value: number]>>()

/** How often each was seen, of those that are looked at. Emptied when it is full: what comes often is soon back. */
const seen = new Map<string, number>()

/** @returns whether it was recorded */
export function beginFrequent(
  span: Recorded,
  flagBits: number,
  kind: number,
  name: string,
  given: Tags,
): boolean {
  for (let shape = begins.get(name); shape !== undefined; shape = shape.next)
    if (shape.emit(span, flagBits, kind, name, given) === undefined) return true
  if (isLookedAt(places.span_begin)) lookAtBegin(name, given)
  return false
}

/** @returns whether it was recorded */
export function tagFrequent(span: Recorded, key: string, value: string): boolean {
  const emit = tags.get(key)
  if (emit !== undefined) return emit(span, key, value) === undefined
  if (isLookedAt(places.span_tag) && comesOften(`tag ${key}`))
    keep(tags, key, declareTag('span_tag', key, argument('value'), t.string))
  return false
}

/** @returns whether it was recorded */
export function numberFrequent(span: Recorded, key: string, value: number): boolean {
  const emit = numbers.get(key)
  if (emit !== undefined) return emit(span, key, value) === undefined
  if (isLookedAt(places.span_number) && comesOften(`number ${key}`))
    keep(numbers, key, declareTag('span_number', key, number('Float64', 'value'), t.f64))
  return false
}

function isLookedAt(of: Places): boolean {
  if (--of.untilLook > 0) return false
  of.untilLook = 1 + (randomWord() & (2 * of.lookEach - 1)) // not each 8th: what comes in turn would never be seen
  return canGenerate
}

function comesOften(what: string): boolean {
  if (what.length > candidateMost) return false
  const times = (seen.get(what) ?? 0) + 1
  if (seen.size >= candidatesMost) seen.clear()
  if (times < seenEnough) seen.set(what, times)
  else seen.delete(what)
  return times >= seenEnough
}

function keep<Value>(map: Map<string, Value>, text: string, value: Value | undefined): void {
  if (value !== undefined) map.set(text, value)
}

function lookAtBegin(name: string, given: Tags): void {
  const types = typesOf(given)
  if (types === undefined) return
  const keys = Object.entries(types).map(([key, { type }]) => `${type} ${key}`)
  if (!comesOften(['begin', name, ...keys].join('\n'))) return
  let count = 0
  const before = begins.get(name)
  for (let shape = before; shape !== undefined; shape = shape.next) count++
  if (count >= shapesMost) return
  const emit = declareBegin(name, types, given === undefined)
  if (emit !== undefined) begins.set(name, { emit, next: before })
}

const typeOf: Partial<Record<string, FieldType<unknown>>> = {
  string: t.string,
  number: t.f64,
  boolean: t.bool,
}

/** Undefined where a tag is of a type that is stored as its text, or says more than itself, as `error`. May run the program's code, whose exceptions are its own. */
function typesOf(given: Tags): Record<string, FieldType<unknown>> | undefined {
  const types: Record<string, FieldType<unknown>> = {}
  try {
    for (const [key, value] of Object.entries(given ?? {})) {
      const type = typeOf[typeof value]
      if (type === undefined || key === 'error') return undefined
      types[key] = type
    }
  } catch {
    return undefined
  }
  return types
}

function declareBegin(
  name: string,
  types: Record<string, FieldType<unknown>>,
  without: boolean,
): BeginEmit | undefined {
  const { fields, keys } = tagFields(types)
  const told = toldOfBegin(first, keys.length > 0 ? [first] : [])
  const sameKeys = keys.map((key, i) => `case ${i}: if (key !== ${JSON.stringify(key)}) return true; break`)
  const matches = without
    ? 'if (values !== undefined) return true'
    : [
        "if (typeof values !== 'object' || values === null) return true", // an exception for each would cost 8 us
        'let n = 0',
        'try {',
        'if (getPrototypeOf(values) !== plainPrototype) return true', // for-in would tell what is inherited
        `for (const key in values) switch (n++) { ${sameKeys.join('; ')}; default: return true }`,
        '} catch { return true }', // of a proxy
        `if (n !== ${keys.length}) return true`,
      ].join('\n')
  const declared = { ...beginFields(t.enum([name])), ...fields }
  return declareFrequent('span_begin', declared, { ...told, keys }, records().beginId, matches)
}

function declareTag<Value>(
  event: 'span_tag' | 'span_number',
  key: string,
  value: Told['fields'][number],
  type: FieldType<Value>,
): Emit<[key: string, value: Value]> | undefined {
  const told = toldOfSpan(['key', 'value'], [first, value], ['key', 'value'])
  const general = event === 'span_tag' ? records().tagId : records().numberId
  return declareFrequent(event, { ...ids, key: t.enum([key]), value: type }, told, general, '')
}

/** Undefined where it cannot be declared: a text that is no label, say, or all places are taken. */
function declareFrequent<Made>(
  event: keyof typeof places,
  fields: EventDeclaration['fields'] & object,
  told: Told,
  general: number,
  matches: string,
): Made | undefined {
  const own = places[event]
  try {
    for (const place of own.names) {
      const schema = spanSchema(place, fields)
      const id = declareBeside(schema)
      if (typeof id !== 'number') continue
      // Wanted just as the general one is; where a rule says something else of it, it is not used.
      const guarded = `if (want !== flags[${general}]) return true\n${matches}`
      return makeEmitter(id, schema, flagOf(id), { ...told, first: guarded }, () => true) as Made
    }
  } catch {} // an error of the declaration
  own.lookEach = Math.min(2 * own.lookEach, lookEachMost)
  return undefined
}
