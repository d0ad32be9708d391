// lib/trace/b3.ts: Zipkin's B3 propagation, in one header and in several.
//
//   b3: 463ac35c9f6413ad-a2fb4a1d1a96d312-1-0020000000000001     trace-span-decision-parent; or 0, 1 or d alone
//   x-b3-traceid, x-b3-spanid, x-b3-parentspanid, x-b3-sampled (1 or 0), x-b3-flags (1: debug)
import { readHeader, writeHeader } from './headers.js'
import { contextIn, type Decision, decisionAlone, type WireContext } from './wire.js'

const trace = '(?!0{16}(?:0{16})?(?![0-9a-f]))(?:[0-9a-f]{16}){1,2}'
const span = '(?!0{16})[0-9a-f]{16}'
const single = new RegExp(`^${trace}-${span}(?:-[01d](?:-[0-9a-f]{16})?)?$`)
const traceForm = new RegExp(`^${trace}$`)
const spanForm = new RegExp(`^${span}$`)

const decisions: Readonly<Record<string, Decision>> = { '0': 'no', '1': 'yes', d: 'debug' }
const letters: Readonly<Record<Decision, string>> = { unsaid: '', no: '0', yes: '1', debug: 'd' }

export function readB3(carrier: object): WireContext | undefined {
  const text = readHeader(carrier, 'b3')
  if (text === undefined) return undefined
  if (text.length === 1) return Object.hasOwn(decisions, text) ? decisionAlone[decisions[text]!] : undefined
  if (!single.test(text)) return undefined
  const traceDigits = text.charAt(16) === '-' ? 16 : 32
  const spanAt = traceDigits + 1
  const letterAt = spanAt + 17
  const parentAt = letterAt + 2
  const decision = decisions[text.charAt(letterAt)] ?? 'unsaid'
  const parent = text.length > parentAt ? parentAt : -1
  return contextIn(text, 0, traceDigits, spanAt, parent, decision, '')
}

export function writeB3(context: WireContext, carrier: object): void {
  const { decision, hasIds } = context
  const letter = letters[decision]
  if (decision === 'no' || !hasIds) {
    if (letter !== '') writeHeader(carrier, 'b3', letter)
    return
  }
  const parent = !context.hasParent || letter === '' ? '' : `-${context.parentId}`
  const ids = `${context.shortTraceId}-${context.spanId}`
  writeHeader(carrier, 'b3', letter === '' ? ids : `${ids}-${letter}${parent}`)
}

export function readB3Multi(carrier: object): WireContext | undefined {
  const decision = multiDecision(carrier)
  const traceId = readHeader(carrier, 'x-b3-traceid')
  const spanId = readHeader(carrier, 'x-b3-spanid')
  const isWhole =
    traceId !== undefined && spanId !== undefined && traceForm.test(traceId) && spanForm.test(spanId)
  if (!isWhole) return decision === 'unsaid' ? undefined : decisionAlone[decision]
  const parentId = readHeader(carrier, 'x-b3-parentspanid')
  const hasParent = parentId !== undefined && spanForm.test(parentId)
  const spanAt = traceId.length
  const ids = traceId + spanId + (hasParent ? parentId : '')
  return contextIn(ids, 0, spanAt, spanAt, hasParent ? spanAt + 16 : -1, decision, '')
}

function multiDecision(carrier: object): Decision {
  if (readHeader(carrier, 'x-b3-flags') === '1') return 'debug'
  const sampled = readHeader(carrier, 'x-b3-sampled')?.toLowerCase()
  if (sampled === '1' || sampled === 'true') return 'yes' // some early senders wrote words
  return sampled === '0' || sampled === 'false' ? 'no' : 'unsaid'
}

export function writeB3Multi(context: WireContext, carrier: object): void {
  const { decision } = context
  if (decision === 'debug') writeHeader(carrier, 'x-b3-flags', '1')
  else if (decision !== 'unsaid') writeHeader(carrier, 'x-b3-sampled', letters[decision])
  if (decision === 'no' || !context.hasIds) return
  writeHeader(carrier, 'x-b3-traceid', context.shortTraceId)
  writeHeader(carrier, 'x-b3-spanid', context.spanId)
  if (context.hasParent) writeHeader(carrier, 'x-b3-parentspanid', context.parentId)
}
