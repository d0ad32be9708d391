// lib/cli/verbs/enable.ts: `blkin enable`: switches tracepoints on in running processes, and in those that start later where
// no single pid is named. The standing rule is written first, then the living are told, so that none slips through.
import type { Changed, Refusal, RuleRequest } from '@blkin/relay'
import { Command, Option } from 'commander'
import { parseRelay } from '../../relay-address.js'
import { checkPattern } from '../../rule.js'
import { nameOf, nothingText } from '../names/tracepoints.js'
import { checkFlag, ending, exitCodes, UsageError } from '../options/exit.js'
import {
  channelOptions,
  checked,
  type FleetFlags,
  givenFlags,
  jsonOption,
  pidOption,
  type RuleFlags,
  relayOption,
  ruleOptions,
  sessionOption,
} from '../options/flags.js'
import { ruleOf } from '../options/rule-request.js'
import { count } from '../print/amounts.js'
import { note, print, printJson } from '../print/print.js'
import { conditionsText, ruleJson } from '../print/rule-text.js'
import { processText, visible } from '../print/visible.js'
import { misfits, requireFit } from '../process/filter.js'
import { findProcesses, isPid, requireProcesses, type Target, using, whyNone } from '../process/find.js'
import { enableInSession, type SessionFlags } from '../process/session.js'
import { changeStanding, takenBack, withStanding } from '../process/standing.js'
import { withFleet } from '../relay/fleet.js'

interface Flags extends FleetFlags, RuleFlags, SessionFlags {
  session: string
  json?: boolean
}

export function enableCommand(): Command {
  const command = new Command('enable')
    .summary('switch tracepoints on, in processes that run or start later')
    .description('Switches tracepoints on, without a pid also in processes that start later.')
    .argument('<pattern...>')
    .addOption(pidOption())
    .addOption(relayOption())
  for (const option of [...ruleOptions(), sessionOption(), ...channelOptions()]) command.addOption(option)
  return command
    .addOption(
      new Option('--to <address>', 'the relay it sends to')
        .env('BLKIN_RELAY')
        .argParser(checked('--to', parseRelay)),
    )
    .addOption(jsonOption())
    .addHelpText('after', ending("blkin enable 'disk:*' -p 'server*' -l info --filter 'bytes > 4096'"))
    .action(run)
}

async function run(patterns: string[], flags: Flags, command: Command): Promise<void> {
  for (const pattern of patterns) checkFlag('PATTERN', () => checkPattern(pattern))
  const rules = patterns.map((pattern) => ruleOf(pattern, flags))
  if (flags.relay !== undefined) return enableFleet(flags.relay, rules, flags, command)
  if (flags.filter !== undefined)
    await using(await findProcesses(flags.pid), (found) => requireFit(rules, found))
  const takeBack = await keepStanding(rules, flags)
  const targets = takeBack ? await findProcesses(flags.pid) : await requireProcesses(flags.pid)
  if (targets.length === 0) {
    note(`${await whyNone(flags.pid)}; the rule stands for those that start`)
    process.exitCode ??= exitCodes.nothing
    return
  }
  const refused = await using(targets, (found) => enableIn(found, rules, flags, command))
  if (refused && takeBack) await takeBack()
}

/** What takes the rules back; nothing where a pid is named: then they are for that process alone. */
async function keepStanding(rules: RuleRequest[], flags: Flags): Promise<(() => Promise<void>) | undefined> {
  if (isPid(flags.pid)) return undefined
  if (flags.session !== 'default') {
    note(`processes that start later do not get it: standing rules are for the session default`)
    return undefined
  }
  const target = flags.pid ?? '*'
  const own = rules.map((rule) => ({ ...rule, target }))
  let before: RuleRequest[] = []
  await changeStanding((stood) => {
    before = stood
    return own.reduce((all, rule) => withStanding(all, rule), stood)
  })
  return () => changeStanding((now) => takenBack(now, own, before))
}

/** What the command line said of the session, without what the environment says. */
function givenOf(flags: SessionFlags, command: Command): SessionFlags {
  const given = givenFlags(command)
  const names = (['buffer', 'mode', 'context', 'to'] as const).filter((name) => given.includes(name))
  return Object.fromEntries(names.map((name) => [name, flags[name]]))
}

/** True where every process refused. */
async function enableIn(
  targets: Target[],
  rules: RuleRequest[],
  flags: Flags,
  command: Command,
): Promise<boolean> {
  const given = givenOf(flags, command)
  const done = await Promise.all(
    targets.map(async (target) => {
      try {
        const changed = await enableInSession(target, flags.session, rules, given, flags)
        const changes = rules.map((rule, i) => ({ rule, changed: changed[i] as Changed }))
        return { target, changes }
      } catch (error) {
        note(`${processText(target.state)}: ${(error as Error).message}`)
        return { target, failed: true, refused: (error as Refusal).code === 'ERR_BLKIN_REFUSED' }
      }
    }),
  )
  for (const { target, changes = [] } of done)
    for (const { rule, changed } of changes) tell(target, flags, rule, changed)
  if (done.some(({ failed }) => failed)) process.exitCode = exitCodes.failed
  await tellNothing(
    targets,
    rules,
    done.flatMap(({ changes = [] }) => changes),
  )
  return done.every(({ refused }) => refused)
}

function tell({ state }: Target, { session, json }: Flags, rule: RuleRequest, changed: Changed): void {
  if (json) {
    const { pid, program } = state
    const { rule: id, covered, enabled, unfit } = changed
    printJson({ pid, program, session, rule: id, pattern: rule.pattern, covered, enabled, unfit })
    return
  }
  const on = `${count(changed.covered, 'tracepoint')} covered, ${changed.enabled} on in session ${session}`
  print(`${processText(state)}: rule ${changed.rule} ${rule.pattern}: ${on}`)
  for (const line of misfits(changed.unfit)) note(line)
}

/** A pattern that nothing matches anywhere is told, with the nearest names, and has an exit code of its own. */
async function tellNothing(
  targets: Target[],
  rules: RuleRequest[],
  changes: { rule: RuleRequest; changed: Changed }[],
): Promise<void> {
  const nothing = rules.filter(
    (rule) =>
      changes.some((one) => one.rule === rule) &&
      changes.every((one) => one.rule !== rule || one.changed.covered === 0),
  )
  if (nothing.length === 0) return
  const names = (await Promise.all(targets.map(({ control }) => control.tracepoints()))).flat().map(nameOf)
  for (const { pattern } of nothing) note(`${nothingText(pattern, names)}; the rule stands for later ones`)
  process.exitCode ??= exitCodes.nothing
}

async function enableFleet(
  address: string,
  rules: RuleRequest[],
  flags: Flags,
  command: Command,
): Promise<void> {
  if (isPid(flags.pid)) throw new UsageError(`-p ${flags.pid}: a relay's rules are for programs by name`)
  const own = Object.keys(givenOf(flags, command))
  if (own.length > 0 || flags.session !== 'default')
    throw new UsageError(
      `--${own[0] ?? 'session'} and --relay do not go together: a relay's rules are for its own sessions`,
    )
  const target = flags.pid ?? '*'
  await withFleet(address, async (fleet) => {
    for (const rule of rules) {
      const stand = await fleet.enable({ ...rule, target })
      const made = stand.at(-1)
      if (made === undefined) throw new Error('the relay keeps no rule')
      if (flags.json) printJson(ruleJson(made))
      else print(visible(`rule ${made.id} ${made.pattern} for ${target}${conditions(conditionsText(made))}`))
    }
    const processes = (await fleet.processes()).filter(({ sessions }) =>
      sessions.some((one) => one.connected),
    )
    if (processes.length === 0) note('the relay has no process now; the rule stands for those that come')
  })
}

const conditions = (words: string): string => (words === '' ? '' : `: ${words}`)
