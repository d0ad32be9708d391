// lib/trace/wire.ts: a span's context as it goes from one process to another, whatever the format. Types only.

/**
 * What was said about recording the trace: nothing, no, yes, or yes whatever it costs. Whoever is told honours it, and
 * hands it on.
 */
export type Decision = 'unsaid' | 'no' | 'yes' | 'debug'

export interface WireContext {
  /** 32 hex digits, the first 16 of them 0 for an id of 64 bits; empty where only a decision was sent. */
  readonly traceId: string
  /** 16 hex digits, or empty. */
  readonly spanId: string
  /** 16 hex digits; empty for a root, and where the format does not tell. */
  readonly parentId: string
  readonly decision: Decision
  /** W3C's tracestate, handed on as it came. */
  readonly state: string
}

export const zeros = '0000000000000000'
