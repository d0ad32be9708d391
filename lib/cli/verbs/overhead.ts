// lib/cli/verbs/overhead.ts: `blkin overhead`: what tracing costs: on this machine, without an argument (overhead/costs.ts), or in a program,
// on against off (overhead/compare.ts).
import { open } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { ending, UsageError } from '../options/exit.js'
import {
  channelOptions,
  checked,
  enableOption,
  givenFlags,
  jsonOption,
  nonEmpty,
  pidOption,
  requirePatterns,
  ruleOptions,
} from '../options/flags.js'
import { compareBlocks, compareRuns } from '../overhead/compare.js'
import { tellCosts } from '../overhead/costs.js'
import type { OverheadFlags } from '../overhead/flags.js'
import { mostRounds } from '../overhead/rounds.js'
import { parseDuration } from '../print/amounts.js'

export function overheadCommand(): Command {
  const command = new Command('overhead')
    .summary('what tracing costs: here, a program, a server')
    .description('Measures what tracing costs on this machine, or in a program, on against off.')
    .argument('[command...]')
    .addOption(pidOption())
    .addOption(enableOption())
  for (const option of [...ruleOptions(), ...channelOptions()]) command.addOption(option)
  return command
    .addOption(
      new Option('--url <url>', 'a server: under load by autocannon').argParser(checked('--url', parseUrl)),
    )
    .addOption(
      new Option('--rounds <count>', 'each on and off once (10, or 20)').argParser(
        checked('--rounds', parseRounds),
      ),
    )
    .addOption(
      new Option('--time <time>', 'for all rounds (blocks: 30s)').argParser(checked('--time', parseDuration)),
    )
    .addOption(new Option('--svg <file>', 'a picture too').argParser(nonEmpty('--svg', 'a file')))
    .addOption(jsonOption())
    .passThroughOptions()
    .addHelpText('after', ending("blkin overhead -e 'shop:*' --url http://127.0.0.1:80 -- node server.js"))
    .action(run)
}

function parseUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text
  throw new TypeError(`${JSON.stringify(text)}: expected a URL such as http://127.0.0.1:8080/cart`)
}

function parseRounds(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= mostRounds) return Number(text)
  throw new RangeError(`${JSON.stringify(text)}: expected a count from 1 to ${mostRounds}`)
}

async function run(words: string[], flags: OverheadFlags, command: Command): Promise<void> {
  const given = givenFlags(command)
  if (words.length > 0 && flags.pid !== undefined)
    throw new UsageError('-p and a command do not go together: measure what runs already, or what is run')
  const isProgram = words.length > 0 || flags.pid !== undefined
  if (isProgram) requirePatterns(flags)
  const vain = given.find((name) => !['rounds', 'svg', 'json'].includes(name))
  if (!isProgram && vain !== undefined)
    throw new UsageError(`--${vain} is about a program: expected -p TARGET, or a command behind --`)
  await checkSvg(flags.svg)
  if (!isProgram) await tellCosts(flags)
  else if (flags.url === undefined && words.length > 0) await compareRuns(words, flags)
  else await compareBlocks(words, flags)
}

/** Before anything is measured for it. */
async function checkSvg(path: string | undefined): Promise<void> {
  if (path === undefined) return
  const file = await open(path, 'a').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`--svg ${path}: ${error.message}`)
  })
  await file.close()
}
