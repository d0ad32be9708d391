// lib/cli/verbs/ps.ts: `blkin ps`: the traced processes of this user, or of a relay: what sessions they have, how many events
// a second reach the relay, what was lost. The rate is that of half a second, between two answers of the process.
import { setTimeout as sleep } from 'node:timers/promises'
import type { FleetProcess, Lost, ProcessState, SessionState } from '@blkin/relay'
import { Command } from 'commander'
import { compileGlob } from '../names/glob.js'
import { ending, NothingError } from '../options/exit.js'
import { type FleetFlags, jsonOption, pidOption, relayOption } from '../options/flags.js'
import { grouped, short, uptime } from '../print/amounts.js'
import { addLost, cures, lostOf, type Rings } from '../print/losses.js'
import { note, print, printJson, type Style, styleFor } from '../print/print.js'
import { stateText } from '../print/state-text.js'
import { renderTable } from '../print/table.js'
import { processText, visible } from '../print/visible.js'
import { type Target, withProcesses } from '../process/find.js'
import { withFleet } from '../relay/fleet.js'

interface Flags extends FleetFlags {
  json?: boolean
}

const apartMs = 500

export interface Sampled {
  pid: number
  program: string
  host: string
  startedAt: bigint
  /** Events a second that the relay took. */
  rate: number
  lost: Lost
  /** Of the session that lost most, where they are known. */
  rings?: Rings | undefined
  sessions: { name: string; state: string; more: object }[]
}

export function psCommand(): Command {
  return new Command('ps')
    .summary('traced processes: sessions, events a second, losses, relay')
    .description('Lists traced processes: sessions, events a second, losses, the relay.')
    .addOption(pidOption())
    .addOption(relayOption())
    .addOption(jsonOption())
    .addHelpText('after', ending("blkin ps -p 'server*'"))
    .action(run)
}

async function run({ pid, relay, json }: Flags): Promise<void> {
  const rows = await (relay === undefined
    ? withProcesses(pid, sampleTargets)
    : withFleet(relay, (fleet) => sampleFleet(() => fleet.processes(), pid)))
  if (json) for (const row of rows) printJson(psJson(row))
  else for (const line of renderPs(rows, Date.now(), styleFor(process.stdout))) print(line)
  for (const { pid, program, lost, rings } of rows)
    for (const line of cures(lost, rings)) note(`${processText({ pid, program })} ${line}`)
}

const eventsOf = (state: { sessions: readonly { events: number }[] }): number =>
  state.sessions.reduce((sum, { events }) => sum + events, 0)

async function sampleTargets(targets: Target[]): Promise<Sampled[]> {
  const began = performance.now()
  await sleep(apartMs)
  const rows = await Promise.all(
    targets.map(async ({ control, state }) => {
      const later = await control.process().catch(() => undefined) // it may have ended meanwhile
      return later && ofProcess(state, later, (performance.now() - began) / 1000)
    }),
  )
  return rows.filter((row) => row !== undefined)
}

function ofProcess(before: ProcessState, now: ProcessState, seconds: number): Sampled {
  return {
    ...{ pid: now.pid, program: now.program, host: now.hostname, startedAt: now.startedAt },
    rate: Math.max(0, eventsOf(now) - eventsOf(before)) / seconds,
    lost: addLost(now.sessions.map(({ lost }) => lost)),
    rings: now.sessions.toSorted((a, b) => lostOf(b.lost) - lostOf(a.lost))[0]?.spec.channel,
    sessions: now.sessions.map((session) => ({
      name: session.spec.name,
      state: stateText(session),
      more: sessionJson(session),
    })),
  }
}

function sessionJson({
  spec,
  uuid,
  relayState,
  relayError,
  events,
  bytesSent,
  lost,
  rules,
  ...rest
}: SessionState) {
  const { name, relay, ack, channel, contexts, attached } = spec
  return {
    ...{ name, uuid, relay, relayState, ...(relayError === '' ? {} : { relayError }), ack, ...channel },
    ...{ contexts, attached, events, bytesSent, lost, rules: rules.length, ...rest },
  }
}

async function sampleFleet(processes: () => Promise<FleetProcess[]>, target?: string): Promise<Sampled[]> {
  const named = target === undefined ? () => true : compileGlob(target)
  const before = await processes()
  const began = performance.now()
  await sleep(apartMs)
  const seconds = (performance.now() - began) / 1000
  const now = (await processes()).filter(({ program }) => named(program))
  if (now.length === 0) throw new NothingError('the relay knows no such process')
  const key = ({ hostname, pid, startedAt }: FleetProcess) => `${hostname} ${pid} ${startedAt}`
  const earlier = new Map(before.map((one) => [key(one), eventsOf(one)]))
  return now.map((one) => ({
    ...{ pid: one.pid, program: one.program, host: one.hostname, startedAt: one.startedAt },
    rate: Math.max(0, eventsOf(one) - (earlier.get(key(one)) ?? 0)) / seconds,
    lost: addLost(one.sessions.map(({ lost }) => lost)),
    sessions: one.sessions.map((session) => ({
      ...{ name: session.name, state: session.connected ? 'connected' : 'gone' },
      more: session,
    })),
  }))
}

const psJson = ({ pid, program, host, startedAt, rate, lost, sessions }: Sampled) => ({
  ...{ pid, program, host, startedAt: new Date(Number(startedAt / 1_000_000n)).toISOString() },
  ...{ eventsPerSecond: Math.round(rate), lost: lostOf(lost), sessions: sessions.map(({ more }) => more) },
})

const lostText = (lost: Lost, style: Style): string =>
  lostOf(lost) > 0 ? style.warn(grouped(lostOf(lost))) : '0'

/** Pure. A line a process, and one more for each further session. */
export function renderPs(rows: readonly Sampled[], now: number, style: Style): string[] {
  const right = true
  const columns = [
    { head: 'PID', right },
    { head: 'NAME' },
    { head: 'UP', right },
    { head: 'EVENTS/S', right },
    { head: 'LOST', right },
    { head: 'SESSION' },
    { head: 'RELAY' },
  ]
  const cells = rows.flatMap(({ pid, program, startedAt, rate, lost, sessions }) => {
    const up = uptime(now / 1000 - Number(startedAt) / 1e9)
    const first = [String(pid), visible(program), up, short(rate), lostText(lost, style)]
    const [one = { name: '-', state: '-' }, ...more] = sessions
    return [
      [...first, visible(one.name), visible(one.state)],
      ...more.map(({ name, state }) => ['', '', '', '', '', visible(name), visible(state)]),
    ]
  })
  const [head = '', ...lines] = renderTable(columns, cells)
  return [style.dim(head), ...lines]
}
