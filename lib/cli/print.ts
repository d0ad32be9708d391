// lib/cli/print.ts: where a verb's words go: results to stdout, notes to stderr, so that a pipe sees results only.
// Colour is for a terminal that did not say NO_COLOR.

export const print = (line: string): void => void process.stdout.write(`${line}\n`)

export const note = (line: string): void => void process.stderr.write(`blkin: ${line}\n`)

/** One object a line. An integer too large for a double is a string of digits, so that no reader rounds it. */
export function printJson(value: unknown): void {
  print(json(value))
}

export const json = (value: unknown): string =>
  JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? String(one) : one))

export interface Style {
  bold(text: string): string
  dim(text: string): string
  warn(text: string): string
}

export function styleFor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Style {
  const colour = stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
  const wrap = (code: number) => (text: string) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text)
  return { bold: wrap(1), dim: wrap(2), warn: wrap(31) }
}
