// relay/src/spans/records.ts: span events as the assembler takes them, read from packets. tap.ts decodes with them.
// A relay holds the events of a quarter of a second: so nothing is made of one that its group does not keep, ids are words
// of 32 bits, and no text is there twice.

import { compileDecoder, type Decode, type Position } from '../read/decode.js'
import type { TraceInfo, TraceTracepoint, TraceValue } from '../read/model.js'
import { Decoders, type Making } from '../read/packet-reader.js'
import { isSpanEvent, type SpanEvent, spanEvent } from './contract.js'
import { readText } from './texts.js'

/** Numbers of 64 bits are two int32. */
export interface Begin {
  /** Microseconds since the epoch, to a quarter of one. */
  time: number
  traceHighLow: number
  traceHighHigh: number
  parentLow: number
  parentHigh: number
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

/** Decoders hand out the same one each time: who takes it keeps what is in it, not it. */
export class SpanRecord {
  /** 'other' where it has one of the names and not the fields. */
  event: SpanEvent | 'other' = 'other'
  /** Microseconds since the epoch, to a quarter of one. */
  time = 0
  traceLow = 0
  traceLowHigh = 0
  spanLow = 0
  spanHigh = 0
  /** Of a tag or a number. */
  key = ''
  /** Of a name, an annotation, a tag or a number; what a begin or a remote has. */
  value: string | number | Begin | Remote = ''
}

/** The decoders of one process's span events. */
export function spanDecoders(info: TraceInfo): Decoders<SpanRecord> {
  const record = new SpanRecord()
  return new Decoders(info, isSpanEvent, { compile: (tracepoint) => compile(tracepoint, record), make })
}

function compile(tracepoint: TraceTracepoint, record: SpanRecord): Decode {
  const event = spanEvent(tracepoint)
  const read = event === undefined ? skipper(tracepoint) : READ[event](tracepoint)
  const decode: Read<SpanRecord> = (bytes, view, p) => {
    record.event = event ?? 'other'
    record.key = ''
    record.value = ''
    read(bytes, view, p, record)
    if (p.at > p.end) throw new RangeError('an event reaches beyond its packet')
    return record
  }
  return decode as unknown as Decode
}

function skipper({ fields }: TraceTracepoint): Read {
  const decode = compileDecoder(fields)
  return (bytes, view, p) => void decode(bytes, view, p)
}

const make: Making<SpanRecord>['make'] = (_, __, seconds, nanoseconds, ___, ____, _____, fields) => {
  const record = fields as unknown as SpanRecord
  record.time = seconds * 1e6 + nanoseconds / 1e3
  return record
}

type Read<Result = void> = (bytes: Buffer, view: DataView, p: Position, record: SpanRecord) => Result

const READ: Record<SpanEvent, (tracepoint: TraceTracepoint) => Read> = {
  span_begin({ fields }) {
    const { labels } = fields.find(({ name }) => name === 'kind')!
    const kinds = new Map([...labels!].reverse().map(([label, number]) => [number, label]))
    return (bytes, view, p, record) => {
      const { at } = p
      p.at = at + 8
      readIds(view, p, record)
      const kind = bytes[at + 32]!
      p.at = at + 38
      record.value = {
        time: 0,
        traceHighLow: view.getInt32(at, true),
        traceHighHigh: view.getInt32(at + 4, true),
        parentLow: view.getInt32(at + 24, true),
        parentHigh: view.getInt32(at + 28, true),
        kind: kinds.get(kind) ?? kind,
        flags: bytes[at + 33]!,
        probability: view.getFloat32(at + 34, true),
        name: readText(bytes, p),
      }
    }
  },
  span_name: () => (bytes, view, p, record) => {
    readIds(view, p, record)
    record.value = readText(bytes, p)
  },
  span_annotation: () => (bytes, view, p, record) => {
    readIds(view, p, record)
    record.value = readText(bytes, p)
  },
  span_tag: () => (bytes, view, p, record) => {
    readIds(view, p, record)
    record.key = readText(bytes, p)
    record.value = readText(bytes, p)
  },
  span_number: () => (bytes, view, p, record) => {
    readIds(view, p, record)
    record.key = readText(bytes, p)
    record.value = view.getFloat64(p.at, true)
    p.at += 8
  },
  span_remote: () => (bytes, view, p, record) => {
    readIds(view, p, record)
    const service = readText(bytes, p)
    const address = readText(bytes, p)
    record.value = { service, address, port: view.getUint16(p.at, true) }
    p.at += 2
  },
  span_end: () => (_, view, p, record) => readIds(view, p, record),
}

function readIds(view: DataView, p: Position, record: SpanRecord): void {
  const { at } = p
  record.traceLow = view.getInt32(at, true)
  record.traceLowHigh = view.getInt32(at + 4, true)
  record.spanLow = view.getInt32(at + 8, true)
  record.spanHigh = view.getInt32(at + 12, true)
  p.at = at + 16
}
