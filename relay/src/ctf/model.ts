// relay/src/ctf/model.ts: what a trace is once its metadata is read, and the two things a reader meets in it.
// tsdl.ts makes the first, cursor.ts the second, text.ts and json.ts print them.

export type Scalar =
  | 'u8'
  | 'u16'
  | 'u32'
  | 'u64'
  | 'i8'
  | 'i16'
  | 'i32'
  | 'i64'
  | 'f32'
  | 'f64'
  | 'string'
  | 'bytes'

export interface TraceField {
  name: string
  type: Scalar
  /** An enum, bool included: names and values in the order declared; `type` is its container. */
  labels?: [string, number][]
  /** Elements of an array; 'counted' for a sequence; absent for one value. */
  length?: number | 'counted'
  /** 16: people read it in hexadecimal. */
  base?: 16
}

export interface TraceTracepoint {
  id: number
  provider: string
  event: string
  level: number
  fields: TraceField[]
}

export interface TraceInfo {
  folder: string
  uuid: string
  hostname: string
  program: string
  pid: number
  session: string
  bootId: string
  /** Nanoseconds from packet time to the epoch. */
  offset: bigint
  /** What stands before the fields of each event. */
  contexts: TraceField[]
  tracepoints: TraceTracepoint[]
}

/**
 * Integers beyond 2^53 are bigints, so none is ever rounded; an enum is its label, or its number where it has
 * none; a bool is true or false.
 */
export type TraceValue = number | bigint | string | boolean | Buffer | TraceValue[]

abstract class Item {
  constructor(
    readonly trace: TraceInfo,
    readonly stream: number,
    /** Seconds since the epoch, and the nanoseconds on top. */
    readonly seconds: number,
    readonly nanoseconds: number,
  ) {}

  /** Nanoseconds since the epoch. */
  get time(): bigint {
    return BigInt(this.seconds) * 1_000_000_000n + BigInt(this.nanoseconds)
  }
}

export class TraceEvent extends Item {
  readonly kind = 'event'

  constructor(
    trace: TraceInfo,
    stream: number,
    seconds: number,
    nanoseconds: number,
    readonly tracepoint: TraceTracepoint,
    readonly cpu: number,
    readonly context: Record<string, TraceValue> | undefined,
    readonly fields: Record<string, TraceValue>,
  ) {
    super(trace, stream, seconds, nanoseconds)
  }
}

/** Events that were refused in the process, or packets that are missing, somewhere from its time until `until`. */
export class TraceLoss extends Item {
  readonly kind = 'loss'

  constructor(
    trace: TraceInfo,
    stream: number,
    seconds: number,
    nanoseconds: number,
    readonly until: bigint,
    readonly events: bigint,
    readonly packets: bigint,
  ) {
    super(trace, stream, seconds, nanoseconds)
  }
}

/** A trace that cannot be read: the message is one line and begins with the path. */
export class TraceError extends Error {
  override name = 'TraceError'
  readonly code = 'ERR_BLKIN_TRACE'

  constructor(
    path: string,
    message: string,
    /** No trace at all, or not one of ours: nothing in it is broken. */
    readonly isForeign = false,
  ) {
    super(`${path}: ${message}`)
  }
}
