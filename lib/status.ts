// lib/status.ts: what goes on in this process's tracing, and the wait until what was emitted is stored.
import { applyEnvironment } from './environment.js'
import { type Level, levelNames } from './levels.js'
import { isNative, loadError, type NativeSessionStatus, native } from './native.js'
import { formatSample } from './sample.js'
import { defaultName, formatMode } from './session-spec.js'
import { type SpanCounts, spanCounts } from './trace/counts.js'
import { type TransformCounts, transformCounts } from './transform/counts.js'

/** Events refused since the process started, by what to change. */
export interface Lost {
  /** The ring was full: a larger buffer, or fewer events. */
  readonly noRoom: number
  /** The payload is over 3,984 bytes. */
  readonly tooBig: number
  /** A field was missing or not of its type. */
  readonly badValue: number
  /** No ring could be made: see `buffers.error`. */
  readonly noRing: number
  /** Newer events took their place: in overwrite mode only. */
  readonly overwritten: number
  /** The relay had stored them, and its disk lost them: in a power cut, say. */
  readonly unstored: number
}

/** Who gave a rule: this program, a controller, this user's standing rules, or the relay. */
export type Origin = 'program' | 'control' | 'standing' | 'relay'

export interface RuleStatus {
  readonly pattern: string
  /** False for what disable(pattern) left standing over other rules. */
  readonly on: boolean
  readonly level: Level
  /** Just this level, where true; at least as severe, where false. */
  readonly exactly: boolean
  readonly exclude: readonly string[]
  readonly filter?: string
  /** Such as "1/100". */
  readonly sample?: string
  readonly origin: Origin
}

export interface SessionStatus {
  readonly name: string
  /** Tracepoints that are on in this session. */
  readonly enabled: number
  /** In the order in which they were given: of those that cover a tracepoint the last decides. */
  readonly rules: readonly RuleStatus[]
  readonly relay: {
    /** Empty where events stay in memory. */
    readonly address: string
    readonly state: 'idle' | 'connecting' | 'connected' | 'refused' | 'none'
    readonly error?: string
    /** Events that the relay has said are stored. */
    readonly acknowledged: number
    readonly bytesSent: number
    readonly putsInFlight: number
  }
  readonly lost: Lost
  readonly buffers: {
    /** COUNTxBYTES of each ring. */
    readonly size?: string
    /** discard, overwrite or block:MS. */
    readonly mode?: string
    /** One ring a CPU (rseq), or one a thread where the kernel or libc has no rseq. */
    readonly kind?: 'cpu' | 'thread'
    readonly clock?: 'tsc' | 'monotonic'
    /** Where the rings lie; a killed process is recovered from there. */
    readonly folder?: string
    /** Where those lie that `folder` did not take: it was full, or the process has become another user. */
    readonly spareFolder?: string
    /** Rings that no folder took, for `error`: a kill loses what they hold. */
    readonly inMemory?: number
    readonly error?: string
    readonly rings: readonly {
      /** `spans`: of the events that spans are made of. */
      readonly channel: 'events' | 'spans'
      readonly stream: number
      /** Bytes written and bytes given back, since the ring was made. */
      readonly head: number
      readonly tail: number
    }[]
  }
  readonly contexts: readonly string[]
  /** Opened by a controller, and gone with it. */
  readonly attached: boolean
  /** Names this session's trace; there once something was switched on. */
  readonly uuid?: string
}

/** Of the process, and of its default session. */
export interface Status extends Omit<SessionStatus, 'name' | 'enabled' | 'attached'> {
  readonly native: boolean
  /** Why not, where `native` is false. */
  readonly loadError?: string
  readonly tracepoints: { readonly declared: number; readonly enabled: number }
  /** Of the thread that asks. */
  readonly spans: SpanCounts
  /** What `blkin/register` made static in the thread that asks: modules, calls in them, and calls left as they are. */
  readonly transform: TransformCounts
  /** Where controllers find this process; `error` says why they do not. */
  readonly control: { readonly folder?: string; readonly error?: string }
  /** All of them, the default one too. */
  readonly sessions: readonly SessionStatus[]
}

const origins: Record<number, Origin> = { 1: 'program', 2: 'control', 3: 'standing', 4: 'relay' }

function ruleStatus(rule: NativeSessionStatus['rules'][number]): RuleStatus {
  return {
    pattern: rule.pattern,
    on: rule.on,
    level: levelNames[rule.level] as Level,
    exactly: rule.exactly,
    exclude: rule.exclude,
    ...(rule.filter === '' ? {} : { filter: rule.filter }),
    ...(rule.keep === rule.of ? {} : { sample: formatSample(rule) }),
    origin: origins[rule.origin] as Origin,
  }
}

function sessionStatus(now: NativeSessionStatus): SessionStatus {
  const error = now.ringError || now.memoryError || now.folderError
  return {
    name: now.name,
    enabled: now.enabled,
    rules: now.rules.map(ruleStatus),
    relay: {
      address: now.relay,
      state: now.relayState,
      ...(now.relayError ? { error: now.relayError } : {}),
      acknowledged: now.acknowledged,
      bytesSent: now.bytesSent,
      putsInFlight: now.putsInFlight,
    },
    lost: now.lost,
    buffers: {
      size: `${now.subBuffers}x${now.subBufferBytes}`,
      mode: formatMode(now.mode, now.blockMs),
      kind: now.ringKind,
      clock: now.clock,
      ...(now.folder ? { folder: now.folder } : {}),
      ...(now.spareFolder ? { spareFolder: now.spareFolder } : {}),
      ...(now.ringsInMemory ? { inMemory: now.ringsInMemory } : {}),
      ...(error ? { error } : {}),
      rings: now.rings,
    },
    contexts: now.contexts,
    attached: now.attached,
    uuid: Buffer.from(now.uuid).toString('hex'),
  }
}

const noSession = {
  rules: [],
  lost: { noRoom: 0, tooBig: 0, badValue: 0, noRing: 0, overwritten: 0, unstored: 0 },
  buffers: { rings: [] },
  contexts: [],
}

/** A copy of the counters and states of this moment. Costs microseconds: not for the hot path. */
export function status(): Status {
  applyEnvironment()
  const now = native?.status()
  const sessions = (now?.sessions ?? []).map(sessionStatus)
  const { name, enabled, attached, ...session } = sessions.find((one) => one.name === defaultName) ?? {
    ...noSession,
    ...{ name: defaultName, enabled: 0, attached: false },
    relay: { address: now?.relay ?? '', state: 'idle', acknowledged: 0, bytesSent: 0, putsInFlight: 0 },
  }
  return {
    native: isNative,
    ...(loadError === undefined ? {} : { loadError: loadError.message }),
    tracepoints: { declared: now?.tracepoints ?? 0, enabled: now?.enabled ?? 0 },
    spans: spanCounts(),
    transform: transformCounts(),
    ...session,
    control: {
      ...(now?.folder ? { folder: now.folder } : {}),
      ...(now?.controlError ? { error: now.controlError } : {}),
    },
    sessions,
  }
}

/**
 * Waits until every event emitted before the call is stored at the relays of all sessions.
 *
 * @param milliseconds how long to wait at the most
 * @returns false when a relay did not say so in that time; the events stay in the rings and go on being sent
 */
export async function flush(milliseconds = 5000): Promise<boolean> {
  return flushSession('', milliseconds)
}

/** Of one session; of all where the name is empty. */
export async function flushSession(session: string, milliseconds: number): Promise<boolean> {
  const wait = checkWait('flush', milliseconds)
  return native === undefined ? true : native.flush(session, wait)
}

/** @throws RangeError for a time that is none */
export function checkWait(what: string, milliseconds: number): number {
  if (milliseconds >= 0 && milliseconds <= 2 ** 31) return Math.ceil(milliseconds)
  throw new RangeError(`${what}: the time is ${milliseconds}; expected milliseconds from 0 to ${2 ** 31}`)
}
