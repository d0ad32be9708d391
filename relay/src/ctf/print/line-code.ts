// relay/src/ctf/print/line-code.ts: composes the source of a function that reads an event's payload and writes its line.
// text-lines.ts and json-lines.ts say what stands where. Literal text becomes stores of eight bytes each: names come from
// metadata and get into the code only as numbers. In the code `p` is the walk, `at` where it reads, `o` the LineBuffer,
// `w` its view, `q` where it writes.

import { SIZE } from '../decode.js'
import type { Scalar, TraceField } from '../model.js'
import type { ReadPayload } from '../payload-readers.js'
import type { LineBuffer } from './line-buffer.js'

/** More than any number takes, in either form, and what a store may write beyond its end. */
const MOST_NUMBER = 40

export type FixedScalar = Exclude<Scalar, 'string' | 'bytes'>

const GET: Record<FixedScalar, string> = {
  u8: 'b[at]',
  i8: 'v.getInt8(at)',
  u16: 'v.getUint16(at, true)',
  i16: 'v.getInt16(at, true)',
  u32: 'v.getUint32(at, true)',
  i32: 'v.getInt32(at, true)',
  f32: 'v.getFloat32(at, true)',
  f64: 'v.getFloat64(at, true)',
  u64: 'v.getUint32(at + 4, true), v.getUint32(at, true)',
  i64: 'v.getInt32(at + 4, true), v.getUint32(at, true)',
}

export class LineCode {
  readonly #lines: string[] = []
  readonly #given: unknown[] = []
  #literal = ''
  #most = MOST_NUMBER

  literal(text: string): void {
    this.#literal += text
  }

  /** Source that writes no more than `most` bytes. */
  step(source: string, most = MOST_NUMBER): void {
    this.#flush()
    this.#lines.push(source)
    this.#most += most
  }

  /** A value for the function's source; returns its name there. */
  give(value: unknown): string {
    return `g[${this.#given.push(value) - 1}]`
  }

  /** Reads one value of fixed size and writes it by a function of (view, where, value or its halves). */
  number(type: FixedScalar, write: string, most?: number): void {
    this.step(`q = ${write}(w, q, ${GET[type]}); at += ${SIZE[type]}`, most)
  }

  /** Reads one value whose size varies and writes it by a function of (buffer, where, walk, bytes to reserve behind). */
  varying(write: string): void {
    this.step(`p.at = at; q = ${write}(o, q, p, MOST); w = o.view; at = p.at`)
  }

  /** Reads a count, keeps it as `n`, and writes it by the source that `write` is. */
  count(write = ''): void {
    this.step(`n = v.getUint32(at, true); at += 4; ${write}`)
  }

  /** `n` elements of `size` bytes each at least, with their index in `i`. */
  list(field: TraceField, between: string, element: () => void): void {
    if (typeof field.length === 'number') this.step(`n = ${field.length}`)
    this.step(`if (at + n * ${SIZE[field.type]} > p.end) h.beyond()`)
    this.step('for (let i = 0; i < n; i++) { o.reserve(q, MOST); w = o.view')
    if (between !== '') {
      this.step('if (i > 0) {')
      this.literal(between)
      this.step('}')
    }
    element()
    this.step('} o.reserve(q, MOST); w = o.view')
  }

  /** The function; it writes into `buffer`, and calls `helpers` as `h`. */
  compile(buffer: LineBuffer, helpers: object): ReadPayload {
    this.step(`if (at > p.end) h.beyond()`)
    const code = `const MOST = ${this.#most}
    return (p) => {
      const { bytes: b, view: v } = p
      let { at } = p, q = o.at, n = 0
      o.reserve(q, MOST)
      let w = o.view
      ${this.#lines.join('\n      ')}
      p.at = at
      o.at = q
    }`
    return new Function('o', 'h', 'g', code)(buffer, helpers, this.#given) as ReadPayload
  }

  #flush(): void {
    const length = Buffer.byteLength(this.#literal)
    if (length === 0) return
    const bytes = Buffer.alloc(length + 8, ' ')
    bytes.write(this.#literal)
    this.#literal = ''
    for (let at = 0; at < length; at += 8)
      this.#lines.push(`w.setFloat64(q + ${at}, ${bytes.readDoubleLE(at)}, true)`)
    this.#lines.push(`q += ${length}`)
    this.#most += length + 8
  }
}
