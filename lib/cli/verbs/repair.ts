// lib/cli/verbs/repair.ts: `blkin repair`: traces that a power cut or a broken disk left unreadable, cut to what is whole; what is missing is
// told in them.
import { stat } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { ending, exitCodes, NothingError } from '../options/exit.js'
import { jsonOption, nonEmpty } from '../options/flags.js'
import { bytes, count } from '../print/amounts.js'
import { note, printJson, printLines } from '../print/print.js'
import { visible } from '../print/visible.js'
import { loadRelay } from '../relay/load-relay.js'

interface Flags {
  dryRun?: boolean
  json?: boolean
}

export function repairCommand(): Command {
  return new Command('repair')
    .summary('make traces readable that a power cut left broken')
    .description('Cuts streams to what is whole, and tells in them what is missing.')
    .argument('<folder>', 'a trace folder, or one that holds some', nonEmpty('FOLDER', 'a folder'))
    .addOption(new Option('-n, --dry-run', 'say what would be done'))
    .addOption(jsonOption())
    .addHelpText('after', ending('blkin repair traces --dry-run'))
    .action(run)
}

async function run(path: string, { dryRun = false, json }: Flags): Promise<void> {
  const { checkAtRest, repairTraces } = await loadRelay()
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (!isFolder) throw new NothingError(`${path}: no such folder; expected one that holds traces`)
  if (!dryRun) await checkAtRest(path)
  const report = await repairTraces(path, { isDryRun: dryRun })
  if (report.traces === 0) throw new NothingError(`${path}: no trace of a relay here`)
  const { traces, streams, repaired, setAside, failed } = report
  for (const { path, message } of failed) note(`${visible(path)}: ${visible(message)}`)
  if (failed.length > 0) process.exitCode = exitCodes.failed
  if (json) return printJson(report)
  await printLines([
    ...repaired.map(
      ({ path, cutBytes, missingEvents }) =>
        `${visible(path)}: ${bytes(cutBytes)} cut off, ${count(missingEvents, 'event')} missing`,
    ),
    ...setAside.map((path) => `${visible(path)}: its metadata cannot be read; set aside`),
  ])
  const found = repaired.length + setAside.length
  const what = found === 0 ? 'all is whole' : `${count(found, 'repair')}${dryRun ? ' to be made' : ''}`
  note(`${count(traces, 'trace')}, ${count(streams, 'stream')}: ${what}`)
}
