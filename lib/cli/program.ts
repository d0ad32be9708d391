// lib/cli/program.ts: the `blkin` command as its parser has it: verbs, flags and help. Each verb stands in a file of its own.
import { Command, type Option } from 'commander'
import { version } from '../version.js'
import { completeCommand, completionCommand } from './completion.js'
import { disableCommand } from './disable.js'
import { enableCommand } from './enable.js'
import { ending } from './exit.js'
import { helpCommand, visibleVerbs } from './help.js'
import { listCommand } from './list.js'
import { overheadCommand } from './overhead.js'
import { psCommand } from './ps.js'
import { recordCommand } from './record.js'
import { relayCommand } from './relay.js'
import { repairCommand } from './repair.js'
import { rulesCommand } from './rules.js'
import { sqlCommand } from './sql.js'
import { statusCommand } from './status.js'
import { tailCommand } from './tail.js'
import { topCommand } from './top.js'
import { traceCommand } from './trace.js'
import { tracesCommand } from './traces.js'
import { unknownVerb } from './unknown-verb.js'
import { viewCommand } from './view.js'

/** A flag's words and its twin in the environment, short enough for a screen: what may be given is said when it is not. */
function optionDescription({ description, envVar, defaultValue, defaultValueDescription }: Option): string {
  const usual = defaultValueDescription ?? (typeof defaultValue === 'string' ? defaultValue : '')
  return [description, usual === '' ? '' : `(${usual})`, envVar === undefined ? '' : `[${envVar}]`]
    .filter((part) => part !== '')
    .join(' ')
}

/** As our own notes begin, and on one line with what was near. */
const outputError = (text: string, write: (text: string) => void) =>
  write(text.replace(/^error: /, 'blkin: ').replace('\n(Did', ' (Did'))

export function makeProgram(): Command {
  const program = new Command('blkin')
    .description('Tracepoints for Node.js: switch them, watch them, record them, read them.')
    .version(version, '-v, --version')
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .usage('[--version | --help] VERB ...')
    .configureHelp({ subcommandTerm: (verb) => verb.name(), visibleOptions: () => [] })
    .addHelpText(
      'after',
      ending(
        "blkin record -o trace -e 'blockstore:*' -- node server.js",
        "0 done, 1 failed, 2 bad usage, 3 nothing matched; a recorded command's own",
      ),
    )
  const verbs = [
    ...[psCommand(), listCommand(), enableCommand(), disableCommand(), rulesCommand()],
    ...[recordCommand(), tailCommand(), topCommand(), relayCommand(), viewCommand(), sqlCommand()],
    repairCommand(),
    ...[tracesCommand(), traceCommand(), statusCommand(), overheadCommand(), completionCommand()],
  ]
  const help = helpCommand(program)
  for (const command of [...verbs, help])
    program.addCommand(
      command.exitOverride().configureHelp({ optionDescription }).configureOutput({ outputError }),
    )
  program.configureOutput({ outputError })
  program.addCommand(completeCommand(program).exitOverride(), { hidden: true })
  program.on('command:*', ([word = '']: string[]) => {
    throw unknownVerb(word, visibleVerbs(program))
  })
  return program
}
