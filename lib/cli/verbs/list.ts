// lib/cli/verbs/list.ts: `blkin list`: the tracepoints of running processes: level, fields, and where each is on by which rule.
// Processes of one program that have the same to show are shown once.
import type { Fleet, FleetProcess, Rule, TracepointState } from '@blkin/relay'
import { Command } from 'commander'
import { levelNames } from '../../levels.js'
import { checkPattern } from '../../rule.js'
import { gathered } from '../names/frequent.js'
import { compileGlob } from '../names/glob.js'
import { nameOf, nothingText } from '../names/tracepoints.js'
import { checkFlag, ending, NothingError } from '../options/exit.js'
import { type FleetFlags, jsonOption, pidOption, relayOption } from '../options/flags.js'
import { typeText } from '../print/field-text.js'
import { print, printJson, type Style, styleFor } from '../print/print.js'
import { conditionsText, ruleJson } from '../print/rule-text.js'
import { renderTable } from '../print/table.js'
import { visible } from '../print/visible.js'
import { type Target, withProcesses } from '../process/find.js'
import { withFleet } from '../relay/fleet.js'

interface Flags extends FleetFlags {
  json?: boolean
}

interface Listed {
  pid: number
  program: string
  /** A relay's process that is there no more. */
  gone: boolean
  tracepoints: TracepointState[]
  /** To say more of a tracepoint's rule than its number; undefined where that is all that is known. */
  rule: (session: string, id: number) => Rule | undefined
}

export function listCommand(): Command {
  return new Command('list')
    .summary('their tracepoints: level, fields, and where they are on')
    .description('Lists tracepoints: level, fields, and where they are on by which rule.')
    .argument('[pattern]')
    .addOption(pidOption())
    .addOption(relayOption())
    .addOption(jsonOption())
    .addHelpText('after', ending("blkin list -p 'server*' 'blockstore:*'"))
    .action(run)
}

async function run(pattern: string | undefined, flags: Flags): Promise<void> {
  if (pattern !== undefined) checkFlag('PATTERN', () => checkPattern(pattern))
  const all = await (flags.relay === undefined
    ? withProcesses(flags.pid, (targets) => Promise.all(targets.map(ofProcess)))
    : withFleet(flags.relay, (fleet) => fleetListed(fleet, flags.pid)))
  const covers = pattern === undefined ? () => true : compileGlob(pattern)
  const shown = all.map((one) => ({
    ...one,
    tracepoints: one.tracepoints.filter((each) => covers(nameOf(each))),
  }))
  if (shown.every(({ tracepoints }) => tracepoints.length === 0))
    throw new NothingError(
      nothingText(
        pattern ?? '*:*',
        all.flatMap(({ tracepoints }) => tracepoints.map(nameOf)),
      ),
    )
  if (flags.json) printListed(shown)
  else for (const line of renderListed(shown, styleFor(process.stdout))) print(line)
}

async function ofProcess({ control, state }: Target): Promise<Listed> {
  const { pid, program, sessions } = state
  return {
    ...{ pid, program, gone: false, tracepoints: await control.tracepoints() },
    rule: (session, id) =>
      sessions.find(({ spec }) => spec.name === session)?.rules.find((rule) => rule.id === id),
  }
}

async function fleetListed(fleet: Fleet, target?: string): Promise<Listed[]> {
  const named = target === undefined ? () => true : compileGlob(target)
  const processes = (await fleet.processes()).filter(({ program }) => named(program))
  if (processes.length === 0) throw new NothingError('the relay knows no such process')
  return Promise.all(processes.map((one) => ofFleetProcess(fleet, one)))
}

/** Sessions that send elsewhere are unknown to this relay. */
async function ofFleetProcess(fleet: Fleet, { pid, program, sessions }: FleetProcess): Promise<Listed> {
  const living = sessions.filter(({ connected }) => connected)
  const uuid = (living[0] ?? sessions[0])?.uuid
  const tracepoints = uuid === undefined ? [] : await fleet.tracepoints(uuid)
  const answers = await Promise.all(
    living.map(async ({ uuid, name }) => ({ session: name, enabled: await fleet.enabled(uuid) })),
  )
  const on = new Map<number, TracepointState['on']>()
  for (const { session, enabled } of answers)
    for (const { tracepoint, rule } of enabled.tracepoints)
      on.set(tracepoint, [...(on.get(tracepoint) ?? []), { session, rule }])
  return {
    ...{ pid, program, gone: living.length === 0 },
    tracepoints: tracepoints.map((tracepoint, id) => ({ tracepoint, on: on.get(id) ?? [] })),
    rule: (session, id) =>
      answers.find((one) => one.session === session)?.enabled.rules.find((rule) => rule.id === id),
  }
}

function printListed(all: Listed[]): void {
  for (const { pid, program, gone, tracepoints, rule: find } of all) {
    const ruleOf = (session: string, id: number) => {
      const rule = find(session, id)
      return { session, ...(rule === undefined ? { id } : ruleJson(rule)) }
    }
    for (const { tracepoint, on } of tracepoints) {
      const { provider, event, level, fields } = tracepoint
      printJson({
        ...{ pid, program, provider, event, level: levelNames[level] },
        fields: fields.map((field) => ({ name: field.name, type: typeText(field) })),
        on: on.map(({ session, rule }) => ruleOf(session, rule)),
        ...(gone ? { gone } : {}),
      })
    }
  }
}

/** Pure. */
export function renderListed(all: Listed[], style: Style): string[] {
  const groups = new Map<string, { program: string; pids: number[]; rows: string[][] }>()
  for (const { pid, program, gone, tracepoints, rule } of all) {
    if (tracepoints.length === 0) continue
    const rows = gathered(tracepoints, nameOf).map(({ one, name, count }) => {
      const row = rowOf(one, gone, rule, style)
      return name === nameOf(one)
        ? row
        : [visible(name), ...row.slice(1, 3), `${count} that come often: --json tells each`]
    })
    const key = JSON.stringify([program, rows])
    const group = groups.get(key) ?? { program, pids: [], rows }
    group.pids.push(pid)
    groups.set(key, group)
  }
  const columns = [{ head: 'TRACEPOINT' }, { head: 'LEVEL' }, { head: 'ON' }, { head: 'FIELDS' }]
  return [...groups.values()].flatMap(({ program, pids, rows }, i) => {
    const [heads = '', ...lines] = renderTable(columns, rows)
    return [
      ...(i === 0 ? [] : ['']),
      style.bold(`${visible(program)} (${pids.join(', ')})`),
      style.dim(heads),
      ...lines,
    ]
  })
}

function rowOf(one: TracepointState, gone: boolean, rule: Listed['rule'], style: Style): string[] {
  const words = (found: Rule | undefined) => {
    const conditions = found === undefined ? '' : conditionsText(found)
    return found === undefined ? '' : ` "${found.pattern}"${conditions === '' ? '' : ` ${conditions}`}`
  }
  const on = one.on
    .map((each) => `${each.session} by ${each.rule}${words(rule(each.session, each.rule))}`)
    .join('; ')
  const fields = one.tracepoint.fields.map((field) => `${field.name}: ${typeText(field)}`).join(', ')
  return [
    visible(nameOf(one)),
    levelNames[one.tracepoint.level] ?? String(one.tracepoint.level),
    on === '' ? style.dim(gone ? 'gone' : 'off') : visible(on),
    fields === '' ? '-' : visible(fields),
  ]
}
