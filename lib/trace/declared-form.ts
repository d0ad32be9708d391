// lib/trace/declared-form.ts: what begins, annotates and ends spans of one declaration, each by a tracepoint of its own:
// blkin:span_begin.shop.checkout, .span_end.shop.checkout, .span_annotation.shop.checkout.paid. What cannot be told so,
// since a value is not of its type, is told by the general ones (records.ts): no span is without its beginning or end.
import { makeEmitter } from '../emitter.js'
import type { Told } from '../placement.js'
import { declare } from '../provider.js'
import { fail } from '../schema.js'
import { show } from '../show.js'
import { flagOf } from '../staging.js'
import { type FieldType, t } from '../types.js'
import { counts, endedTwice, refused, usedAfterEnd } from './counts.js'
import type { SpanDeclaration } from './declared.js'
import type { Form } from './form.js'
import { beginner, type EmitBegin, handleClass } from './handle-class.js'
import { Recorded, TraceTraits, tellGeneral } from './recorded.js'
import { records, spanSchema } from './records.js'
import { Off, Unsampled } from './silent.js'
import { beginFields, first, ids, kinds, toldOfBegin, toldOfSpan } from './span-fields.js'
import { tagFields } from './tag-fields.js'

type Fields = Readonly<Record<string, FieldType<unknown>>>

/** @returns undefined where it was recorded, or nobody wants it; true where a value is not of its type; false where rules want it otherwise than the general one */
type Emit<Given extends unknown[]> = (span: Recorded, ...given: Given) => boolean | undefined

/** What a declared span may not call an annotation. */
const specimen = new Recorded(new TraceTraits(0, 0, 0, false, ''), 0, 0, 0, 0, 0, 0)

function check(where: string, declaration: unknown): asserts declaration is SpanDeclaration {
  if (typeof declaration !== 'object' || declaration === null)
    fail(where, `the declaration is ${show(declaration)}`, '{ kind?, tags?, end?, annotations? }')
  for (const key of Object.keys(declaration))
    if (!['kind', 'tags', 'end', 'annotations'].includes(key))
      fail(where, `the declaration has ${show(key)}`, 'kind, tags, end and annotations')
  const { kind, annotations = {}, ...fields } = declaration as SpanDeclaration
  if (kind !== undefined && !kinds.includes(kind)) fail(where, `the kind is ${show(kind)}`, kinds.join(', '))
  if (typeof annotations !== 'object' || annotations === null)
    fail(where, `the annotations are ${show(annotations)}`, 'an object of field types by name')
  for (const [name, types] of [...Object.entries(fields), ...Object.entries(annotations)])
    if (typeof types !== 'object' || types === null)
      fail(where, `${name} is ${show(types)}`, 'an object of field types')
  for (const name of Object.keys(annotations))
    if (name in specimen) fail(where, `an annotation is called ${show(name)}`, 'no name that spans have')
}

function emitter<Given extends unknown[]>(
  event: string,
  fields: Fields,
  told: Told,
  general: number,
): Emit<Given> {
  const schema = spanSchema(event, fields)
  const guarded = { ...told, first: `if (want !== flags[${general}]) return false` }
  const id = declare(schema)
  return makeEmitter(id, schema, flagOf(id), guarded, () => true) as unknown as Emit<Given>
}

export function makeForm(provider: string, name: string, declaration: SpanDeclaration): Form<unknown> {
  const where = `span ${provider}:${name}`
  check(where, declaration)
  const { kind = 'local', tags = {}, end = {}, annotations = {} } = declaration
  const kindNumber = kinds.indexOf(kind)
  const { beginId, annotationId, endId } = records()
  const begin = emitter<Parameters<EmitBegin> extends [unknown, ...infer Rest] ? Rest : never>(
    `span_begin.${provider}.${name}`,
    ...beginOf(name, tags),
    beginId,
  )

  const Own = handleClass(name)
  const methods: Record<string, () => void> = {}
  if (Object.keys(end).length > 0) {
    const emit = emitter<[values: unknown]>(`span_end.${provider}.${name}`, ...endOf(end), endId)
    Own.prototype.end = function (this: Recorded, values?: unknown) {
      if (this.ended) return void counts[endedTwice]!++
      this.ended = true
      const wrong = values === undefined ? false : emit(this, values)
      if (wrong === undefined) return
      tellLoosely(this, values, wrong)
      records().end(this)
    }
  }
  for (const [annotation, types] of Object.entries(annotations)) {
    const event = `span_annotation.${provider}.${name}.${annotation}`
    const emit = emitter<[values: unknown]>(event, ...annotationOf(annotation, types), annotationId)
    const annotate = function (this: Recorded, values?: unknown) {
      if (!this.enabled) counts[usedAfterEnd]!++
      else {
        const wrong = emit(this, values)
        if (wrong === undefined) return
        if (wrong) counts[refused]!++
        records().annotation(this, annotation)
      }
    }
    Object.defineProperty(Own.prototype, annotation, { value: annotate, writable: true, configurable: true })
    methods[annotation] = () => {}
  }

  return {
    begin: beginner(Own, kindNumber, name, begin, (span, flagBits, values, isWrong) => {
      records().begin(span, flagBits, kindNumber, name)
      tellLoosely(span, values, isWrong)
    }),
    root: (values) => ({ name, kind, tags: (values ?? {}) as Record<string, never> }),
    isServer: () => kind === 'server',
    off: Object.assign(new Off(), methods),
    unsampled: Object.assign(new Unsampled(), methods),
    methods,
  }
}

function beginOf(name: string, tags: Fields): [Fields, Told] {
  const { fields, keys } = tagFields(tags)
  const told = toldOfBegin(first, keys.length > 0 ? [first] : [], constants({ name }, keys))
  return [{ ...beginFields(t.enum([name])), ...fields }, withKeys(told, keys, fields)]
}

function endOf(end: Fields): [Fields, Told] {
  const { fields, keys } = tagFields(end)
  return [{ ...ids, ...fields }, withKeys(toldOfSpan([], [first], [], constants({}, keys)), keys, fields)]
}

function annotationOf(annotation: string, types: Fields): [Fields, Told] {
  const { fields, keys } = tagFields(types)
  const told = toldOfSpan(
    [],
    keys.length > 0 ? [first, first] : [first],
    [],
    constants({ value: annotation }, keys),
  )
  return [{ ...ids, value: t.enum([annotation]), ...fields }, withKeys(told, keys, fields)]
}

const constants = (texts: Record<string, string>, [key]: readonly string[]) =>
  key === undefined ? texts : { ...texts, keys: key }

/** Tags are read by their own names, whatever their fields are called. */
function withKeys(told: Told, keys: readonly string[], fields: Fields): Told {
  const names = Object.keys(fields).slice(1)
  const collect = (...given: never[]) => {
    const values = told.collect(...given)
    const own = given.at(-1) as Record<string, unknown> | undefined
    for (const [i, name] of names.entries()) values[name] = own?.[keys[i] as string]
    return values
  }
  return { ...told, keys, collect }
}

/** Of values that are not what was declared, those that a tag may have. */
function tellLoosely(span: Recorded, values: unknown, isWrong: boolean): void {
  if (isWrong) counts[refused]!++
  try {
    for (const [key, value] of Object.entries(values ?? {}))
      if (['string', 'number', 'boolean', 'bigint'].includes(typeof value)) tellGeneral(span, key, value)
  } catch {} // a getter that throws
}
