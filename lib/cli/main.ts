#!/usr/bin/env node
// lib/cli/main.ts: the `blkin` command: its verbs, its help and its exit codes. Each verb stands in a file of its own.
import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { exitCodes, UsageError } from './exit.js'
import { recordCommand } from './record.js'
import { relayCommand } from './relay.js'
import { viewCommand } from './view.js'

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }

const program = new Command('blkin')
  .description('Tracepoints for Node.js: record them, carry them to a relay, read them.')
  .version(version)
  .helpCommand(false)
  .enablePositionalOptions()
  .exitOverride()
  .addHelpText(
    'after',
    `
Exit: 0 done, 1 failed, 2 bad usage, 3 nothing matched; record exits as its command does
Example: blkin record -o trace -e 'blockstore:*' -- node server.js`,
  )
for (const command of [recordCommand(), relayCommand(), viewCommand()]) {
  program.addCommand(command.exitOverride())
}

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage // commander has printed it
  } else {
    process.stderr.write(`blkin: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = error instanceof UsageError ? exitCodes.usage : exitCodes.failed
  }
}
