// lib/cli/table.ts: rows under headings, in columns as wide as what stands in them. Pure.

export interface Column {
  head: string
  /** Numbers stand to the right. */
  right?: boolean
}

export function renderTable(columns: readonly Column[], rows: readonly string[][]): string[] {
  const widths = columns.map(({ head }, i) =>
    Math.max(head.length, ...rows.map((row) => width(row[i] ?? ''))),
  )
  const line = (cells: readonly string[]) =>
    columns
      .map(({ right }, i) => {
        const cell = cells[i] ?? ''
        const space = ' '.repeat(widths[i]! - width(cell))
        return right ? space + cell : cell + space
      })
      .join('  ')
      .trimEnd()
  return [line(columns.map(({ head }) => head)), ...rows.map(line)]
}

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
