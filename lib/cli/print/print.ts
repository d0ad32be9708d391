// lib/cli/print/print.ts: where a verb's words go: results to stdout, notes to stderr, so that a pipe sees results only.
// Colour is for a terminal that did not say NO_COLOR. Who prints a name or another text from outside makes it visible() before;
// notes are made so here.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { count } from './amounts.js'
import { Lines } from './lines.js'
import { visible, visibleJson } from './visible.js'

export const print = (line: string): void => void process.stdout.write(`${line}\n`)

/** Of one line, whatever is in it. */
export const note = (line: string): void => addNote(visible(line))

/** Of as many lines as the text has. */
export const noteText = (text: string): void => addNote(text.split('\n').map(visible).join('\n'))

let notes: Lines | undefined

/** A relay may be told much more than its stderr takes: it waits for no reader, and does not grow. */
function addNote(text: string): void {
  notes ??= new Lines(
    process.stderr,
    (dropped) => `blkin: ${count(dropped, 'note')} left out: nobody read them`,
  )
  if (notes.room) notes.add(`blkin: ${text}`)
  else notes.drop()
  notes.flush()
}

/** One object a line. An integer too large for a double is a string of digits, so that no reader rounds it. */
export function printJson(value: unknown): void {
  print(json(value))
}

/** What a terminal takes for a command and JSON leaves as it is (DEL, C1 and the like) is escaped too. */
export const json = (value: unknown): string =>
  visibleJson(JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? String(one) : one)))

/** Any number of lines, made as they are read. That whoever reads goes away is no failure. */
export async function printLines(lines: Iterable<string>): Promise<void> {
  try {
    await pipeline(Readable.from(inChunks(lines)), process.stdout, { end: false })
  } catch (error) {
    if (!['EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error
  }
}

function* inChunks(lines: Iterable<string>): Generator<string> {
  let text = ''
  for (const line of lines) {
    text += `${line}\n`
    if (text.length < 65_536) continue
    yield text
    text = ''
  }
  if (text !== '') yield text
}

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
