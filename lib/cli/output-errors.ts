// lib/cli/output-errors.ts: stdout or stderr that cannot be written: a disk that is full, a reader that has gone. No verb dies of it: one
// that goes on (relay, record) goes on, any other ends by itself, with the exit code for a failure. main.ts calls it.
import { exitCodes } from './options/exit.js'
import { note } from './print/print.js'

let first: Error | undefined

export function handleOutputErrors(): void {
  process.stderr.on('error', () => {}) // there is nowhere left to say it
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return // whoever read it (head, less) has gone: the rest is for nobody, and that is no failure
    process.exitCode = exitCodes.failed
    if (first === undefined) note(`stdout: ${error.message}`)
    first ??= error
  })
}

/** Whether a verb failed for what was said when it happened. */
export const isOutputError = (error: unknown): boolean => error !== undefined && error === first
