#!/usr/bin/env node
// lib/cli/main.ts: runs the `blkin` command, and ends with the exit code that fits.
import { CommanderError } from 'commander'
import { exitCodeOf, exitCodes } from './exit.js'
import { dropEmptyTwins } from './flags.js'
import { whyMissing } from './load-relay.js'
import { note } from './print.js'
import { makeProgram } from './program.js'

// Whoever reads stdout may go away (head, less): the rest is for nobody, and that is no failure. A disk that is full is one.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return
  note(`stdout: ${error.message}`)
  process.exit(exitCodes.failed)
})

dropEmptyTwins(process.env)
try {
  await makeProgram().parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage // commander has printed it
  } else {
    note(error instanceof Error ? (whyMissing(error) ?? error.message) : String(error))
    process.exitCode = exitCodeOf(error)
  }
}
