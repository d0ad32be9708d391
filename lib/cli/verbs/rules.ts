// lib/cli/verbs/rules.ts: `blkin rules`: the rules that stand, in the order in which they count: those for programs that start
// later, and those of each process and session, with who gave them.
import type { Rule } from '@blkin/relay'
import { Command } from 'commander'
import { ending } from '../options/exit.js'
import { type FleetFlags, jsonOption, pidOption, relayOption, sessionOption } from '../options/flags.js'
import { print, printJson, type Style, styleFor } from '../print/print.js'
import { filterText, levelText, ruleJson, sampleText } from '../print/rule-text.js'
import { renderTable } from '../print/table.js'
import { visible } from '../print/visible.js'
import { findProcesses, requireProcesses, type Target } from '../process/find.js'
import { standingRules } from '../process/standing.js'
import { withFleet } from '../relay/fleet.js'

interface Flags extends FleetFlags {
  session: string
  json?: boolean
}

export interface Standing {
  where: { standing: true } | { relay: string } | { pid: number; program: string; session: string }
  rules: Rule[]
}

export function rulesCommand(): Command {
  return new Command('rules')
    .summary('the rules that stand, in order')
    .description('Lists rules in order: of those that cover a tracepoint the last decides.')
    .addOption(pidOption())
    .addOption(relayOption())
    .addOption(sessionOption().default(undefined, 'all'))
    .addOption(jsonOption())
    .addHelpText('after', ending('blkin rules -p 4711'))
    .action(run)
}

async function run(flags: Flags): Promise<void> {
  const all = flags.relay === undefined ? await localRules(flags) : await fleetRules(flags.relay)
  if (flags.json) {
    for (const { where, rules } of all) for (const rule of rules) printJson({ ...where, ...ruleJson(rule) })
  } else for (const line of renderRules(all, styleFor(process.stdout))) print(line)
}

async function localRules({ pid, session }: Flags): Promise<Standing[]> {
  const targets = pid === undefined ? await findProcesses() : await requireProcesses(pid)
  for (const { control } of targets) control.close()
  const standing = { where: { standing: true as const }, rules: await standingRules() }
  return [standing, ...targets.flatMap((target) => ofProcess(target, session))]
}

function ofProcess({ state }: Target, session: string | undefined): Standing[] {
  const { pid, program } = state
  return state.sessions
    .filter(({ spec }) => session === undefined || spec.name === session)
    .map(({ spec, rules }) => ({ where: { pid, program, session: spec.name }, rules }))
}

const fleetRules = (address: string): Promise<Standing[]> =>
  withFleet(address, async (fleet) => [{ where: { relay: address }, rules: await fleet.rules() }])

/** Pure. */
export function renderRules(all: readonly Standing[], style: Style): string[] {
  const columns = [
    { head: 'RULE', right: true },
    { head: '' },
    { head: 'PATTERN' },
    { head: 'LEVEL' },
    { head: 'SAMPLE' },
    { head: 'EXCLUDE' },
    { head: 'FILTER' },
    { head: 'FROM' },
  ]
  return all.flatMap(({ where, rules }, i) => {
    const heading =
      'pid' in where
        ? visible(`${where.program} (${where.pid}), session ${where.session}`)
        : 'relay' in where
          ? `relay ${where.relay}, for its processes now and later`
          : 'standing, for programs that start'
    const lead = [...(i === 0 ? [] : ['']), style.bold(heading)]
    if (rules.length === 0) return [...lead, style.dim('no rules')]
    const [heads = '', ...lines] = renderTable(columns, rules.map(rowOf))
    return [...lead, style.dim(heads), ...lines]
  })
}

function rowOf(rule: Rule): string[] {
  const origin = rule.target === undefined ? rule.origin : `${rule.origin}, for ${rule.target}`
  const level = levelText(rule)
  return [
    String(rule.id),
    rule.on ? 'on' : 'off',
    rule.pattern,
    ...[level || '-', sampleText(rule) || '-', rule.exclude.join(',') || '-', filterText(rule) || '-'],
    origin,
  ].map(visible)
}
