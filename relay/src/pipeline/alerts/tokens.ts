// relay/src/pipeline/alerts/tokens.ts: a line of a file of rules, cut into words and marks. Pure; parse.ts reads them.

export interface Token {
  /** A mark is itself; a word is what stands in it, without quotes. */
  kind: 'word' | 'mark'
  text: string
  /** Where it stands, in the line. */
  from: number
  to: number
}

const part = /\s+|#.*|(->|[()>=:])|"((?:[^"\\]|\\.)*)"|([^\s()>=:"#][^\s()>=:"]*)/y

/** @throws TypeError naming where */
export function tokensOf(line: string): Token[] {
  const tokens: Token[] = []
  for (let from = 0; from < line.length; from = part.lastIndex) {
    part.lastIndex = from
    const found = part.exec(line)
    if (found === null)
      throw new TypeError(`column ${from + 1}: ${JSON.stringify(line[from])} begins a text that does not end`)
    const [all, mark, quoted, word] = found
    const to = from + all.length
    if (mark !== undefined) tokens.push({ kind: 'mark', text: mark, from, to })
    const text = word ?? quoted?.replace(/\\(.)/g, '$1')
    if (text !== undefined) tokens.push({ kind: 'word', text, from, to })
  }
  return tokens
}
