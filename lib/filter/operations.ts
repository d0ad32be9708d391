// lib/filter/operations.ts: what the parts of a filter mean, in one table. `run` does it; `text`, where there is one, says the
// same as an expression that V8 need not call. condition.ts chooses among them by the kinds of the operands; a test holds
// the two to one answer. No operation runs the program's code, throws, or changes anything but what `absent` notes.
import { contextValues } from '../context.js'
import { matches } from '../glob.js'
import { startsWith } from '../string-methods.js'
import {
  and64,
  complement,
  i64,
  low32,
  negative,
  or64,
  shiftLeft,
  shiftRight,
  toFloat,
  u64,
  type Wide,
  xor64,
} from './integers.js'
import { asStored, order } from './texts.js'

export interface Operation {
  /** Over $1 and $2, with brackets of its own. */
  readonly text?: string
  readonly run: (...operands: never[]) => unknown
}

let isAbsent = false

/** A value that is not there refuses the event, whatever stands around it: it is noted, and looked at in the end. */
function absent(): number {
  isAbsent = true
  return 0
}

type List = ArrayLike<number | bigint>

export const operations = {
  // Fields, as their types store them.
  u8: { text: '($1 & 255)', run: (v: number) => v & 255 },
  u16: { text: '($1 & 65535)', run: (v: number) => v & 65535 },
  u32: { text: '($1 >>> 0)', run: (v: number) => v >>> 0 },
  u64: { run: u64 },
  i8: { text: '($1 << 24 >> 24)', run: (v: number) => (v << 24) >> 24 },
  i16: { text: '($1 << 16 >> 16)', run: (v: number) => (v << 16) >> 16 },
  i32: { text: '($1 | 0)', run: (v: number) => v | 0 },
  i64: { run: i64 },
  f32: { run: Math.fround },
  flag: { text: '($1 ? 1 : 0)', run: (v: unknown) => (v ? 1 : 0) },
  /** Of a typed array, whose elements are as they are stored. */
  element: { run: (list: List, index: number) => list[index] ?? absent() },
  asStored: { run: asStored },
  signedContext: { run: contextValues.signed },
  unsignedContext: { run: contextValues.unsigned },
  floatContext: { run: contextValues.float },
  textContext: { run: contextValues.text },
  // Truth.
  isSet: { text: '($1 !== 0)', run: (v: number) => v !== 0 },
  isWideSet: { text: '($1 != 0)', run: (v: Wide) => v !== 0 && v !== 0n },
  not: { text: '!$1', run: (v: boolean) => !v },
  // Comparisons. `same` is for kinds that are one type of JavaScript, `equal` for numbers beside bigints.
  same: { text: '($1 === $2)', run: (a: unknown, b: unknown) => a === b },
  // biome-ignore lint/suspicious/noDoubleEquals: a number equals a bigint of the same value
  equal: { text: '($1 == $2)', run: (a: Wide, b: Wide) => a == b },
  less: { text: '($1 < $2)', run: (a: Wide, b: Wide) => a < b },
  lessEqual: { text: '($1 <= $2)', run: (a: Wide, b: Wide) => a <= b },
  order: { run: order },
  startsWith: { run: startsWith },
  matches: { run: matches },
  // Numbers.
  toFloat: { run: toFloat },
  negative: { text: '(-$1)', run: (v: number) => -v },
  negativeWide: { run: negative },
  low32: { run: low32 },
  and32: { text: '(($1 & $2) >>> 0)', run: (a: number, b: number) => (a & b) >>> 0 },
  or32: { text: '(($1 | $2) >>> 0)', run: (a: number, b: number) => (a | b) >>> 0 },
  xor32: { text: '(($1 ^ $2) >>> 0)', run: (a: number, b: number) => (a ^ b) >>> 0 },
  and64: { run: and64 },
  or64: { run: or64 },
  xor64: { run: xor64 },
  complement: { run: complement },
  shiftLeft: { run: (v: Wide, by: Wide) => (by >= 0 && by <= 63 ? shiftLeft(v, Number(by)) : absent()) },
  shiftRight: { run: (v: Wide, by: Wide) => (by >= 0 && by <= 63 ? shiftRight(v, Number(by)) : absent()) },
  // Around a whole filter in which values may be absent.
  begin: {
    run: () => {
      isAbsent = false
    },
  },
  present: { run: (_begun: unknown, holds: boolean) => holds && !isAbsent },
} as const satisfies Record<string, Operation>

export type OperationName = keyof typeof operations
