// relay/src/control/types.ts: what a controller and a traced process, or a relay, say to each other, as plain objects.
// convert.ts turns the wire's structs into these and back; who calls Control or Fleet sees nothing else.
// Numbers are numbers where 2^53 is enough, times are bigints of nanoseconds, a tracepoint is the reader's.

import type { TraceTracepoint } from '../ctf/model.js'

export type Origin = 'program' | 'control' | 'standing' | 'relay'

export interface Sample {
  keep: number
  of: number
}

/** What a controller asks for. Missing: no exclusions, level 14, at least, every event, no filter. */
export interface RuleRequest {
  pattern: string
  /** False for a rule that switches off. */
  on?: boolean
  exclude?: readonly string[]
  level?: number
  /** Only this level, instead of this and all more severe. */
  exactly?: boolean
  sample?: Sample
  /** Its text. */
  filter?: string
  /** Which programs, by name, `*` for any run of characters: for a relay's rules and for standing ones. */
  target?: string
}

export interface Rule extends Required<Omit<RuleRequest, 'sample' | 'filter' | 'target'>> {
  id: number
  exclude: string[]
  sample?: Sample
  filter?: string
  target?: string
  origin: Origin
}

export type Ack = 'written' | 'synced'
export type Mode = 'discard' | 'overwrite' | 'block'

export interface Channel {
  subBufferBytes: number
  subBuffers: number
  mode: Mode
  blockMs?: number
}

export interface SessionSpec {
  name: string
  /** HOST:PORT; missing for a session whose newest events stay in memory. */
  relay?: string
  token?: string
  ack: Ack
  channel: Channel
  contexts: string[]
  /** Ends with the connection that opened it. */
  attached: boolean
}

/** Events refused, by reason, since the session was opened. */
export interface Lost {
  noRoom: number
  tooBig: number
  badValue: number
  noRing: number
  overwritten: number
  unstored: number
}

export interface SessionState {
  spec: SessionSpec
  /** As in the name of its trace's metadata: 8-4-4-4-12 hexadecimal digits. */
  uuid: string
  relayState: 'idle' | 'connecting' | 'connected' | 'refused' | 'none'
  relayError: string
  events: number
  bytesSent: number
  lost: Lost
  rules: Rule[]
  enabled: number
  ringBytes: number
}

export interface ProcessState {
  pid: number
  program: string
  startedAt: bigint
  hostname: string
  version: string
  tracepoints: number
  sessions: SessionState[]
  /** That its filters may ask for, each with its type's number. */
  contexts?: { name: string; type: number }[]
}

export interface TracepointState {
  tracepoint: TraceTracepoint
  /** The sessions where it is on, each with the id of the rule that says so. */
  on: { session: string; rule: number }[]
}

/** What is on in one session of a relay's process. */
export interface Enabled {
  /** Those that switch on, as many as the process could tell. */
  rules: Rule[]
  /** By their ids, each with the id of the rule that says so. */
  tracepoints: { tracepoint: number; rule: number }[]
}

/** A tracepoint, by its id, that a rule's filter does not fit. */
export interface Misfit {
  tracepoint: number
  why: string
}

export interface Changed {
  rule: number
  covered: number
  enabled: number
  unfit: string[]
}

export interface Closed {
  last: SessionState
  delivered: boolean
}

/** A connection, whoever is at its other end. A call in flight when it ends is rejected with ConnectionError. */
interface Connected {
  /** Resolves when the connection is gone, whoever ended it. Never rejects. */
  readonly closed: Promise<void>
  close(): void
}

/** A traced process. Every call may reject with Refusal or ConnectionError. */
export interface Control extends Connected {
  process(): Promise<ProcessState>
  /** All of them, in the order of their ids. */
  tracepoints(): Promise<TracepointState[]>
  openSession(spec: SessionSpec): Promise<SessionState>
  changeSession(spec: SessionSpec): Promise<SessionState>
  closeSession(name: string, timeoutMs: number): Promise<Closed>
  /** `misfits`: what the caller found who held the rule's filter against the tracepoints. */
  enable(session: string, rule: RuleRequest, misfits?: readonly Misfit[]): Promise<Changed>
  disable(session: string, pattern: string): Promise<Changed>
  flush(session: string, timeoutMs: number): Promise<boolean>
}

export interface FleetSession {
  uuid: string
  name: string
  connected: boolean
  events: number
  bytes: number
  lost: Lost
}

export interface FleetProcess {
  pid: number
  program: string
  hostname: string
  startedAt: bigint
  sessions: FleetSession[]
}

export interface Followed {
  /** Lines of JSON, as `blkin view --json` prints them. */
  events: string[]
  /** Events that this follower was too slow for, since the answer before. */
  dropped: number
}

/** A relay. Every call may reject with Refusal or ConnectionError. */
export interface Fleet extends Connected {
  processes(): Promise<FleetProcess[]>
  tracepoints(uuid: string): Promise<TraceTracepoint[]>
  /** Of that session; nothing where it is gone. */
  enabled(uuid: string): Promise<Enabled>
  rules(): Promise<Rule[]>
  /** RuleRequest.target must be there. The rules that stand now. */
  enable(rule: RuleRequest): Promise<Rule[]>
  disable(target: string, pattern: string): Promise<Rule[]>
  follow(target: string, patterns: string[]): Promise<void>
  take(waitMs: number): Promise<Followed>
}
