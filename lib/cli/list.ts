// lib/cli/list.ts: `blkin list`: the tracepoints of running processes: level, fields, and where each is on by which rule.
// Processes of one program that have the same to show are shown once.
import type { TracepointState } from '@blkin/relay'
import { Command } from 'commander'
import { levelNames } from '../levels.js'
import { checkPattern } from '../rule.js'
import { checkFlag, NothingError } from './exit.js'
import { typeText } from './field-text.js'
import { type Target, withProcesses } from './find.js'
import { type FleetFlags, jsonOption, pidOption, relayOption } from './flags.js'
import { withFleet } from './fleet.js'
import { compileGlob } from './glob.js'
import { nearest } from './nearest.js'
import { print, printJson, type Style, styleFor } from './print.js'
import { conditionsText, ruleJson } from './rule-text.js'
import { renderTable } from './table.js'

interface Flags extends FleetFlags {
  json?: boolean
}

interface Listed {
  pid: number
  program: string
  tracepoints: TracepointState[]
  /** The rules of a session, to say more of a tracepoint's rule than its number. */
  rule: (session: string, id: number) => ReturnType<typeof ruleJson> | undefined
  words: (session: string, id: number) => string
}

export const nameOf = ({ tracepoint }: TracepointState): string =>
  `${tracepoint.provider}:${tracepoint.event}`

export function listCommand(): Command {
  return new Command('list')
    .summary('their tracepoints: level, fields, and where they are on')
    .description('Lists tracepoints: level, fields, and where they are on by which rule.')
    .argument('[pattern]')
    .addOption(pidOption())
    .addOption(relayOption())
    .addOption(jsonOption())
    .addHelpText('after', "\nExample: blkin list -p 'server*' 'blockstore:*'")
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

/** Says which names are near, for a pattern that covers none of them. */
export function nothingText(pattern: string, names: string[]): string {
  const near = nearest(pattern, names)
  const instead =
    near.length > 0
      ? `nearest: ${near.join(', ')}`
      : names.length > 0
        ? `there are ${[...new Set(names.map((name) => `${name.split(':')[0]}:*`))].join(', ')}`
        : 'none is declared'
  return `no tracepoint matches ${pattern}; ${instead}`
}

async function ofProcess({ control, state }: Target): Promise<Listed> {
  const find = (session: string, id: number) =>
    state.sessions.find(({ spec }) => spec.name === session)?.rules.find((rule) => rule.id === id)
  return {
    pid: state.pid,
    program: state.program,
    tracepoints: await control.tracepoints(),
    rule: (session, id) => {
      const rule = find(session, id)
      return rule && ruleJson(rule)
    },
    words: (session, id) => {
      const rule = find(session, id)
      const conditions = rule === undefined ? '' : conditionsText(rule)
      return rule === undefined ? '' : ` "${rule.pattern}"${conditions === '' ? '' : ` ${conditions}`}`
    },
  }
}

/** A relay knows what is declared, and not what is on: that is each process's own to say. */
async function fleetListed(fleet: import('@blkin/relay').Fleet, target?: string): Promise<Listed[]> {
  const named = target === undefined ? () => true : compileGlob(target)
  const processes = (await fleet.processes()).filter(({ program }) => named(program))
  if (processes.length === 0) throw new NothingError('the relay knows no such process')
  return Promise.all(
    processes.map(async ({ pid, program, sessions }) => {
      const uuid = sessions.find(({ connected }) => connected)?.uuid ?? sessions[0]?.uuid
      const tracepoints = uuid === undefined ? [] : await fleet.tracepoints(uuid)
      return {
        ...{ pid, program, rule: () => undefined, words: () => '' },
        tracepoints: tracepoints.map((tracepoint) => ({ tracepoint, on: [] })),
      }
    }),
  )
}

function printListed(all: Listed[]): void {
  for (const { pid, program, tracepoints, rule } of all) {
    for (const { tracepoint, on } of tracepoints) {
      const { provider, event, level, fields } = tracepoint
      printJson({
        ...{ pid, program, provider, event, level: levelNames[level] },
        fields: fields.map((field) => ({ name: field.name, type: typeText(field) })),
        on: on.map((one) => ({ session: one.session, ...(rule(one.session, one.rule) ?? { id: one.rule }) })),
      })
    }
  }
}

/** Pure. */
export function renderListed(all: Listed[], style: Style): string[] {
  const groups = new Map<string, { program: string; pids: number[]; rows: string[][] }>()
  for (const { pid, program, tracepoints, words } of all) {
    if (tracepoints.length === 0) continue
    const rows = tracepoints.map((one) => rowOf(one, words, style))
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
      style.bold(`${program} (${pids.join(', ')})`),
      style.dim(heads),
      ...lines,
    ]
  })
}

function rowOf(one: TracepointState, words: Listed['words'], style: Style): string[] {
  const on = one.on.map(({ session, rule }) => `${session} by ${rule}${words(session, rule)}`).join('; ')
  const fields = one.tracepoint.fields.map((field) => `${field.name}: ${typeText(field)}`).join(', ')
  return [
    nameOf(one),
    levelNames[one.tracepoint.level] ?? String(one.tracepoint.level),
    on === '' ? style.dim('off') : on,
    fields === '' ? '-' : fields,
  ]
}
