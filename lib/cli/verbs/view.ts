// lib/cli/verbs/view.ts: `blkin view`: prints a trace, in babeltrace2's manner or as JSON.

import type { TraceError } from '@blkin/relay'
import { Command, Option } from 'commander'
import { checkPattern } from '../../rule.js'
import { checkFlag, ending, exitCodes, NothingError, UsageError } from '../options/exit.js'
import { jsonOption, nonEmpty } from '../options/flags.js'
import { note } from '../print/print.js'
import { loadRelay } from '../relay/load-relay.js'

interface Flags {
  json?: boolean
  enable: string[]
  since?: string
  until?: string
}

export function viewCommand(): Command {
  return new Command('view')
    .summary('print a trace')
    .description('Prints the events of a trace, or of all below a folder, by time.')
    .argument('<trace>', 'a trace folder, or one that holds some', nonEmpty('TRACE', 'a folder'))
    .addOption(jsonOption())
    .addOption(
      new Option('-e, --enable <pattern>', 'only these')
        .default([], '')
        .argParser((one: string, all: string[]) => [...all, one]),
    )
    .addOption(new Option('--since <time>', '14:30:05.25, +1.5s, ISO 8601 or ns'))
    .addOption(new Option('--until <time>', 'up to then'))
    .addHelpText('after', ending("blkin view trace -e 'blockstore:re*' --since +1.5s"))
    .action(run)
}

async function run(path: string, { json, enable, since, until }: Flags): Promise<void> {
  for (const pattern of enable) checkFlag('-e', () => checkPattern(pattern))
  const { view } = await loadRelay()
  const onFault = (error: TraceError) => {
    note(`${error.message}; passed over`)
    if (!error.isForeign) process.exitCode = exitCodes.failed
  }
  const { events, lost } = await view({
    ...{ path, output: process.stdout, onFault },
    ...(json ? { json } : {}),
    isTerminal: process.stdout.isTTY === true,
    ...(enable.length > 0 ? { patterns: enable } : {}),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  }).catch((error: Error) => {
    if (error instanceof TypeError) throw new UsageError(`--${error.message}`) // since and until are all it checks
    throw 'isForeign' in error && error.isForeign ? new NothingError(error.message) : error
  })
  if (events === 0 && lost === 0n) process.exitCode ??= exitCodes.nothing
}
