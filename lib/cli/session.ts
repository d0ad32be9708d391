// lib/cli/session.ts: the session of a traced process that a rule goes to: found there, changed where the flags say
// so, or opened. Called by enable.ts. A variable of the environment counts for a new session only: what happens to be
// exported in a shell must not move a running one to another relay or give it other rings.
import type { Channel, SessionSpec, SessionState } from '@blkin/relay'
import type { Target } from './find.js'
import type { ChannelFlags } from './flags.js'

export interface SessionFlags extends ChannelFlags {
  to?: string
}

export const defaultRelay = '127.0.0.1:4650'
export const defaultChannel: Channel = { subBuffers: 4, subBufferBytes: 2 ** 20, mode: 'discard' }

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
  JSON.stringify([a.relay, a.channel, a.contexts]) ===
  JSON.stringify([b.relay, ordered(b.channel, a.channel), b.contexts])

/** The keys of one in the order of the other's, so that their texts compare. */
function ordered(channel: Channel, like: Channel): Channel {
  return {
    ...Object.fromEntries(Object.keys(like).map((key) => [key, channel[key as keyof Channel]])),
    ...channel,
  } as Channel
}

/** `given`: what the command line itself said; `fallback`: with the environment's settings as well. */
export async function ensureSession(
  { control, state }: Target,
  name: string,
  given: SessionFlags,
  fallback: SessionFlags,
): Promise<SessionState> {
  const there = state.sessions.find(({ spec }) => spec.name === name)
  if (there !== undefined) {
    const wanted = mergeSpec(there.spec, given)
    return same(there.spec, wanted) ? there : control.changeSession(wanted)
  }
  const usual = state.sessions.find(({ spec }) => spec.name === 'default')?.spec
  const fresh: SessionSpec = {
    name,
    ack: 'written',
    attached: false,
    contexts: [],
    channel: defaultChannel,
    ...(fallback.mode?.mode === 'overwrite' ? {} : withRelay(usual?.relay ?? defaultRelay)),
  }
  return control.openSession(mergeSpec(fresh, fallback))
}
