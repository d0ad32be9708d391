// lib/cli/print/table.ts: rows under headings, in columns as wide as what stands in them. Pure.

export interface Column {
  head: string
  /** Numbers stand to the right. */
  right?: boolean
}

export function renderTable(columns: readonly Column[], rows: readonly string[][]): string[] {
  const widths = widthsOf(columns, rows)
  const heads = columns.map(({ head }) => head)
  return [heads, ...rows].map((row) => renderRow(columns, widths, row))
}

export const widthsOf = (columns: readonly Column[], rows: readonly string[][]): number[] =>
  columns.map(({ head }, i) => rows.reduce((most, row) => Math.max(most, width(row[i] ?? '')), head.length))

/** A cell that is wider than its column moves what is behind it. */
export const renderRow = (
  columns: readonly Column[],
  widths: readonly number[],
  cells: readonly string[],
): string =>
  columns
    .map(({ right }, i) => {
      const cell = cells[i] ?? ''
      const space = ' '.repeat(Math.max(0, widths[i]! - width(cell)))
      return right ? space + cell : cell + space
    })
    .join('  ')
    .trimEnd()

/** Letters on the screen: what follows an escape for colour takes no room. */
export function width(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape is what it looks for
  return [...text.replace(/\x1b\[[\d;]*m/g, '')].length
}

/** At most so many letters, the last an ellipsis where some are left out. */
export function cutTo(text: string, most: number): string {
  const letters = [...text]
  return letters.length <= most ? text : `${letters.slice(0, Math.max(0, most - 1)).join('')}…`
}
