// lib/filter/texts.ts: strings as filters compare them: what a record would hold of them, by the bytes of its UTF-8, which
// is the order of code points. Pure.
import { indexOf, split, unitAt, wellFormed } from '../string-methods.js'

/** A NUL is stored as ␀, and half of a surrogate pair as U+FFFD: native/addon/emit_mixed.cc. */
export function asStored(text: string): string {
  const whole = wellFormed(text)
  return indexOf(whole, '\0') < 0 ? whole : split(whole, '\0').join('\u2400')
}

/** UTF-16 puts surrogates below U+E000, UTF-8 the points they stand for above U+FFFF. */
const rank = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800)

/** Below, at or above 0. */
export function order(a: string, b: string): number {
  const common = Math.min(a.length, b.length)
  for (let i = 0; i < common; i++) {
    const [x, y] = [unitAt(a, i), unitAt(b, i)]
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}
