// lib/cli/verbs/record.ts: `blkin record`: a relay in this process, and either a command under it (record-command.ts) or
// processes that run already (record-attach.ts).
import { readdir } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { checkFlag, ending, UsageError } from '../options/exit.js'
import {
  channelOptions,
  enableOption,
  jsonOption,
  outputOption,
  pidOption,
  requirePatterns,
  ruleOptions,
} from '../options/flags.js'
import { parseDuration } from '../print/amounts.js'
import { recordAttached } from '../record/record-attach.js'
import { recordCommanded } from '../record/record-command.js'
import type { RecordFlags } from '../record/record-flags.js'

export function recordCommand(): Command {
  const stamp = new Date()
    .toISOString()
    .replace(/[-:]|\..*/g, '')
    .replace('T', '-')
  const command = new Command('record')
    .summary('record running processes, or a command')
    .description('Records running processes (-p), or a command and all Node.js in it.')
    .argument('[command...]')
    .addOption(pidOption())
    .addOption(enableOption())
  for (const option of [...ruleOptions(), ...channelOptions()]) command.addOption(option)
  return command
    .addOption(
      new Option('--for <time>', 'with -p: so long, such as 10s').argParser((text: string) =>
        checkFlag('--for', () => parseDuration(text)),
      ),
    )
    .addOption(outputOption('the traces', `trace-${stamp}`, 'trace-DATE-TIME'))
    .addOption(jsonOption())
    .passThroughOptions()
    .addHelpText(
      'after',
      ending(
        `blkin record -o trace -e 'blockstore:*' -- node server.js
         blkin record -p 4711 -o trace -e 'disk:*' --filter 'bytes > 4096'`,
        "0 done, 1 failed, 2 bad usage, 3 nothing matched; a command's own",
      ),
    )
    .action(run)
}

async function run(words: string[], flags: RecordFlags): Promise<void> {
  requirePatterns(flags)
  if (words.length > 0 && flags.pid !== undefined)
    throw new UsageError('-p and a command do not go together: record what runs already, or what is run')
  if (words.length > 0 && flags.for !== undefined)
    throw new UsageError('--for is for -p; a command is recorded to its end')
  if (words.length === 0 && flags.pid === undefined)
    throw new UsageError('expected -p TARGET for processes that run already, or a command behind --')
  await checkOutput(flags.output)
  process.exitCode = await (words.length > 0 ? recordCommanded(words, flags) : recordAttached(flags))
}

async function checkOutput(output: string): Promise<void> {
  const there = await readdir(output).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new UsageError(`-o ${output}: ${error.message}`)
  })
  if (there.length > 0) throw new UsageError(`-o ${output}: the folder is not empty; expected a new one`)
}
