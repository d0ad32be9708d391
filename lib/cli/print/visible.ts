// lib/cli/print/visible.ts: text from outside as a terminal may have it: names, tags and errors that a program or a server made
// up. relay/src/common/visible.ts is its twin for the relay's logs, and a test holds both to the same. Pure.

// Controls (with DEL and C1, where one mark begins a sequence), line separators, and marks that turn the direction of
// all that follows.
// biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what it looks for
const marks = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g
const short: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Each such mark as an escape that JavaScript knows: nothing of it is a command, and it stays on its line. */
export const visible = (text: string): string => text.replace(marks, (mark) => short[mark] ?? escaped(mark))

/** The same in a text that is JSON already, where any of them stands within a string. */
export const visibleJson = (json: string): string => json.replace(marks, unicode)

/** A process as people are told of it: "4711 (server)". */
export const processText = ({ pid, program }: { pid: number; program: string }): string =>
  `${pid} (${visible(program)})`

function escaped(mark: string): string {
  const code = mark.charCodeAt(0).toString(16)
  return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : unicode(mark)
}

const unicode = (mark: string): string => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`
