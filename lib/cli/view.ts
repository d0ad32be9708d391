// lib/cli/view.ts: `blkin view`: prints a trace, in babeltrace2's manner or as JSON.
import { Command } from 'commander'
import { checkPattern } from '../rule.js'
import { checkFlag, exitCodes } from './exit.js'
import { loadRelay } from './load-relay.js'

interface Flags {
  json?: boolean
  enable: string[]
  since?: string
  until?: string
}

export function viewCommand(): Command {
  return new Command('view')
    .description('Prints the events of a trace, or of all traces below a folder, in the order of time.')
    .argument('<trace>', 'a trace folder, or one that holds some')
    .option('--json', 'an object a line')
    .option(
      '-e, --enable <pattern>',
      'only these, such as "blockstore:*" (again for more)',
      (one, all: string[]) => [...all, one],
      [],
    )
    .option(
      '--since <time>',
      'from then on: 14:30:05.25, 2026-01-31T14:30:05Z, nanoseconds, or +1.5s into the trace',
    )
    .option('--until <time>', 'up to then')
    .addHelpText('after', "\nExample: blkin view trace -e 'blockstore:re*' --since +1.5s")
    .action(run)
}

async function run(path: string, { json, enable, since, until }: Flags): Promise<void> {
  for (const pattern of enable) checkFlag('-e', () => checkPattern(pattern))
  const { view } = await loadRelay()
  const { events, lost } = await view({
    path,
    output: process.stdout,
    ...(json ? { json } : {}),
    ...(enable.length > 0 ? { patterns: enable } : {}),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  })
  if (events === 0 && lost === 0n) process.exitCode = exitCodes.nothing
}
