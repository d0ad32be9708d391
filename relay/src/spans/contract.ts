// relay/src/spans/contract.ts: the events of the provider `blkin` that spans are made of, as tracers declare them.
// records.ts asks once a tracepoint which one it is; one that is declared in another way is none of them.

import type { TraceTracepoint } from '../read/model.js'

const ID = 'trace_low:u64 span:u64'
const EVENTS = {
  span_begin: `trace_high:u64 ${ID} parent:u64 kind:enum flags:u8 probability:f32 name:string`,
  span_name: `${ID} name:string`,
  span_annotation: `${ID} value:string`,
  span_tag: `${ID} key:string value:string`,
  span_number: `${ID} key:string value:f64`,
  span_remote: `${ID} service:string address:string port:u16`,
  span_end: ID,
}

export type SpanEvent = keyof typeof EVENTS

export const DEBUG = 1
export const SHARED = 2

/** Whether the name is one of ours, however it is declared. */
export const isSpanEvent = (name: string): boolean =>
  name.startsWith('blkin:') && Object.hasOwn(EVENTS, name.slice(6))

/** Undefined where it is not declared as above. */
export function spanEvent({ provider, event, fields }: TraceTracepoint): SpanEvent | undefined {
  if (provider !== 'blkin' || !Object.hasOwn(EVENTS, event)) return undefined
  const declared = fields.map(({ name, type, labels, length }) => {
    const plain = length === undefined ? '' : '[]'
    return `${name}:${labels ? 'enum' : type}${plain}`
  })
  return declared.join(' ') === EVENTS[event as SpanEvent] ? (event as SpanEvent) : undefined
}
