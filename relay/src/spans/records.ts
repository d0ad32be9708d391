// relay/src/spans/records.ts: span events as the assembler takes them, read from packets. tap.ts decodes with them.
// A span has several, and a relay holds those of a quarter of a second: so one object each, ids as words of 32 bits, and
// no text twice.

import { compileDecoder, type Decode, type Position } from '../read/decode.js'
import type { TraceInfo, TraceTracepoint, TraceValue } from '../read/model.js'
import { Decoders, type Making } from '../read/packet-reader.js'
import { isSpanEvent, type SpanEvent, spanEvent } from './contract.js'
import { readText } from './texts.js'

/** Of a 64-bit number, as int32. */
export interface Words {
  low: number
  high: number
}

export interface Begin {
  traceHigh: Words
  parent: Words
  /** The number, where it has no label. */
  kind: TraceValue
  flags: number
  probability: number
  name: string
}

export interface Remote {
  service: string
  address: string
  port: number
}

export class SpanRecord {
  // since the epoch
  seconds = 0
  nanoseconds = 0
  traceLow = 0
  traceLowHigh = 0
  spanLow = 0
  spanHigh = 0
  key = ''
  /** Of an annotation, a tag or a number; what begin and remote have. */
  value: string | number | Begin | Remote = ''

  /** 'other' where it has one of the names and not the fields. */
  constructor(readonly event: SpanEvent | 'other') {}
}

/** The decoders of one process's span events. */
export function spanDecoders(info: TraceInfo): Decoders<SpanRecord> {
  return new Decoders(info, isSpanEvent, { compile, make })
}

function compile(tracepoint: TraceTracepoint): Decode {
  const event = spanEvent(tracepoint)
  if (event !== undefined) return READ[event](tracepoint) as unknown as Decode
  const decode = compileDecoder(tracepoint.fields)
  return (bytes, view, p) => {
    decode(bytes, view, p)
    return new SpanRecord('other') as never
  }
}

const make: Making<SpanRecord>['make'] = (_, __, seconds, nanoseconds, ___, ____, _____, fields) => {
  const record = fields as unknown as SpanRecord
  record.seconds = seconds
  record.nanoseconds = nanoseconds
  return record
}

type Read = (bytes: Buffer, view: DataView, p: Position) => SpanRecord

const reader =
  (event: SpanEvent, rest: (record: SpanRecord, bytes: Buffer, view: DataView, p: Position) => void): Read =>
  (bytes, view, p) => {
    const record = new SpanRecord(event)
    ids(record, view, p)
    rest(record, bytes, view, p)
    if (p.at > p.end) throw new RangeError('an event reaches beyond its packet')
    return record
  }

const READ: Record<SpanEvent, (tracepoint: TraceTracepoint) => Read> = {
  span_begin: ({ fields }) => {
    const labels = new Map(
      [...fields.find(({ name }) => name === 'kind')!.labels!].reverse().map(([label, n]) => [n, label]),
    )
    return (bytes, view, p) => {
      const record = new SpanRecord('span_begin')
      const traceHigh = words(view, p)
      ids(record, view, p)
      const parent = words(view, p)
      const kind = bytes[p.at++]!
      const flags = bytes[p.at++]!
      const probability = view.getFloat32(p.at, true)
      p.at += 4
      const name = readText(bytes, p)
      if (p.at > p.end) throw new RangeError('an event reaches beyond its packet')
      record.value = { traceHigh, parent, kind: labels.get(kind) ?? kind, flags, probability, name }
      return record
    }
  },
  span_annotation: () =>
    reader('span_annotation', (record, bytes, _, p) => {
      record.value = readText(bytes, p)
    }),
  span_tag: () =>
    reader('span_tag', (record, bytes, _, p) => {
      record.key = readText(bytes, p)
      record.value = readText(bytes, p)
    }),
  span_number: () =>
    reader('span_number', (record, bytes, view, p) => {
      record.key = readText(bytes, p)
      record.value = view.getFloat64(p.at, true)
      p.at += 8
    }),
  span_remote: () =>
    reader('span_remote', (record, bytes, view, p) => {
      const service = readText(bytes, p)
      const address = readText(bytes, p)
      record.value = { service, address, port: view.getUint16(p.at, true) }
      p.at += 2
    }),
  span_end: () => reader('span_end', () => {}),
}

function ids(record: SpanRecord, view: DataView, p: Position): void {
  const { at } = p
  record.traceLow = view.getInt32(at, true)
  record.traceLowHigh = view.getInt32(at + 4, true)
  record.spanLow = view.getInt32(at + 8, true)
  record.spanHigh = view.getInt32(at + 12, true)
  p.at = at + 16
}

function words(view: DataView, p: Position): Words {
  const { at } = p
  p.at = at + 8
  return { low: view.getInt32(at, true), high: view.getInt32(at + 4, true) }
}
