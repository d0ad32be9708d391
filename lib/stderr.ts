// lib/stderr.ts: what has to be told beside status(). Past process.stderr, whose stream makes an error event of a pipe
// that nobody reads, and in a Worker waits for the main thread.
import { writeSync } from 'node:fs'

export function writeError(text: string): void {
  try {
    writeSync(2, text)
  } catch {} // closed, or nobody reads it
}
