// lib/session-spec.ts: what a session is made of, from options, flags and the environment, checked. Pure.
import { parseBuffer } from './buffer.js'
import type { NativeSession } from './native.js'
import { parseRelay } from './relay-address.js'

export const defaultName = 'default'

/** Mode of idl/blkin.thrift. */
export const modes = { discard: 1, overwrite: 2, block: 3 } as const

export interface SessionOptions {
  /** HOST:PORT or unix:PATH of the relay that gets the events; null: none, the newest stay in memory. Default: BLKIN_RELAY's. */
  readonly relay?: string | null | undefined
  /** What the relay asks for, if it does. Default: BLKIN_TOKEN's. */
  readonly token?: string | undefined
  /** A ring's sub-buffers and the size of one: "4x1M". */
  readonly buffer?: string | undefined
  /**
   * What a full ring does: "discard" refuses what is new, "overwrite" gives up what is oldest, "block" or "block:MS" lets
   * the emitter wait for room, MS milliseconds (100) at the most.
   */
  readonly mode?: string | undefined
  /** Names of contexts that each event carries: docs/control.md. */
  readonly contexts?: readonly string[] | undefined
  /** When an event counts as stored: once "written" by the relay, or once "synced" to its disk. */
  readonly ack?: 'written' | 'synced' | undefined
}

const blockMsDefault = 100

/** @throws TypeError naming what was given. */
export function parseMode(text: string): { mode: number; blockMs: number } {
  const [, name, ms] = /^(discard|overwrite|block)(?::(\d{1,4}))?$/.exec(text) ?? []
  const blockMs = name === 'block' ? Number(ms ?? blockMsDefault) : 0
  if (
    name !== undefined &&
    (ms === undefined || name === 'block') &&
    (name !== 'block' || (blockMs >= 1 && blockMs <= 1000))
  )
    return { mode: modes[name as keyof typeof modes], blockMs }
  throw new TypeError(
    `mode ${JSON.stringify(text)}: expected discard, overwrite, block or block:MS, 1 to 1000`,
  )
}

export function formatMode(mode: number, blockMs: number): string {
  const name = Object.keys(modes).find((key) => modes[key as keyof typeof modes] === mode) ?? String(mode)
  return mode === modes.block ? `${name}:${blockMs}` : name
}

export function checkSessionName(name: unknown): string {
  if (typeof name === 'string' && /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$/.test(name)) return name
  throw new TypeError(
    `session ${JSON.stringify(name)}: expected 1 to 64 letters, digits and _ . -, no dot first`,
  )
}

/** `base` gives what the options do not. */
export function sessionSpec(name: string, options: SessionOptions, base: NativeSession): NativeSession {
  const { relay = base.relay } = options
  const { ack } = options
  if (ack !== undefined && ack !== 'written' && ack !== 'synced')
    throw new TypeError(`ack ${JSON.stringify(ack)}: expected written or synced`)
  return {
    ...base,
    name: checkSessionName(name),
    relay: relay === null || relay === undefined ? undefined : parseRelay(relay),
    ...(options.token === undefined ? {} : { token: options.token }),
    ...(ack === undefined ? {} : { synced: ack === 'synced' }),
    ...(options.buffer === undefined ? {} : parseBuffer(options.buffer)),
    ...(options.mode === undefined ? {} : parseMode(options.mode)),
    ...(options.contexts === undefined ? {} : { contexts: [...options.contexts] }),
  }
}
