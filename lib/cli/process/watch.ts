// lib/cli/process/watch.ts: events as they come, for tail and top: from running processes, through a relay in this process that
// keeps nothing, or from a relay that --relay names.
import type { Followed, ProcessState, TraceItem } from '@blkin/relay'
import { UsageError } from '../options/exit.js'
import type { ChannelFlags, EnableFlags, FleetFlags, RuleFlags } from '../options/flags.js'
import { ruleOf } from '../options/rule-request.js'
import { note } from '../print/print.js'
import { startCommandRelay } from '../relay/command-relay.js'
import { withFleet } from '../relay/fleet.js'
import { attach } from './attach.js'
import { requireFit } from './filter.js'
import { isPid, withProcesses } from './find.js'
import { untilEnd } from './wait.js'

export interface WatchFlags extends FleetFlags, EnableFlags, RuleFlags, ChannelFlags {
  json?: boolean
}

export interface Watcher {
  /** Of attached processes. Must return soon and not throw. */
  items(items: readonly TraceItem[]): void
  /** Of a relay's fleet. */
  followed(followed: Followed): void
  /** Once events can come. `done` resolves when the watcher wants to end; `end` is called however it ends. */
  begin(source: Source): { done: Promise<void>; end(): void }
}

export interface Source {
  /** Processes, and the session that watches them. */
  states(): Promise<{ state: ProcessState; session: string }[]>
  /** The relay that is asked, with --relay. */
  relay?: string
}

const takeMs = 1000

/** `given`: the flags that stand on the command line itself. */
export async function watch(
  purpose: string,
  flags: WatchFlags,
  given: readonly string[],
  watcher: Watcher,
): Promise<void> {
  const patterns = flags.enable.length === 0 ? ['*:*'] : flags.enable
  await (flags.relay === undefined
    ? watchProcesses(purpose, patterns, flags, watcher)
    : watchFleet(flags.relay, patterns, flags, given, watcher))
}

async function watchProcesses(
  purpose: string,
  patterns: string[],
  flags: WatchFlags,
  watcher: Watcher,
): Promise<void> {
  const rules = patterns.map((pattern) => ruleOf(pattern, flags))
  await withProcesses(flags.pid, async (found) => {
    await requireFit(rules, found)
    const live = (items: TraceItem[]) => watcher.items(items)
    const { relay, token, close } = await startCommandRelay({ live })
    try {
      const to = { purpose, relay: relay.address, token }
      const { targets, over, detach } = await attach(found, rules, flags, to)
      const session = `${purpose}-${process.pid}`
      const states = async () => {
        const answers = await Promise.allSettled(targets.map(({ control }) => control.process()))
        return answers.flatMap((one) => (one.status === 'fulfilled' ? [{ state: one.value, session }] : []))
      }
      const begun = watcher.begin({ states })
      const ended = over.then(() => note('all of them have ended, or answer no more'))
      await untilEnd(Promise.race([ended, begun.done])).finally(begun.end)
      await detach()
    } finally {
      await close()
    }
  })
}

async function watchFleet(
  address: string,
  patterns: string[],
  flags: WatchFlags,
  given: readonly string[],
  watcher: Watcher,
): Promise<void> {
  const { pid } = flags
  const own = ['filter', 'level', 'exactly', 'sample', 'exclude', 'buffer', 'mode', 'context']
  const refused = given.find((name) => own.includes(name))
  if (refused !== undefined)
    throw new UsageError(
      `--${refused} and --relay do not go together: what a relay gets, its rules say (blkin enable)`,
    )
  if (isPid(pid)) throw new UsageError(`-p ${pid}: at a relay, programs are found by name`)
  await withFleet(address, async (fleet) => {
    await fleet.follow(pid ?? '*', patterns)
    let ended = false
    const taking = (async () => {
      while (!ended) watcher.followed(await fleet.take(takeMs))
    })()
    const failed = taking.catch((error: Error) => {
      if (!ended) throw error
    })
    const begun = watcher.begin({ states: async () => [], relay: address })
    await Promise.race([untilEnd(begun.done), failed]).finally(begun.end)
    ended = true
  })
}
