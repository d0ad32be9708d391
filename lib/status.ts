// lib/status.ts: what goes on in this process's tracing, and the wait until what was emitted is stored.
import { applyEnvironment } from './environment.js'
import { type Level, levelNames } from './levels.js'
import { isNative, loadError, native } from './native.js'

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
}

export interface Status {
  readonly native: boolean
  /** Why not, where `native` is false. */
  readonly loadError?: string
  readonly tracepoints: { readonly declared: number; readonly enabled: number }
  readonly rules: readonly {
    readonly pattern: string
    /** False for what disable(pattern) left standing over other rules. */
    readonly on: boolean
    readonly level: Level
    readonly exclude: readonly string[]
  }[]
  readonly relay: {
    readonly address: string
    readonly state: 'idle' | 'connecting' | 'connected' | 'refused'
    readonly error?: string
    /** Events that the relay has said are stored. */
    readonly acknowledged: number
    readonly bytesSent: number
    readonly putsInFlight: number
  }
  readonly lost: Lost
  readonly buffers: {
    /** One ring a CPU (rseq), or one a thread where the kernel or libc has no rseq. */
    readonly kind?: 'cpu' | 'thread'
    readonly clock?: 'tsc' | 'monotonic'
    /** Where the rings lie; a killed process is recovered from there. */
    readonly folder?: string
    readonly error?: string
    /** Bytes written and bytes given back, since the ring was made. */
    readonly rings: readonly { readonly stream: number; readonly head: number; readonly tail: number }[]
  }
  /** Names this process's trace; there once something was switched on. */
  readonly uuid?: string
}

/** A copy of the counters and states of this moment. Costs microseconds: not for the hot path. */
export function status(): Status {
  applyEnvironment()
  const now = native?.status()
  const error = now?.ringError || now?.folderError
  return {
    native: isNative,
    ...(loadError === undefined ? {} : { loadError: loadError.message }),
    tracepoints: { declared: now?.tracepoints ?? 0, enabled: now?.enabled ?? 0 },
    rules: (now?.rules ?? []).map((rule) => ({ ...rule, level: levelNames[rule.level] as Level })),
    relay: {
      address: now?.relay ?? '',
      state: now?.relayState ?? 'idle',
      ...(now?.relayError ? { error: now.relayError } : {}),
      acknowledged: now?.acknowledged ?? 0,
      bytesSent: now?.bytesSent ?? 0,
      putsInFlight: now?.putsInFlight ?? 0,
    },
    lost: now?.lost ?? { noRoom: 0, tooBig: 0, badValue: 0, noRing: 0 },
    buffers: {
      ...(now?.ringKind ? { kind: now.ringKind } : {}),
      ...(now?.clock ? { clock: now.clock } : {}),
      ...(now?.folder ? { folder: now.folder } : {}),
      ...(error ? { error } : {}),
      rings: now?.rings ?? [],
    },
    ...(now?.uuid ? { uuid: now.uuid.toString('hex') } : {}),
  }
}

/**
 * Waits until every event emitted before the call is stored at the relay.
 *
 * @param milliseconds how long to wait at the most
 * @returns false when the relay did not say so in that time; the events stay in the rings and go on being sent
 */
export async function flush(milliseconds = 5000): Promise<boolean> {
  if (!(milliseconds >= 0 && milliseconds <= 2 ** 31)) {
    throw new RangeError(`flush: the time is ${milliseconds}; expected milliseconds from 0 to ${2 ** 31}`)
  }
  return native === undefined ? true : native.flush(Math.ceil(milliseconds))
}
