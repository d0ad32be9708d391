// lib/trace/records.ts: the tracepoints that every span can be told by, provider `blkin`, whatever its name and tags are,
// and the functions that fire them. Their arguments are checked by whoever calls. What comes often, or was declared, has
// tracepoints of its own beside these: frequent.ts, declared.ts. A relay puts spans together from all: docs/spans.md.
import { makeEmitter } from '../emitter.js'
import { applyEnvironment } from '../environment.js'
import type { Told } from '../placement.js'
import { declare } from '../provider.js'
import { checkEvent, type EventDeclaration, type Schema } from '../schema.js'
import { flags } from '../staging.js'
import { t } from '../types.js'
import type { Recorded } from './recorded.js'
import { argument, beginFields, ids, number, toldOfBegin, toldOfSpan } from './span-fields.js'

export function spanSchema(event: string, fields: EventDeclaration['fields'] & object): Schema {
  return checkEvent('blkin', event, { level: 'info', fields })
}

function recorder<Given extends unknown[]>(
  event: string,
  fields: EventDeclaration['fields'] & object,
  told: Told,
) {
  const schema = spanSchema(event, fields)
  const id = declare(schema)
  const emit = makeEmitter(id, schema, told) as unknown as (span: Recorded, ...given: Given) => void
  return { id, emit }
}

/** Each is a flag test while nobody wants it; none runs the program's code between the first byte in staging and the ring. */
function makeRecords() {
  applyEnvironment()
  const name = argument('name')
  const key = argument('key')
  const value = argument('value')
  const begin = recorder<[flagBits: number, kind: number, name: string]>(
    'span_begin',
    beginFields(t.string),
    toldOfBegin(name, []),
  )
  const annotation = recorder<[value: string]>(
    'span_annotation',
    { ...ids, value: t.string },
    toldOfSpan(['value'], [value], ['value']),
  )
  const end = recorder<[]>('span_end', ids, toldOfSpan([], [], []))
  const tag = recorder<[key: string, value: string]>(
    'span_tag',
    { ...ids, key: t.string, value: t.string },
    toldOfSpan(['key', 'value'], [key, value], ['key', 'value']),
  )
  const numeric = recorder<[key: string, value: number]>(
    'span_number',
    { ...ids, key: t.string, value: t.f64 },
    toldOfSpan(['key', 'value'], [key, number('Float64', 'value')], ['key', 'value']),
  )
  beginFlag = flags.subarray(begin.id, begin.id + 1)
  return {
    beginId: begin.id,
    begin: begin.emit,
    /** Another name than it began with. */
    name: recorder<[name: string]>(
      'span_name',
      { ...ids, name: t.string },
      toldOfSpan(['name'], [name], ['name']),
    ).emit,
    annotationId: annotation.id,
    annotation: annotation.emit,
    tagId: tag.id,
    tag: tag.emit,
    numberId: numeric.id,
    number: numeric.emit,
    remote: recorder<[service: string, address: string, port: number]>(
      'span_remote',
      { ...ids, service: t.string, address: t.string, port: t.u16 },
      toldOfSpan(
        ['service', 'address', 'port'],
        [argument('service'), argument('address'), number('Uint16', 'port')],
        ['service', 'address', 'port'],
      ),
    ).emit,
    endId: end.id,
    end: end.emit,
  }
}

/** Flags of span_begin; until it is declared, what sends the first span on to declare it. */
let beginFlag: Uint16Array = Uint16Array.of(1)

let made: ReturnType<typeof makeRecords> | undefined

/** Whether somebody records spans. */
export function wanted(): boolean {
  return beginFlag[0] !== 0 && (made !== undefined || declared())
}

function declared(): boolean {
  records()
  return beginFlag[0] !== 0
}

/** This thread's, from its first span on. */
export function records(): ReturnType<typeof makeRecords> {
  made ??= makeRecords()
  return made
}
