// lib/trace/traceparent.ts: W3C Trace Context: traceparent and tracestate.
//
//   00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01      version-trace-span-flags, flag 1: sampled
import { readHeader, writeHeader } from './headers.js'
import { hexOf } from './hex.js'
import { randomWord } from './ids.js'
import { contextIn, type WireContext } from './wire.js'

// A later version may have more behind the flags; version 00 may not, and ff is none.
const form = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/
const traceAt = 3
const spanAt = 36
const flagsAt = 53
const length = 55

/** The specification asks for at least 512 characters to be handed on, and for at most 32 members. */
const stateMax = 4096
const membersMax = 32

export function readTraceparent(carrier: object): WireContext | undefined {
  const text = readHeader(carrier, 'traceparent')
  if (text === undefined || !form.test(text)) return undefined
  if (text.length > length && text.startsWith('00')) return undefined
  const sampled = (Number.parseInt(text.charAt(flagsAt + 1), 16) & 1) === 1
  const state = checkedState(readHeader(carrier, 'tracestate'))
  return contextIn(text, traceAt, 32, spanAt, -1, sampled ? 'yes' : 'no', state)
}

/** Handed on as it came, or not at all. */
function checkedState(state: string | undefined): string {
  if (state === undefined || state.length > stateMax || !/^[\x20-\x7e\t]*$/.test(state)) return ''
  return state.split(',').length <= membersMax ? state : ''
}

/** Where it was decided without an id, not to record the trace, it goes out with new ones: nobody will look for them. */
export function writeTraceparent(context: WireContext, carrier: object): void {
  const { decision, state } = context
  if (decision === 'unsaid' || (!context.hasIds && decision !== 'no')) return
  const ids = context.hasIds ? `${context.traceId}-${context.spanId}` : newIds()
  writeHeader(carrier, 'traceparent', `00-${ids}-${decision === 'no' ? '00' : '01'}`)
  if (state !== '') writeHeader(carrier, 'tracestate', state)
}

function newIds(): string {
  const trace = hexOf(randomWord(), randomWord() | 1) // 0 is no id
  return `0000000000000000${trace}-${hexOf(randomWord(), randomWord() | 1)}`
}
