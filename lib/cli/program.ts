// lib/cli/program.ts: the `blkin` command as its parser has it: verbs, flags and help. Each verb stands in a file of its own.
import { Command, type Option } from 'commander'
import { version } from '../version.js'
import { ending } from './options/exit.js'
import { unknownVerb } from './options/unknown-verb.js'
import { completeCommand, completionCommand } from './verbs/completion.js'
import { disableCommand } from './verbs/disable.js'
import { enableCommand } from './verbs/enable.js'
import { helpCommand, visibleVerbs } from './verbs/help.js'
import { listCommand } from './verbs/list.js'
import { overheadCommand } from './verbs/overhead.js'
import { psCommand } from './verbs/ps.js'
import { recordCommand } from './verbs/record.js'
import { relayCommand } from './verbs/relay.js'
import { repairCommand } from './verbs/repair.js'
import { rulesCommand } from './verbs/rules.js'
import { sqlCommand } from './verbs/sql.js'
import { statusCommand } from './verbs/status.js'
import { tailCommand } from './verbs/tail.js'
import { topCommand } from './verbs/top.js'
import { traceCommand } from './verbs/trace.js'
import { tracesCommand } from './verbs/traces.js'
import { viewCommand } from './verbs/view.js'

/** A flag's words and its variable, where it has one, short enough for a screen: what may be given is said when it is not. */
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
