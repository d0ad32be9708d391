// lib/cli/verbs/help.ts: `blkin help [VERB]`: the same as --help of that verb.

import { Command } from 'commander'
import { ending } from '../options/exit.js'
import { unknownVerb } from '../options/unknown-verb.js'

export function helpCommand(program: Command): Command {
  return new Command('help')
    .summary('how a verb is used')
    .description("Prints a verb's help, or which verbs there are.")
    .argument('[verb]')
    .addHelpText('after', ending('blkin help record', '0 done, 2 bad usage'))
    .action((word: string | undefined) => {
      const verb = program.commands.find((one) => one.name() === word)
      if (word !== undefined && verb === undefined) throw unknownVerb(word, visibleVerbs(program))
      const shown = verb ?? program
      shown.help()
    })
}

export const visibleVerbs = (program: Command): string[] =>
  program
    .createHelp()
    .visibleCommands(program)
    .map((one) => one.name())
