// lib/cli/verbs/disable.ts: `blkin disable`: switches tracepoints off, whichever rules had switched them on; or, with --session
// and no pattern, closes that session.
import { Command } from 'commander'
import { checkPattern } from '../../rule.js'
import { nameOf, nothingText } from '../names/tracepoints.js'
import { checkFlag, ending, exitCodes, NothingError, UsageError } from '../options/exit.js'
import { type FleetFlags, jsonOption, pidOption, relayOption, sessionOption } from '../options/flags.js'
import { count } from '../print/amounts.js'
import { note, print, printJson } from '../print/print.js'
import { ruleJson } from '../print/rule-text.js'
import { processText, visible } from '../print/visible.js'
import {
  findProcesses,
  isPid,
  requireProcesses,
  type Target,
  using,
  whyNone,
  withProcesses,
} from '../process/find.js'
import { changeStanding, withoutStanding } from '../process/standing.js'
import { withFleet } from '../relay/fleet.js'

interface Flags extends FleetFlags {
  session: string
  json?: boolean
}

/** For the events that are still in the session's rings. */
const closeMs = 10_000

export function disableCommand(): Command {
  return new Command('disable')
    .summary('switch tracepoints off, or close a session')
    .description('Switches tracepoints off; without a pattern, closes the --session.')
    .argument('[pattern...]')
    .addOption(pidOption())
    .addOption(relayOption())
    .addOption(sessionOption())
    .addOption(jsonOption())
    .addHelpText('after', ending("blkin disable 'blockstore:mapped' -p 4711"))
    .action(run)
}

async function run(patterns: string[], flags: Flags, command: Command): Promise<void> {
  for (const pattern of patterns) checkFlag('PATTERN', () => checkPattern(pattern))
  const named = command.getOptionValueSource('session') !== 'default'
  if (patterns.length === 0 && !named)
    throw new UsageError('expected a pattern such as "blockstore:*", or --session NAME to close that session')
  if (flags.relay !== undefined) return disableFleet(flags.relay, patterns, flags, named)
  if (patterns.length === 0) return withProcesses(flags.pid, (targets) => closeSessions(targets, flags))
  const standing = flags.session === 'default' && !isPid(flags.pid)
  if (standing) await dropStanding(patterns, flags.pid ?? '*')
  const targets = standing ? await findProcesses(flags.pid) : await requireProcesses(flags.pid)
  if (targets.length === 0) {
    note(`${await whyNone(flags.pid)}; those that start do not get it by a standing rule`)
    process.exitCode ??= exitCodes.nothing
    return
  }
  await using(targets, (found) => disableIn(found, patterns, flags))
}

async function dropStanding(patterns: string[], target: string): Promise<void> {
  await changeStanding((before) =>
    patterns.reduce((rules, pattern) => withoutStanding(rules, target, pattern), before),
  )
}

async function disableIn(targets: Target[], patterns: string[], flags: Flags): Promise<void> {
  const having = havingSession(targets, flags.session)
  const nothing = new Set(patterns)
  const allDone = await each(having, async ({ control, state }) => {
    for (const pattern of patterns) {
      const { rule, covered, enabled } = await control.disable(flags.session, pattern)
      if (covered > 0) nothing.delete(pattern)
      const { pid, program } = state
      if (flags.json) printJson({ pid, program, session: flags.session, rule, pattern, covered, enabled })
      else
        print(
          `${processText(state)}: ${pattern}: ${count(covered, 'tracepoint')} covered, ${enabled} on in session ${flags.session}`,
        )
    }
  })
  if (!allDone || nothing.size === 0) return
  const names = (await Promise.all(targets.map(({ control }) => control.tracepoints()))).flat().map(nameOf)
  for (const pattern of nothing) note(nothingText(pattern, names))
  process.exitCode ??= exitCodes.nothing
}

/** @throws NothingError where none of them has it */
function havingSession(targets: Target[], name: string): Target[] {
  const having = targets.filter(({ state }) => state.sessions.some(({ spec }) => spec.name === name))
  if (having.length === 0) throw new NothingError(noSession(targets, name))
  return having
}

function noSession(targets: Target[], name: string): string {
  const there = [...new Set(targets.flatMap(({ state }) => state.sessions.map(({ spec }) => spec.name)))]
  return `there is no session ${JSON.stringify(name)}; ${there.length === 0 ? 'none is open' : `there are ${visible(there.join(', '))}`}`
}

/** All at once; who fails is told, and does not keep it from the others. False where one did. */
async function each(targets: Target[], work: (target: Target) => Promise<void>): Promise<boolean> {
  const done = await Promise.allSettled(targets.map(work))
  done.forEach((one, i) => {
    if (one.status === 'fulfilled') return
    note(`${processText(targets[i]!.state)}: ${(one.reason as Error).message}`)
    process.exitCode = exitCodes.failed
  })
  return done.every(({ status }) => status === 'fulfilled')
}

async function closeSessions(targets: Target[], { session, json }: Flags): Promise<void> {
  await each(havingSession(targets, session), async ({ control, state }) => {
    const { last, delivered } = await control.closeSession(session, closeMs)
    const { pid, program } = state
    if (json) printJson({ pid, program, session, events: last.events, lost: last.lost, delivered })
    else print(`${processText(state)}: session ${session} closed, ${count(last.events, 'event')} delivered`)
    if (!delivered)
      note(
        `${pid}: what was left in the session's rings was given up: ${last.relayError || 'no relay took it'}`,
      )
  })
}

async function disableFleet(
  address: string,
  patterns: string[],
  flags: Flags,
  named: boolean,
): Promise<void> {
  if (isPid(flags.pid)) throw new UsageError(`-p ${flags.pid}: a relay's rules are for programs by name`)
  if (patterns.length === 0) throw new UsageError('--relay: expected a pattern such as "blockstore:*"')
  if (named && flags.session !== 'default') throw new UsageError('--session and --relay do not go together')
  await withFleet(address, async (fleet) => {
    for (const pattern of patterns) {
      const left = await fleet.disable(flags.pid ?? '*', pattern)
      if (flags.json) for (const rule of left) printJson(ruleJson(rule))
      else print(`${pattern} off for ${flags.pid ?? '*'}; ${count(left.length, 'rule')} left at the relay`)
    }
  })
}
