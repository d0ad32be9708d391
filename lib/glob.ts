// lib/glob.ts: whether a text is what a pattern with stars describes. Filters ask it of labels and strings, cli/names/glob.ts of
// the names of programs and tracepoints. Each part is looked for once, so a pattern of many stars costs no more. Pure.

import { endsWith, indexOf, startsWith } from './string-methods.js'

/** Whether the text is what the parts, with stars between them, describe. */
export function matches(parts: readonly string[], text: string): boolean {
  const [first, last] = [parts[0] as string, parts[parts.length - 1] as string]
  if (parts.length === 1) return text === first
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
