// relay/src/spans/assembly/records.ts: span events as the assembler takes them, read from packets. backlog.ts decodes with them.
// A relay holds the events of a quarter of a second: so nothing is made of one that its group does not keep, ids are words
// of 32 bits, and no text is there twice.

import { compileDecoder, type Decode, type Position } from '../../ctf/decode.js'
import type { TraceField, TraceInfo, TraceTracepoint, TraceValue } from '../../ctf/model.js'
import { Decoders, type Making } from '../../ctf/packet-reader.js'
import { isSpanEvent, type SpanEvent, spanContract } from './contract.js'
import { readText } from './texts.js'

/** Numbers of 64 bits are two int32. */
export interface Begin {
  /** Microseconds since the epoch, to a quarter of one. */
  time: number
  /** What to add to all times of the span: the clock was set since its process said what time it is. */
  shift: number
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

export type TagPart = string | number
const NO_TAGS: TagPart[] = []

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
  /** That stand in the event itself: keys and values, one behind the other. A new list each time, where there are some. */
  tags = NO_TAGS
}

/** The decoders of one process's span events. */
export function spanDecoders(info: TraceInfo): Decoders<SpanRecord> {
  const record = new SpanRecord()
  return new Decoders(info, isSpanEvent, { compile: (tracepoint) => compile(tracepoint, record), make })
}

function compile(tracepoint: TraceTracepoint, record: SpanRecord): Decode {
  const contract = spanContract(tracepoint)
  const read = contract === undefined ? skipper(tracepoint) : READ[contract.event](tracepoint, contract.text)
  const readTags = contract && contract.tags.length > 0 ? tagReader(contract.tags) : undefined
  const event = contract?.event ?? 'other'
  const decode: Read<SpanRecord> = (bytes, view, p) => {
    record.event = event
    record.key = ''
    record.value = ''
    read(bytes, view, p, record)
    record.tags = readTags === undefined ? NO_TAGS : readTags(bytes, view, p)
    if (event === 'span_annotation') putIntoText(record)
    if (p.at > p.end) throw new RangeError('an event reaches beyond its packet')
    return record
  }
  return decode as unknown as Decode
}

/** `paid amount=9.5`: what an annotation says beside its text has no other place in a span. */
function putIntoText(record: SpanRecord): void {
  const { tags } = record
  for (let i = 0; i < tags.length; i += 2) record.value += ` ${tags[i]}=${tags[i + 1]}`
  record.tags = NO_TAGS
}

/** Of tags that are fields: keys and values, one behind the other. */
function tagReader(fields: TraceField[]): (bytes: Buffer, view: DataView, p: Position) => TagPart[] {
  const [keys, ...values] = fields
  const decode = compileDecoder(fields)
  const named = values.map(({ name }, i) => [keys!.labels![i]![0], name] as const)
  return (bytes, view, p) => {
    const decoded = decode(bytes, view, p)
    const tags: TagPart[] = []
    for (const [key, name] of named) {
      const value = decoded[name]!
      const isPlain = typeof value === 'number' || typeof value === 'string'
      tags.push(key, isPlain ? value : Buffer.isBuffer(value) ? value.toString('hex') : String(value))
    }
    return tags
  }
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

/** `told`: the text that the declaration tells; its place in the event is a byte. */
const READ: Record<SpanEvent, (tracepoint: TraceTracepoint, told: string | undefined) => Read> = {
  span_begin({ fields }, told) {
    const readName = textReader(told)
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
        shift: 0,
        traceHighLow: view.getInt32(at, true),
        traceHighHigh: view.getInt32(at + 4, true),
        parentLow: view.getInt32(at + 24, true),
        parentHigh: view.getInt32(at + 28, true),
        kind: kinds.get(kind) ?? kind,
        flags: bytes[at + 33]!,
        probability: view.getFloat32(at + 34, true),
        name: readName(bytes, p),
      }
    }
  },
  span_name: valueReader,
  span_annotation: valueReader,
  span_tag(_, told) {
    const readKey = textReader(told)
    return (bytes, view, p, record) => {
      readIds(view, p, record)
      record.key = readKey(bytes, p)
      record.value = readText(bytes, p)
    }
  },
  span_number(_, told) {
    const readKey = textReader(told)
    return (bytes, view, p, record) => {
      readIds(view, p, record)
      record.key = readKey(bytes, p)
      record.value = view.getFloat64(p.at, true)
      p.at += 8
    }
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

function valueReader(_: TraceTracepoint, told: string | undefined): Read {
  const read = textReader(told)
  return (bytes, view, p, record) => {
    readIds(view, p, record)
    record.value = read(bytes, p)
  }
}

function textReader(told: string | undefined): (bytes: Buffer, p: Position) => string {
  if (told === undefined) return readText
  return (_, p) => {
    p.at++
    return told
  }
}

function readIds(view: DataView, p: Position, record: SpanRecord): void {
  const { at } = p
  record.traceLow = view.getInt32(at, true)
  record.traceLowHigh = view.getInt32(at + 4, true)
  record.spanLow = view.getInt32(at + 8, true)
  record.spanHigh = view.getInt32(at + 12, true)
  p.at = at + 16
}
