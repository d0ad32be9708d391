// lib/cli/verbs/status.ts: `blkin status`: how a relay is: its alerts, the servers that spans go on to, spans, processes. What is
// wrong comes first, and makes the exit code 1.
import { Command } from 'commander'
import { ending, exitCodes } from '../options/exit.js'
import { jsonOption, zipkinOption } from '../options/flags.js'
import { printJson, printLines, styleFor } from '../print/print.js'
import { askRelay } from '../relay/zipkin.js'
import { readStatus } from '../status/status-answer.js'
import { isWell, renderStatus } from '../status/status-frame.js'

interface Flags {
  http: string
  json?: boolean
}

export function statusCommand(): Command {
  return new Command('status')
    .summary('how a relay is: alerts, sinks, spans, processes')
    .description('Shows how a relay is: alerts, sinks, spans, processes; what is wrong first.')
    .addOption(zipkinOption('of this relay'))
    .addOption(jsonOption())
    .addHelpText(
      'after',
      ending(
        'blkin status --http 127.0.0.1:4651',
        '0 all is well, 1 something is wrong or nobody answers, 2 bad usage',
      ),
    )
    .action(run)
}

async function run({ http, json }: Flags): Promise<void> {
  const status = readStatus(http, await askRelay(http, 'status'))
  if (json) printJson(status)
  else await printLines(renderStatus(http, status, styleFor(process.stdout)))
  if (!isWell(status)) process.exitCode = exitCodes.failed
}
