// lib/cli/verbs/tail.ts: `blkin tail`: events as they come, a line each. A terminal or pipe that is slow loses lines, and is
// told how many; it slows nobody and nothing grows. Losses in the process have lines of their own.
import type { Followed, TraceEvent, TraceItem } from '@blkin/relay'
import { Command } from 'commander'
import { ending, watchCodes } from '../options/exit.js'
import {
  channelOptions,
  enableOption,
  givenFlags,
  jsonOption,
  pidOption,
  relayOption,
  ruleOptions,
} from '../options/flags.js'
import { Lines, leave, neverWaitFor, readerGone, slowText } from '../print/lines.js'
import { json } from '../print/print.js'
import { visible, visibleJson } from '../print/visible.js'
import { type Watcher, type WatchFlags, watch } from '../process/watch.js'
import { type FollowedEvent, followedText, readFollowed } from '../relay/followed.js'
import { loadRelay } from '../relay/load-relay.js'

export function tailCommand(): Command {
  const command = new Command('tail')
    .summary('print events as they come')
    .description('Prints the events of running processes as they come, until ^C.')
    .addOption(pidOption())
    .addOption(relayOption())
    .addOption(enableOption('only these (all)'))
  for (const option of [...ruleOptions(), ...channelOptions(), jsonOption()]) command.addOption(option)
  return command
    .addHelpText('after', ending("blkin tail -p 4711 -e '*:*' --context span,tid", watchCodes))
    .action(run)
}

async function run(flags: WatchFlags, command: Command): Promise<void> {
  const { formatJson, formatText } = await loadRelay()
  neverWaitFor(process.stdout)
  neverWaitFor(process.stderr)
  const gap = flags.json ? (dropped: number) => json({ dropped }) : slowText
  const lines = new Lines(process.stdout, gap)
  let before: TraceEvent | undefined
  let earlier: FollowedEvent | undefined
  const watcher: Watcher = {
    items(items: readonly TraceItem[]) {
      for (const item of items) {
        if (item.kind === 'event' && !lines.room) lines.drop()
        else lines.add(flags.json ? formatJson(item) : visible(formatText(item, before)))
        if (item.kind === 'event') before = item
      }
      lines.flush()
    },
    followed({ events, dropped }: Followed) {
      if (dropped > 0) lines.drop(dropped)
      for (const line of events) {
        const event = readFollowed(line)
        if (!lines.room) lines.drop()
        else lines.add(flags.json ? visibleJson(line) : visible(followedText(event, earlier)))
        if (event.lost === undefined) earlier = event
      }
      lines.flush()
    },
    begin: () => ({ done: readerGone(), end() {} }),
  }
  await watch('tail', flags, givenFlags(command), watcher)
  lines.flush()
  await leave()
}
