// lib/glob.ts: whether a text is what a pattern with stars describes. filter/check.ts asks it of labels, cli/glob.ts of
// the names of programs and tracepoints. Each part is looked for once, so a pattern of many stars costs no more. Pure.

/** Whether the text is what the parts, with stars between them, describe. */
export function matches(parts: readonly string[], text: string): boolean {
  const [first, last] = [parts[0] as string, parts.at(-1) as string]
  if (parts.length === 1) return text === first
  if (!text.startsWith(first)) return false
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}
