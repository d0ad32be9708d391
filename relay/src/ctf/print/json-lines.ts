// relay/src/ctf/print/json-lines.ts: events from a packet's bytes to lines of JSON, with nothing made in between.
// view.ts prints with it. The lines are those of json.ts, which says what stands where; a writer is compiled for each tracepoint.

import { beyond } from '../decode.js'
import type { TraceField, TraceInfo, TraceLoss, TraceTracepoint } from '../model.js'
import { NO_CPU } from '../packet.js'
import type { PacketWalk } from '../packet-walk.js'
import type { ReadPayload } from '../payload-readers.js'
import {
  writeByte,
  writeId,
  writeNine,
  writeSigned,
  writeSignedWords,
  writeUnsigned,
  writeWords,
} from './digits.js'
import { formatJson, headJson, isoText, jsonText, labelJson, valueText } from './json.js'
import { LineBuffer } from './line-buffer.js'
import { type FixedScalar, LineCode } from './line-code.js'
import { Labels, stringWriter, writeAscii } from './line-strings.js'

const WRITE: Record<FixedScalar, string> = {
  u8: 'h.unsigned',
  u16: 'h.unsigned',
  u32: 'h.unsigned',
  i8: 'h.signed',
  i16: 'h.signed',
  i32: 'h.signed',
  f32: 'h.float',
  f64: 'h.float',
  u64: 'h.words',
  i64: 'h.signedWords',
}

/** Of the high half of a number that a double can hold, with or without sign. */
const LIMIT = 0x200000

const QUOTE = 0x22

const helpers = {
  beyond,
  unsigned: writeUnsigned,
  signed: writeSigned,
  byte: writeByte,
  string: stringWriter('\\"', jsonText),

  float(view: DataView, at: number, value: number): number {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) return writeSigned(view, at, value)
    return writeAscii(view, at, valueText(value))
  },

  words(view: DataView, at: number, high: number, low: number): number {
    return high < LIMIT ? writeWords(view, at, high, low) : quoted(view, at, high, low, writeWords)
  },

  signedWords(view: DataView, at: number, high: number, low: number): number {
    if (high < LIMIT && high >= -LIMIT) return writeSignedWords(view, at, high, low)
    return quoted(view, at, high, low, writeSignedWords)
  },

  id: (view: DataView, at: number, high: number, low: number) => quoted(view, at, high, low, writeId),
}

function quoted(view: DataView, at: number, high: number, low: number, write: typeof writeWords): number {
  view.setUint8(at, QUOTE)
  at = write(view, at + 1, high, low)
  view.setUint8(at, QUOTE)
  return at + 1
}

export class JsonLines {
  readonly buffer = new LineBuffer()
  #second = Number.NaN
  /** The line's beginning, up to that second and the dot behind it. */
  readonly #clock = Buffer.alloc(32)
  readonly #clockView = new DataView(this.#clock.buffer, this.#clock.byteOffset, 32)

  compile(info: TraceInfo, tracepoint: TraceTracepoint): ReadPayload {
    const code = new LineCode()
    code.step(`q = ${code.give((walk: PacketWalk, at: number) => this.#time(walk, at))}(p, q)`, 64)
    code.literal(`Z",${headJson(info, tracepoint)}`)
    code.step(`if (p.cpu === ${NO_CPU}) {`)
    code.literal('null')
    code.step('} else q = h.unsigned(w, q, p.cpu)')
    if (info.contexts.length > 0) {
      code.literal(',"context":')
      fieldsCode(code, info.contexts)
    }
    code.literal(',"fields":')
    fieldsCode(code, tracepoint.fields)
    code.literal('}\n')
    return code.compile(this.buffer, helpers)
  }

  loss(loss: TraceLoss): void {
    this.buffer.line(formatJson(loss))
  }

  /** `{"time":"YYYY-MM-DDTHH:MM:SS.nnnnnnnnn` */
  #time({ seconds, nanoseconds }: PacketWalk, at: number): number {
    const { view } = this.buffer
    if (seconds !== this.#second) {
      this.#clock.write(`{"time":"${isoText(seconds)}.`)
      this.#second = seconds
    }
    for (let i = 0; i < 32; i += 8) view.setFloat64(at + i, this.#clockView.getFloat64(i, true), true)
    return writeNine(view, at + 29, nanoseconds)
  }
}

function fieldsCode(code: LineCode, fields: TraceField[]): void {
  for (const [i, field] of fields.entries()) {
    code.literal(`${i === 0 ? '{' : ','}"${field.name}":`)
    if (field.type === 'bytes') {
      code.count()
      code.literal('"')
      code.list({ ...field, type: 'u8' }, '', () => code.number('u8', 'h.byte'))
      code.literal('"')
    } else if (field.length === undefined) valueCode(code, field)
    else {
      if (field.length === 'counted') code.count()
      code.literal('[')
      code.list(field, ',', () => valueCode(code, field))
      code.literal(']')
    }
  }
  code.literal(fields.length === 0 ? '{}' : '}')
}

function valueCode(code: LineCode, field: TraceField): void {
  const type = field.type as FixedScalar
  if (field.type === 'string') code.varying('h.string')
  else if (field.labels) {
    const labels = new Labels(labelJson(field), String)
    code.number(type, `${code.give(labels)}.write`, labels.most)
  } else code.number(type, field.base === 16 ? 'h.id' : WRITE[type])
}
