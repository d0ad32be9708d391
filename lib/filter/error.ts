// lib/filter/error.ts: how a filter's errors read: what it is about, the column, what came and what may come, and the
// text with a caret below the place. Pure.

/** Longest part of a filter that an error shows in one line. */
const shownMax = 72

function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}]/gu, ' ')
}

/** The filter as an error names it. */
export function quoted(text: string): string {
  const whole = [...clean(text)]
  return whole.length > shownMax ? `"${whole.slice(0, shownMax).join('')}…"` : `"${whole.join('')}"`
}

/** Two lines: the part of the text around the column, and a caret below it. */
export function caret(text: string, column: number): string {
  const before = [...clean(text.slice(0, column - 1))]
  const behind = [...clean(text.slice(column - 1))]
  const from = Math.max(0, before.length - shownMax / 2)
  const rest = behind.slice(0, shownMax - (before.length - from))
  const head = (from > 0 ? '…' : '') + before.slice(from).join('')
  return `  ${head}${rest.join('')}${rest.length < behind.length ? '…' : ''}\n  ${' '.repeat([...head].length)}^`
}

export class FilterError extends TypeError {
  readonly code = 'ERR_BLKIN_FILTER'
  readonly filter: string
  /** Where in `filter`, counted from 1. */
  readonly column: number
  /** The message without the caret's lines. */
  readonly line: string

  constructor(filter: string, at: number, what: string) {
    const line = `filter ${quoted(filter)}: column ${at + 1}: ${what}`
    super(`${line}\n${caret(filter, at + 1)}`)
    this.filter = filter
    this.column = at + 1
    this.line = line
  }
}
