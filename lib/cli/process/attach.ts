// lib/cli/process/attach.ts: one more session in running processes, which ends with this command however it ends: the processes
// are left as they were. record -p, tail and top attach; their relay is in this process, and nobody else can send to it.
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionError, Control, Refusal, RuleRequest, SessionSpec } from '@blkin/relay'
import { nameOf, nothingText } from '../names/tracepoints.js'
import { exitCodes } from '../options/exit.js'
import type { ChannelFlags } from '../options/flags.js'
import { count } from '../print/amounts.js'
import { note } from '../print/print.js'
import { processText } from '../print/visible.js'
import { misfits, misfitsOf } from './filter.js'
import type { Target } from './find.js'
import { defaultChannel, mergeSpec } from './session.js'

/** For the events that are in the rings when it ends. */
const detachMs = 10_000
/** For a process to say whether it reaches the relay; it connects within milliseconds. */
const connectMs = 1000
const lookEveryMs = 10

export interface Attached {
  /** Those that took the session. */
  readonly targets: readonly Target[]
  /** Tracepoints covered now, in all of them. */
  readonly covered: number
  /** Resolves once all of them have ended, or have not answered a call in time. */
  readonly over: Promise<void>
  /** Ends the session in those that live, once their events are here. */
  detach(): Promise<void>
}

export async function attach(
  targets: Target[],
  rules: readonly RuleRequest[],
  flags: ChannelFlags,
  to: { purpose: string; relay: string; token: string },
): Promise<Attached> {
  const { purpose, relay, token } = to
  const name = `${purpose}-${process.pid}`
  const usual = {
    name,
    relay,
    token,
    ack: 'written',
    attached: true,
    contexts: [],
    channel: defaultChannel,
  } as const
  const spec = mergeSpec({ ...usual, contexts: [] }, flags)
  const taken = await Promise.all(targets.map((target) => open(target, spec, rules)))
  const held = targets.filter((_, i) => taken[i] !== undefined)
  if (held.length === 0) throw new Error('no process could be attached to')
  const covered = taken.reduce<number>((sum, one) => sum + (one ?? 0), 0)
  if (covered === 0) await tellNothing(held, rules)
  return {
    ...{ targets: held, covered },
    over: Promise.all(held.map(({ control }) => control.closed)).then(() => {}),
    detach: () => detach(held, name),
  }
}

/** How many tracepoints the rules cover there; undefined where it could not be attached to, which is told. */
async function open(
  { control, state }: Target,
  spec: SessionSpec,
  rules: readonly RuleRequest[],
): Promise<number | undefined> {
  try {
    await control.openSession(spec)
    let covered = 0
    const unfit = await misfitsOf(control, rules)
    for (const [i, rule] of rules.entries()) {
      const changed = await control.enable(spec.name, rule, unfit[i])
      covered += changed.covered
      for (const line of misfits(changed.unfit)) note(line)
    }
    const why = covered > 0 ? await whyNotReached(control, spec.name) : ''
    if (why === '') return covered
    await control.closeSession(spec.name, 0)
    throw new Error(`it does not reach this command's relay: ${why}`)
  } catch (error) {
    note(`${processText(state)}: ${(error as Error).message}`)
    process.exitCode = exitCodes.failed
    return undefined
  }
}

/** A process that is in a container, or changed its root, may not find the socket. Empty where nothing is in the way. */
async function whyNotReached(control: Control, name: string): Promise<string> {
  for (const end = performance.now() + connectMs; performance.now() < end; await sleep(lookEveryMs)) {
    const session = (await control.process()).sessions.find(({ spec }) => spec.name === name)
    if (session === undefined || session.relayState === 'connected') return ''
    if (session.relayError !== '') return session.relayError
  }
  return ''
}

async function tellNothing(targets: readonly Target[], rules: readonly RuleRequest[]): Promise<void> {
  const names = (await Promise.all(targets.map(({ control }) => control.tracepoints()))).flat().map(nameOf)
  for (const { pattern } of rules) note(`${nothingText(pattern, names)}; waiting for one that does`)
}

async function detach(targets: readonly Target[], name: string): Promise<void> {
  await Promise.all(
    targets.map(async ({ control, state }) => {
      const who = processText(state)
      const closed = await control
        .closeSession(name, detachMs)
        .catch(({ code }: ConnectionError | Refusal) => {
          // One that has ended sent what it had, or is recovered; a session that is not there, another command closed.
          if (code === 'ERR_BLKIN_AWAY' || code === 'ERR_BLKIN_REFUSED') return undefined
          note(
            `${who} did not answer; its session ends with this command, and what is in its rings may be lost`,
          )
          process.exitCode = exitCodes.failed
          return undefined
        })
      if (closed?.delivered === false)
        note(`${who}: not all of its events came within ${count(detachMs / 1000, 'second')}`)
    }),
  )
}
