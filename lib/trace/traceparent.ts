// lib/trace/traceparent.ts: W3C Trace Context: traceparent and tracestate.
//
//   00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01      version-trace-span-flags, flag 1: sampled
import { readHeader, writeHeader } from './headers.js'
import type { WireContext } from './wire.js'

// A later version may have more behind the flags; version 00 may not, and ff is none.
const form = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** The specification asks for at least 512 characters to be handed on, and for at most 32 members. */
const stateMax = 4096
const membersMax = 32

export function readTraceparent(carrier: object): WireContext | undefined {
  const [, version, traceId, spanId, flags, more] = form.exec(readHeader(carrier, 'traceparent') ?? '') ?? []
  if (traceId === undefined || spanId === undefined || (version === '00' && more !== undefined))
    return undefined
  const sampled = (Number.parseInt(flags as string, 16) & 1) === 1
  const state = checkedState(readHeader(carrier, 'tracestate') ?? '')
  return { traceId, spanId, parentId: '', decision: sampled ? 'yes' : 'no', state }
}

/** Handed on as it came, or not at all. */
function checkedState(state: string): string {
  const sound = state.length <= stateMax && /^[\x20-\x7e\t]*$/.test(state)
  return sound && state.split(',').length <= membersMax ? state : ''
}

export function writeTraceparent({ traceId, spanId, decision, state }: WireContext, carrier: object): void {
  if (traceId === '' || decision === 'unsaid') return
  writeHeader(carrier, 'traceparent', `00-${traceId}-${spanId}-${decision === 'no' ? '00' : '01'}`)
  if (state !== '') writeHeader(carrier, 'tracestate', state)
}
