// lib/cli/process/session.ts: the session of a traced process that a rule goes to: found there, changed where the flags say
// so, or opened. Called by enable.ts. A variable of the environment counts for a new session only: what happens to be
// exported in a shell must not move a running one to another relay or give it other rings.
import { isDeepStrictEqual } from 'node:util'
import type { Changed, Channel, Control, ProcessState, RuleRequest, SessionSpec } from '@blkin/relay'
import { defaultBuffer } from '../../buffer.js'
import { ownRelay } from '../../relay-address.js'
import { defaultName } from '../../session-spec.js'
import type { ChannelFlags } from '../options/flags.js'
import { misfitsOf } from './filter.js'
import type { Target } from './find.js'

export interface SessionFlags extends ChannelFlags {
  to?: string
}

export const defaultChannel: Channel = { ...defaultBuffer, mode: 'discard' }

/** What the flags say over what is there, or over the defaults. */
export function mergeSpec(before: SessionSpec, flags: SessionFlags): SessionSpec {
  const { blockMs, ...geometry } = before.channel
  const mode = flags.mode ?? (blockMs === undefined ? {} : { blockMs })
  return {
    ...before,
    ...(flags.to === undefined ? {} : withRelay(flags.to)),
    channel: { ...geometry, ...flags.buffer, ...mode },
    contexts: flags.context ?? before.contexts,
  }
}

function withRelay(to: string): Pick<SessionSpec, 'relay' | 'token'> {
  const { BLKIN_TOKEN: token } = process.env
  return { relay: to, ...(token ? { token } : {}) }
}

const same = (a: SessionSpec, b: SessionSpec): boolean =>
  a.relay === b.relay && isDeepStrictEqual([a.channel, a.contexts], [b.channel, b.contexts])

/**
 * Gives the rules to the session. `given`: what the command line itself said; `fallback`: with the environment's settings
 * as well. The session `default` a process opens itself, as its own environment says, when it gets the first rule.
 */
export async function enableInSession(
  { control, state }: Pick<Target, 'control' | 'state'>,
  name: string,
  rules: readonly RuleRequest[],
  given: SessionFlags,
  fallback: SessionFlags,
): Promise<Changed[]> {
  const find = ({ sessions }: ProcessState) => sessions.find(({ spec }) => spec.name === name)?.spec
  const there = find(state)
  const opened = there === undefined && name !== defaultName
  if (opened) {
    await control.openSession(mergeSpec(freshSpec(name, state, fallback), fallback))
  } else if (there !== undefined) await change(control, there, given)
  const changes: Changed[] = []
  try {
    const unfit = await misfitsOf(control, rules)
    for (const [i, rule] of rules.entries()) changes.push(await control.enable(name, rule, unfit[i]))
  } catch (error) {
    if (opened && changes.length === 0) await control.closeSession(name, 0).catch(() => {})
    throw error
  }
  if (there === undefined && name === defaultName && Object.keys(given).length > 0) {
    const made = find(await control.process())
    if (made !== undefined) await change(control, made, given)
  }
  return changes
}

async function change(control: Control, there: SessionSpec, given: SessionFlags): Promise<void> {
  const wanted = mergeSpec(there, given)
  if (same(there, wanted)) return
  const { BLKIN_TOKEN: token } = process.env // no answer tells it, so it has to be said again
  await control.changeSession({ ...wanted, ...(token ? { token } : {}) })
}

/** Sends where the process's default session sends; an overwriting one sends nowhere until it is told to. */
function freshSpec(name: string, state: ProcessState, { mode }: SessionFlags): SessionSpec {
  const usual = state.sessions.find(({ spec }) => spec.name === defaultName)?.spec
  return {
    ...{ name, ack: 'written', attached: false, contexts: [], channel: defaultChannel },
    ...(mode?.mode === 'overwrite' ? {} : withRelay(usual?.relay ?? ownRelay())),
  }
}
