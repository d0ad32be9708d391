// lib/trace/span-fields.ts: the fields that the events of spans begin with, and how their emitters are told them: ids as
// halves of 32 bits, which costs no bigint. relay/src/spans/assembly/contract.ts reads them by these names and places.
import { joinedUnsigned } from '../filter/integers.js'
import { Channel, type Told, type ToldField } from '../placement.js'
import { type FieldType, t } from '../types.js'
import type { Recorded } from './recorded.js'
import type { SpanKind } from './span.js'

export const kinds: readonly SpanKind[] = ['local', 'client', 'server', 'producer', 'consumer']

/** Bits of a beginning's flags. */
export const debugFlag = 1
export const sharedFlag = 2

export const ids = { trace_low: t.u64, span: t.u64 }

/** `name` is a string, or an enum of one label where the name is told with the declaration. */
export const beginFields = (name: FieldType<string>) => ({
  trace_high: t.u64,
  ...ids,
  /** 0: a root. */
  parent: t.u64,
  kind: t.enum(kinds),
  flags: t.u8,
  /** Of the decision to record the trace; 1: all are, 0: it was taken elsewhere. */
  probability: t.f32,
  name,
})

/** Every id stands at a multiple of four. */
const id = (high: string, low: string): ToldField => ({
  value: `joinedUnsigned(${high}, ${low})`,
  store: (at) => `words[${at >> 2}] = ${low}; words[${(at >> 2) + 1}] = ${high}`,
})

const toldIds = [id('span.traceHigh', 'span.traceLow'), id('span.spanHigh', 'span.spanLow')]

const byte = (value: string): ToldField => ({ value, store: (at) => `staging.setUint8(${at}, ${value})` })

/** Of an enum's first label. */
export const first: ToldField = byte('0')
/** Of what the addon gets as an argument. */
export const argument = (value: string): ToldField => ({ value })
export const number = (type: 'Float64' | 'Uint16', value: string): ToldField => ({
  value,
  store: (at) => `staging.set${type}(${at}, ${value}, true)`,
})

const idsOf = ({ traceHigh, traceLow, spanHigh, spanLow }: Recorded) => ({
  trace_low: joinedUnsigned(traceHigh, traceLow),
  span: joinedUnsigned(spanHigh, spanLow),
})

/**
 * An emitter (span, ...parameters, values): the span's ids, then `fields`, then what is read from `values`.
 *
 * @param constants by name, fields that are an enum's first label: where code generation is forbidden they are found here
 */
export function toldOfSpan(
  parameters: readonly string[],
  fields: readonly ToldField[],
  names: readonly string[],
  constants: Readonly<Record<string, string>> = {},
): Told {
  return {
    channel: Channel.spans,
    parameters: ['span', ...parameters, 'values'],
    fields: [...toldIds, ...fields],
    collect: (span: Recorded, ...given: unknown[]) => ({
      ...(given[parameters.length] as object),
      ...Object.fromEntries(names.map((name, i) => [name, given[i]])),
      ...constants,
      ...idsOf(span),
    }),
  }
}

/** An emitter (span, flagBits, kind, name, values); the name is not used where it is told with the declaration. */
export function toldOfBegin(
  name: ToldField,
  more: readonly ToldField[],
  constants: Readonly<Record<string, string>> = {},
): Told {
  return {
    channel: Channel.spans,
    parameters: ['span', 'flagBits', 'kind', 'name', 'values'],
    fields: [
      id('span.traits.highHigh', 'span.traits.highLow'),
      ...toldIds,
      id('span.parentHigh', 'span.parentLow'),
      byte('kind'),
      byte('flagBits'),
      {
        value: 'span.traits.probability',
        store: (at) => `staging.setFloat32(${at}, span.traits.probability, true)`,
      },
      name,
      ...more,
    ],
    collect: (span: Recorded, flags: number, kind: number, name: string, values: object | undefined) => ({
      ...values,
      trace_high: joinedUnsigned(span.traits.highHigh, span.traits.highLow),
      ...idsOf(span),
      parent: joinedUnsigned(span.parentHigh, span.parentLow),
      kind: kinds[kind],
      flags,
      probability: span.traits.probability,
      name,
      ...constants,
    }),
  }
}
