// relay/src/ctf/print/text-lines.ts: events from a packet's bytes to lines of babeltrace2's text, with nothing made in between.
// view.ts prints with it. The lines are those of text.ts, which says what stands where; a writer is compiled for each tracepoint.

import { visible } from '../../common/visible.js'
import { beyond } from '../decode.js'
import type { TraceField, TraceInfo, TraceLoss, TraceTracepoint } from '../model.js'
import { type PacketWalk, SECOND } from '../packet-walk.js'
import type { ReadPayload } from '../payload-readers.js'
import { writeHex, writeNine, writeSigned, writeSignedWords, writeUnsigned, writeWords } from './digits.js'
import { LineBuffer } from './line-buffer.js'
import { type FixedScalar, LineCode } from './line-code.js'
import { Labels, stringWriter, writeAscii } from './line-strings.js'
import { clockText, formatText, headText, labelText, quote, unknownLabel } from './text.js'
import { writeGeneral } from './write-general.js'

const WRITE: Record<FixedScalar, string> = {
  u8: 'h.unsigned',
  u16: 'h.unsigned',
  u32: 'h.unsigned',
  i8: 'h.signed',
  i16: 'h.signed',
  i32: 'h.signed',
  f32: 'h.general',
  f64: 'h.general',
  u64: 'h.words',
  i64: 'h.signedWords',
}

/** What becomes of text from outside, on the way to whoever reads it. */
type Shown = (text: string) => string

const helpersOf = (shown: Shown) => ({
  beyond,
  unsigned: writeUnsigned,
  signed: writeSigned,
  words: writeWords,
  signedWords: writeSignedWords,
  general: writeGeneral,
  hex: writeHex,
  hexByte: (view: DataView, at: number, byte: number) => writeHex(view, at, 0, byte),
  string: stringWriter(`\\'"?`, (text) => shown(quote(text))),
})

export class TextLines {
  readonly buffer = new LineBuffer()
  #second = Number.NaN
  /** `[HH:MM:SS.` of that second. */
  readonly #clock = Buffer.alloc(16)
  readonly #clockView = new DataView(this.#clock.buffer, this.#clock.byteOffset, 16)
  // when the event printed before this one was
  #beforeSeconds = Number.NaN
  #beforeNanoseconds = 0
  readonly #helpers
  readonly #shown: Shown

  /** `isTerminal`: what a terminal may take for a command is escaped, where babeltrace2 leaves it as it is. */
  constructor(isTerminal = false) {
    this.#shown = isTerminal ? visible : (text) => text
    this.#helpers = helpersOf(this.#shown)
  }

  compile(info: TraceInfo, tracepoint: TraceTracepoint): ReadPayload {
    const code = new LineCode()
    code.step(`q = ${code.give((walk: PacketWalk, at: number) => this.#times(walk, at))}(p, q)`, 64)
    code.literal(this.#shown(headText(info, tracepoint)))
    code.step('q = h.unsigned(w, q, p.cpu)')
    code.literal(' }, ')
    if (info.contexts.length > 0) {
      fieldsCode(code, info.contexts, this.#shown)
      code.literal(', ')
    }
    fieldsCode(code, tracepoint.fields, this.#shown)
    code.literal('\n')
    return code.compile(this.buffer, this.#helpers)
  }

  loss(loss: TraceLoss): void {
    this.buffer.line(this.#shown(formatText(loss)))
  }

  /** `[HH:MM:SS.nnnnnnnnn] (+S.nnnnnnnnn) ` */
  #times({ seconds, nanoseconds }: PacketWalk, at: number): number {
    const { view } = this.buffer
    if (seconds !== this.#second) {
      this.#clock.write(`[${clockText(seconds)}.`)
      this.#second = seconds
    }
    view.setFloat64(at, this.#clockView.getFloat64(0, true), true)
    view.setInt16(at + 8, this.#clockView.getInt16(8, true), true)
    at = writeNine(view, at + 10, nanoseconds)
    view.setInt32(at, 0x2b28205d, true) // "] (+", last first
    at += 4
    let passed = seconds - this.#beforeSeconds
    let rest = nanoseconds - this.#beforeNanoseconds
    this.#beforeSeconds = seconds
    this.#beforeNanoseconds = nanoseconds
    if (Number.isNaN(passed)) return writeAscii(view, at, '?.?????????) ')
    if (rest < 0) {
      passed--
      rest += SECOND
    }
    at = writeUnsigned(view, at, passed)
    view.setUint8(at, 0x2e)
    at = writeNine(view, at + 1, rest)
    view.setInt16(at, 0x2029, true) // ") ", last first
    return at + 2
  }
}

function fieldsCode(code: LineCode, fields: TraceField[], shown: Shown): void {
  for (const [i, field] of fields.entries()) {
    code.literal(i === 0 ? '{ ' : ', ')
    const isBytes = field.type === 'bytes'
    if (field.length === 'counted' || isBytes) {
      code.literal(`_${field.name}_length = `)
      code.count('q = h.unsigned(w, q, n)')
      code.literal(', ')
    }
    code.literal(`${field.name} = `)
    if (isBytes) listCode(code, { ...field, type: 'u8' }, shown, 'h.hexByte')
    else if (field.length !== undefined) listCode(code, field, shown)
    else valueCode(code, field, shown)
  }
  code.literal(fields.length === 0 ? '{ }' : ' }')
}

function listCode(code: LineCode, field: TraceField, shown: Shown, write?: string): void {
  code.literal('[ ')
  code.list(field, ', ', () => {
    code.literal('[')
    code.step('q = h.unsigned(w, q, i)')
    code.literal('] = ')
    valueCode(code, field, shown, write)
  })
  code.step('if (n > 0) {')
  code.literal(' ')
  code.step('}')
  code.literal(']')
}

function valueCode(code: LineCode, field: TraceField, shown: Shown, write?: string): void {
  const { type, labels } = field
  if (type === 'string') code.varying('h.string')
  else if (labels) {
    const texts = new Labels(
      new Map(labels.map(([, value]) => [value, shown(labelText(labels, value))])),
      unknownLabel,
    )
    code.number(type as FixedScalar, `${code.give(texts)}.write`, texts.most)
  } else code.number(type as FixedScalar, write ?? (field.base === 16 ? 'h.hex' : WRITE[type as FixedScalar]))
}
