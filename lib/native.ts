// lib/native.ts: the addon, that of an earlier copy where there is one. Where it cannot be loaded tracing is off and says why:
// a service never fails to start because of its tracer, unless BLKIN_REQUIRE_NATIVE=1 asks for that.
import { isMainThread } from 'node:worker_threads'
import { loadAddon } from './addon.js'
import { elsewhere } from './copies.js'
import type { FieldDescription } from './types.js'
import { version } from './version.js'

export interface NativeRule {
  pattern: string
  exclude: readonly string[]
  level: number
  exactly: boolean
  keep: number
  of: number
  /** '': none. */
  filter: string
  /** Tracepoints that the filter does not fit, by id, and why. */
  unfit: readonly (readonly [number, string])[]
}

export interface NativeSession {
  name: string
  /** Missing: none. */
  relay?: string | undefined
  token: string
  synced: boolean
  subBuffers: number
  subBufferBytes: number
  /** Mode of idl/blkin.thrift. */
  mode: number
  blockMs: number
  contexts: readonly string[]
}

export interface NativeSettings {
  program: string
  version: string
  lease: boolean
  monotonic: boolean
  listens: boolean
  session: NativeSession
}

export interface NativeLost {
  noRoom: number
  tooBig: number
  badValue: number
  noRing: number
  overwritten: number
  unstored: number
}

export interface NativeSessionStatus {
  name: string
  relay: string
  subBufferBytes: number
  subBuffers: number
  mode: number
  blockMs: number
  contexts: string[]
  attached: boolean
  rules: {
    id: number
    on: boolean
    pattern: string
    level: number
    exactly: boolean
    exclude: string[]
    keep: number
    of: number
    filter: string
    origin: number
  }[]
  enabled: number
  lost: NativeLost
  uuid: Uint8Array
  clock: 'tsc' | 'monotonic'
  rings: { channel: 'events' | 'spans'; stream: number; head: number; tail: number }[]
  ringKind: 'cpu' | 'thread'
  folder: string
  folderError: string
  spareFolder: string
  ringError: string
  ringsInMemory: number
  memoryError: string
  relayState: 'idle' | 'connecting' | 'connected' | 'refused' | 'none'
  relayError: string
  acknowledged: number
  bytesSent: number
  putsInFlight: number
}

export interface NativeStatus {
  relay: string
  tracepoints: number
  enabled: number
  folder: string
  controlError: string
  sessions: NativeSessionStatus[]
}

/** What a session asks before it takes an event, and which of its rules says so. */
export interface NativeGate {
  session: number
  rule: number
  keep: number
  of: number
  /** '': none. */
  filter: string
  /** Of the contexts that the session's events carry those that are filled here, a bit each slot. */
  contexts: number
}

/** native/addon/environment.hpp lists the same. */
/** A session of a dead process. */
export interface NativeRecovered {
  uuid: Uint8Array
  folder: string
  /** Brought by this call. */
  events: number
  /** Had been given up for room before, and were told to the relay as lost. */
  givenUp: number
  delivered: boolean
  error: string
}

export interface Native {
  /** True: rules have changed since the event was asked, so it is to be asked and put again. */
  emit(): boolean | undefined
  nothing(): void
  mixedEmitter(id: number): (...parts: unknown[]) => boolean | undefined
  staging(): ArrayBuffer
  flags(): ArrayBuffer
  generations(): ArrayBuffer
  gates(id: number): { generation: number; gates: NativeGate[] }
  /** Notes that a rule's filter does not fit a tracepoint, so that the rule before it decides. */
  unfit(session: number, rule: number, id: number, why: string): void
  /** Tracepoints that the rule covers, as they were declared. */
  covered(rule: NativeRule): { id: number; provider: string; event: string; fields: FieldDescription[] }[]
  /** In the order of their slots. */
  contexts(): { name: string; type: number }[]
  cpu(): number
  contextBlock(): ArrayBuffer
  refuse(id: number): void
  configure(settings: NativeSettings): boolean
  declare(tracepoint: {
    provider: string
    event: string
    level: number
    schema: string
    fields: FieldDescription[]
  }): number | string
  addContext(name: string, type: number): number | string
  handOver(threadId: number, text: string): void
  takeOver(threadId: number): string | undefined
  enable(session: string, rule: NativeRule): { rule: number; covered: number; unfit: string[] }
  disable(session: string, which: number | string): void
  openSession(spec: NativeSession): void
  changeSession(spec: NativeSession): void
  closeSession(name: string, milliseconds: number): Promise<boolean>
  status(): NativeStatus
  flush(session: string, milliseconds: number): Promise<boolean>
  leave(): void
  recover(options: {
    /** Of a socket, in place of host and port. */
    path?: string
    host: string
    port: string
    token: string
    timeout: number
    cancel?: Int32Array
    known?: Uint8Array
  }): Promise<NativeRecovered[]>
  /** Never waits: where it would have to, nothing is written. */
  writeStderr(text: string): void
}

/** Every function of the addon; a test compares with what it has. */
export const nativeNames = [
  'emit', 'nothing', 'mixedEmitter', 'staging', 'flags', 'generations', 'gates', 'unfit', 'covered', 'contexts', 'cpu',
  'contextBlock', 'refuse',
  'configure', 'declare', 'addContext', 'handOver', 'takeOver', 'enable', 'disable', 'openSession', 'changeSession',
  'closeSession', 'status', 'flush', 'leave', 'recover', 'writeStderr',
] as const satisfies readonly (keyof Native)[] // biome-ignore format: a list

/** @throws Error where the addon is that of another version, as one that was left beside a bundle */
function checked(addon: Partial<Native>): Native {
  const missing = nativeNames.find((name) => typeof addon[name] !== 'function')
  if (missing === undefined) return addon as Native
  throw new Error(`the addon has no ${missing}(): it is of another version of blkin than ${version}`)
}

function load(): { native: Native } | { error: Error } {
  if (elsewhere?.native !== undefined) return { native: elsewhere.native }
  try {
    return { native: checked(loadAddon() as Partial<Native>) }
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)) }
  }
}

const loaded = load()

if ('error' in loaded && process.env.BLKIN_REQUIRE_NATIVE === '1') {
  throw new Error(`BLKIN_REQUIRE_NATIVE is 1 and the addon could not be loaded: ${loaded.error.message}`, {
    cause: loaded.error,
  })
}

export const native: Native | undefined = 'native' in loaded ? loaded.native : undefined

// The process's own end, of which Workers' ends are no part.
if (isMainThread) process.once('exit', () => native?.leave())

/** True when events can be recorded; false when every tracepoint is a silent no-op, for `loadError`. */
export const isNative: boolean = native !== undefined

/** Why the addon could not be loaded; undefined when it was. */
export const loadError: Error | undefined = 'error' in loaded ? loaded.error : undefined
