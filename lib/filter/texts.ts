// lib/filter/texts.ts: strings as filters compare them: what a record would hold of them, by the bytes of its UTF-8, which
// is the order of code points. Pure; methods as they were when this was loaded, whatever the program makes of them later.

const plain = <T extends (...given: never[]) => unknown>(method: T) =>
  Function.prototype.call.bind(method) as unknown as (self: string, ...given: Parameters<T>) => ReturnType<T>

export const startsWith = plain(String.prototype.startsWith)
const endsWith = plain(String.prototype.endsWith)
const indexOf = plain(String.prototype.indexOf)
const unitAt = plain(String.prototype.charCodeAt)
// Node 20 has it; the library of types that we name does not yet.
const wellFormed = plain((String.prototype as unknown as { toWellFormed(): string }).toWellFormed)
const split = plain(String.prototype.split as (separator: string) => string[])

/** Whether the text is what the parts, with stars between them, describe. The leftmost place leaves most to what follows. */
export function like(text: string, parts: readonly string[]): boolean {
  const [first, last] = [parts[0] as string, parts[parts.length - 1] as string]
  if (!startsWith(text, first)) return false
  let at = first.length
  for (let i = 1; i < parts.length - 1; i++) {
    const part = parts[i] as string
    const found = indexOf(text, part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return text.length - last.length >= at && endsWith(text, last)
}

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
