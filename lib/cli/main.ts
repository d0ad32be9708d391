#!/usr/bin/env node
// lib/cli/main.ts: the `blkin` command: its verbs, its help and its exit codes. Each verb stands in a file of its own.
import { Command, CommanderError, type Option } from 'commander'
import { version } from '../version.js'
import { completeCommand, completionCommand } from './completion.js'
import { disableCommand } from './disable.js'
import { enableCommand } from './enable.js'
import { exitCodeOf, exitCodes } from './exit.js'
import { dropEmptyTwins } from './flags.js'
import { listCommand } from './list.js'
import { note } from './print.js'
import { psCommand } from './ps.js'
import { recordCommand } from './record.js'
import { relayCommand } from './relay.js'
import { rulesCommand } from './rules.js'
import { statusCommand } from './status.js'
import { tailCommand } from './tail.js'
import { topCommand } from './top.js'
import { traceCommand } from './trace.js'
import { tracesCommand } from './traces.js'
import { viewCommand } from './view.js'

const program = new Command('blkin')
  .description('Tracepoints for Node.js: switch them, watch them, record them, read them.')
  .version(version)
  .helpCommand(false)
  .enablePositionalOptions()
  .exitOverride()
  .usage('[--version | --help] VERB ...')
  .configureHelp({ subcommandTerm: (verb) => verb.name(), visibleOptions: () => [] })
  .addHelpText(
    'after',
    `
Exit: 0 done, 1 failed, 2 bad usage, 3 nothing matched; a recorded command's own
Example: blkin record -o trace -e 'blockstore:*' -- node server.js`,
  )
/** A flag's words and its twin in the environment, short enough for a screen: what may be given is said when it is not. */
function optionDescription({ description, envVar, defaultValue, defaultValueDescription }: Option): string {
  const usual = defaultValueDescription ?? (typeof defaultValue === 'string' ? defaultValue : '')
  return [description, usual === '' ? '' : `(${usual})`, envVar === undefined ? '' : `[${envVar}]`]
    .filter((part) => part !== '')
    .join(' ')
}

const verbs = [
  ...[psCommand(), listCommand(), enableCommand(), disableCommand(), rulesCommand()],
  ...[recordCommand(), tailCommand(), topCommand(), relayCommand(), viewCommand()],
  ...[tracesCommand(), traceCommand(), statusCommand(), completionCommand()],
]
for (const command of verbs) program.addCommand(command.exitOverride().configureHelp({ optionDescription }))
program.addCommand(completeCommand(program).exitOverride(), { hidden: true })

// Whoever reads stdout may go away (head, less): the rest is for nobody, and that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

dropEmptyTwins(process.env)
try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage // commander has printed it
  } else {
    note(error instanceof Error ? error.message : String(error))
    process.exitCode = exitCodeOf(error)
  }
}
