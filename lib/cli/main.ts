#!/usr/bin/env node
// lib/cli/main.ts: runs the `blkin` command, and ends with the exit code that fits.
import { CommanderError } from 'commander'
import { exitCodeOf, exitCodes } from './options/exit.js'
import { dropEmptyVariables } from './options/flags.js'
import { handleOutputErrors, isOutputError } from './output-errors.js'
import { noteText } from './print/print.js'
import { makeProgram } from './program.js'
import { whyMissing } from './relay/load-relay.js'

handleOutputErrors()
dropEmptyVariables(process.env)
try {
  await makeProgram().parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage // commander has printed it
  } else {
    if (!isOutputError(error))
      noteText(error instanceof Error ? (whyMissing(error) ?? error.message) : String(error))
    process.exitCode = exitCodeOf(error)
  }
}
