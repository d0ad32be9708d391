// relay/src/spans/assembly/contract.ts: the events of the provider `blkin` that spans are made of, as tracers declare them.
// records.ts asks once a tracepoint what it tells; one that is declared in another way tells nothing.
//
//   span_tag            its key and value are strings
//   span_tag.0          what stands behind the point is the tracer's business; texts that a tracer told once, with the
//                       declaration, are enums of one label; the event holds a byte for each
//   span_begin.shop.x   behind the fields of span_begin its tags, each a field: `keys`, an enum, says what they are called
//   span_end.shop.x     the same behind those of span_end
//   span_annotation.shop.x.y   the same behind those of span_annotation

import type { TraceField, TraceTracepoint } from '../../ctf/model.js'

const ID = 'trace_low:u64 span:u64'
const EVENTS = {
  span_begin: `trace_high:u64 ${ID} parent:u64 kind:enum flags:u8 probability:f32 name:TEXT`,
  span_name: `${ID} name:TEXT`,
  span_annotation: `${ID} value:TEXT`,
  span_tag: `${ID} key:TEXT value:string`,
  span_number: `${ID} key:TEXT value:f64`,
  span_remote: `${ID} service:string address:string port:u16`,
  span_end: ID,
}

/** Those that tags may stand behind. */
const TAGGED = new Set<string>(['span_begin', 'span_annotation', 'span_end'] satisfies SpanEvent[])

export type SpanEvent = keyof typeof EVENTS

export const DEBUG = 1
export const SHARED = 2

const eventOf = (event: string): string => event.split('.', 1)[0]!

/** Whether the name is one of ours, however it is declared. */
export const isSpanEvent = (name: string): boolean =>
  name.startsWith('blkin:') && Object.hasOwn(EVENTS, eventOf(name.slice(6)))

/** What a tracepoint tells of a span. */
export interface SpanContract {
  event: SpanEvent
  /** What stands in the place of a text that the declaration tells; undefined where the event has it. */
  text: string | undefined
  /** The fields that are tags, in front of them `keys`; empty where it has none. */
  tags: TraceField[]
}

/** Undefined where it is not declared as above. */
export function spanContract({ provider, event: name, fields }: TraceTracepoint): SpanContract | undefined {
  const event = eventOf(name)
  if (provider !== 'blkin' || !Object.hasOwn(EVENTS, event)) return undefined
  const expected = EVENTS[event as SpanEvent].split(' ')
  const tags = fields.slice(expected.length)
  let text: string | undefined
  for (const [i, form] of expected.entries()) {
    const field = fields[i]
    if (field === undefined) return undefined
    const told = form.endsWith(':TEXT') && isToldOnce(field)
    if (told) text = field.labels![0]![0]
    if (formOf(field) !== form.replace('TEXT', told ? 'enum' : 'string')) return undefined
  }
  if (tags.length > 0 && !(TAGGED.has(event) && tags[0]!.name === 'keys' && hasKeys(tags))) return undefined
  return { event: event as SpanEvent, text, tags }
}

function formOf({ name, type, labels, length }: TraceField): string {
  return `${name}:${labels ? 'enum' : type}${length === undefined ? '' : '[]'}`
}

const isToldOnce = ({ type, labels, length }: TraceField): boolean =>
  labels?.length === 1 && type === 'u8' && length === undefined

const hasKeys = ([keys, ...values]: TraceField[]): boolean =>
  keys!.labels?.length === values.length && ['u8', 'u16'].includes(keys!.type) && keys!.length === undefined
