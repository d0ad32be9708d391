// lib/trace/records.ts: the tracepoints that spans are made of, provider `blkin`, and the functions that fire them. They
// do what an emitter (lib/emitter.ts) does, by hand: ids come as 32-bit halves, which costs no bigint, and the arguments
// come one by one, checked by whoever calls. A relay puts spans together from these events: docs/spans.md.
import type { SpanWords } from '../context.js'
import { applyEnvironment } from '../environment.js'
import { joined } from '../filter/integers.js'
import { gateFor } from '../gates.js'
import { native } from '../native.js'
import { Channel, place, stagedHead } from '../placement.js'
import { declare } from '../provider.js'
import { checkEvent, type EventDeclaration } from '../schema.js'
import { flags, gated, staging } from '../staging.js'
import { t } from '../types.js'
import type { SpanKind } from './span.js'

export const kinds: readonly SpanKind[] = ['local', 'client', 'server', 'producer', 'consumer']

/** Bits of span_begin's flags. */
export const debugFlag = 1
export const sharedFlag = 2

const ids = { trace_low: t.u64, span: t.u64 }
const declarations = {
  span_begin: {
    trace_high: t.u64,
    ...ids,
    /** 0: a root. */
    parent: t.u64,
    kind: t.enum(kinds),
    flags: t.u8,
    /** Of the decision to record the trace; 1: all are, 0: it was taken elsewhere. */
    probability: t.f32,
    name: t.string,
  },
  /** Another name than it began with. */
  span_name: { ...ids, name: t.string },
  span_annotation: { ...ids, value: t.string },
  span_tag: { ...ids, key: t.string, value: t.string },
  span_number: { ...ids, key: t.string, value: t.f64 },
  span_remote: { ...ids, service: t.string, address: t.string, port: t.u16 },
  span_end: ids,
} as const

type Event = keyof typeof declarations

const schemaOf = (event: Event) => {
  const declaration: EventDeclaration = { level: 'info', fields: declarations[event] }
  return checkEvent('blkin', event, declaration)
}

/** Where the fixed fields of an event go in staging, and how many bytes they are. */
function places(event: Event): { at: Record<string, number>; fixedBytes: number } {
  const { placed, fixedBytes } = place(schemaOf(event))
  return { at: Object.fromEntries(placed.map(({ field, at }) => [field.name, at])), fixedBytes }
}

const begin = places('span_begin').at
const highAt = begin.trace_high as number
const beginLowAt = begin.trace_low as number
const beginSpanAt = begin.span as number
const parentAt = begin.parent as number
const kindAt = begin.kind as number
const flagsAt = begin.flags as number
const probabilityAt = begin.probability as number
const { at: common } = places('span_end') // these two stand first in all the others
const lowAt = common.trace_low as number
const spanAt = common.span as number
const numberAt = places('span_number').at.value as number
const portAt = places('span_remote').at.port as number

/** A span's ids, as int32 halves. */
export interface Ids extends SpanWords {
  readonly parentHigh: number
  readonly parentLow: number
}

/** Staging as words of this machine, which is little-endian as the ring is. Every id stands at a multiple of four. */
const words = new Int32Array(staging.buffer, 0, staging.byteLength >> 2)

function stage(at: number, high: number, low: number): void {
  words[at >> 2] = low
  words[(at >> 2) + 1] = high
}

function stageIds({ traceHigh, traceLow, spanHigh, spanLow }: Ids): void {
  stage(lowAt, traceHigh, traceLow)
  stage(spanAt, spanHigh, spanLow)
}

function declareEvent(event: Event) {
  const schema = schemaOf(event)
  const id = declare(schema)
  const { placed, fixedBytes } = place(schema)
  const head = stagedHead(id, placed.every(({ at }) => at >= 0) ? fixedBytes : 0, Channel.spans)
  return { id, head, gate: gateFor(id, schema, head) }
}

type Put = (...parts: string[]) => boolean | undefined

function emitterOf(id: number): Put {
  return native === undefined ? () => undefined : native.mixedEmitter(id)
}

/** A span's ids, as gates take them. */
const gateIds = ({ traceHigh, traceLow, spanHigh, spanLow }: Ids) =>
  [unsigned(traceHigh, traceLow), unsigned(spanHigh, spanLow)] as const

const unsigned = (high: number, low: number) => joined(high >>> 0, low)

function beginValues(span: Ids, probability: number, flagBits: number, kind: number, name: string) {
  const { traits, parentHigh, parentLow } = span
  return [
    unsigned(traits.highHigh, traits.highLow),
    ...gateIds(span),
    ...[unsigned(parentHigh, parentLow), kind, flagBits, probability, name],
  ]
}

/**
 * Declares the tracepoints, and makes the functions that fire them. Each is a flag test while nobody wants it; none runs
 * the program's code between the first byte in staging and the ring, but for contexts, which come before. One that finds
 * that rules have changed on its way calls itself again.
 */
function makeRecords() {
  applyEnvironment()
  const { id: beginId, gate: beginGate } = declareEvent('span_begin')
  const { id: nameId, gate: nameGate } = declareEvent('span_name')
  const { id: annotationId, gate: annotationGate } = declareEvent('span_annotation')
  const { id: tagId, gate: tagGate } = declareEvent('span_tag')
  const { id: numberId, gate: numberGate } = declareEvent('span_number')
  const { id: remoteId, gate: remoteGate } = declareEvent('span_remote')
  const { id: endId, head: endHead, gate: endGate } = declareEvent('span_end')
  const putBegin = emitterOf(beginId)
  const putName = emitterOf(nameId)
  const putAnnotation = emitterOf(annotationId)
  const putTag = emitterOf(tagId)
  const putNumber = emitterOf(numberId)
  const putRemote = emitterOf(remoteId)
  const putEnd = native === undefined ? () => undefined : native.emit
  beginFlag = flags.subarray(beginId, beginId + 1)
  return {
    begin(span: Ids, probability: number, flagBits: number, kind: number, name: string): void {
      const want = flags[beginId]!
      if (want === 0) return
      if (want >= gated && !beginGate(want, ...beginValues(span, probability, flagBits, kind, name))) return
      stage(highAt, span.traits.highHigh, span.traits.highLow)
      stage(beginLowAt, span.traceHigh, span.traceLow)
      stage(beginSpanAt, span.spanHigh, span.spanLow)
      stage(parentAt, span.parentHigh, span.parentLow)
      staging.setUint8(kindAt, kind)
      staging.setUint8(flagsAt, flagBits)
      staging.setFloat32(probabilityAt, probability, true)
      if (putBegin(name)) this.begin(span, probability, flagBits, kind, name)
    },

    name(span: Ids, name: string): void {
      const want = flags[nameId]!
      if (want === 0) return
      if (want >= gated && !nameGate(want, ...gateIds(span), name)) return
      stageIds(span)
      if (putName(name)) this.name(span, name)
    },

    annotation(span: Ids, value: string): void {
      const want = flags[annotationId]!
      if (want === 0) return
      if (want >= gated && !annotationGate(want, ...gateIds(span), value)) return
      stageIds(span)
      if (putAnnotation(value)) this.annotation(span, value)
    },

    tag(span: Ids, key: string, value: string): void {
      const want = flags[tagId]!
      if (want === 0) return
      if (want >= gated && !tagGate(want, ...gateIds(span), key, value)) return
      stageIds(span)
      if (putTag(key, value)) this.tag(span, key, value)
    },

    number(span: Ids, key: string, value: number): void {
      const want = flags[numberId]!
      if (want === 0) return
      if (want >= gated && !numberGate(want, ...gateIds(span), key, value)) return
      stageIds(span)
      staging.setFloat64(numberAt, value, true)
      if (putNumber(key)) this.number(span, key, value)
    },

    remote(span: Ids, service: string, address: string, port: number): void {
      const want = flags[remoteId]!
      if (want === 0) return
      if (want >= gated && !remoteGate(want, ...gateIds(span), service, address, port)) return
      stageIds(span)
      staging.setUint16(portAt, port, true)
      if (putRemote(service, address)) this.remote(span, service, address, port)
    },

    end(span: Ids): void {
      const want = flags[endId]!
      if (want === 0) return
      if (want >= gated) {
        if (!endGate(want, ...gateIds(span))) return
      } else staging.setUint32(0, endHead, true)
      stageIds(span)
      if (putEnd()) this.end(span)
    },
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
