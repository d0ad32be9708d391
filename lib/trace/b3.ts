// lib/trace/b3.ts: Zipkin's B3 propagation, in one header and in several.
//
//   b3: 463ac35c9f6413ad-a2fb4a1d1a96d312-1-0020000000000001     trace-span-decision-parent; or 0, 1 or d alone
//   x-b3-traceid, x-b3-spanid, x-b3-parentspanid, x-b3-sampled (1 or 0), x-b3-flags (1: debug)
import { readHeader, writeHeader } from './headers.js'
import { type Decision, type WireContext, zeros } from './wire.js'

const trace = '(?!0{16}(?:0{16})?(?![0-9a-f]))((?:[0-9a-f]{16}){1,2})'
const span = '(?!0{16})([0-9a-f]{16})'
const single = new RegExp(`^${trace}-${span}(?:-([01d])(?:-([0-9a-f]{16}))?)?$`)
const traceForm = new RegExp(`^${trace}$`)
const spanForm = new RegExp(`^${span}$`)

const decisions: Record<string, Decision> = { '0': 'no', '1': 'yes', d: 'debug' }
const letters: Record<Decision, string> = { unsaid: '', no: '0', yes: '1', debug: 'd' }

const context = (traceId: string, spanId: string, parentId: string, decision: Decision): WireContext => ({
  traceId: traceId.padStart(32, '0'),
  spanId,
  parentId: parentId === zeros ? '' : parentId,
  decision,
  state: '',
})
const decided = (decision: Decision | undefined): WireContext | undefined =>
  decision && { traceId: '', spanId: '', parentId: '', decision, state: '' }

/** An id of 64 bits goes out as it is: there are Zipkins that know no others. */
const shortest = (traceId: string) => (traceId.startsWith(zeros) ? traceId.slice(16) : traceId)

export function readB3(carrier: object): WireContext | undefined {
  const text = readHeader(carrier, 'b3') ?? ''
  if (text.length === 1) return decided(decisions[text])
  const [, traceId, spanId, letter = '', parentId = ''] = single.exec(text) ?? []
  if (traceId === undefined || spanId === undefined) return undefined
  return context(traceId, spanId, parentId, decisions[letter] ?? 'unsaid')
}

export function writeB3({ traceId, spanId, parentId, decision }: WireContext, carrier: object): void {
  const letter = letters[decision]
  if (decision === 'no' || traceId === '') {
    if (letter !== '') writeHeader(carrier, 'b3', letter)
    return
  }
  const parent = parentId === '' || letter === '' ? '' : `-${parentId}`
  const ids = `${shortest(traceId)}-${spanId}`
  writeHeader(carrier, 'b3', letter === '' ? ids : `${ids}-${letter}${parent}`)
}

export function readB3Multi(carrier: object): WireContext | undefined {
  const decision = multiDecision(carrier)
  const traceId = traceForm.exec(readHeader(carrier, 'x-b3-traceid') ?? '')?.[1]
  const spanId = spanForm.exec(readHeader(carrier, 'x-b3-spanid') ?? '')?.[1]
  if (traceId === undefined || spanId === undefined)
    return decided(decision === 'unsaid' ? undefined : decision)
  const parentId = spanForm.exec(readHeader(carrier, 'x-b3-parentspanid') ?? '')?.[1] ?? ''
  return context(traceId, spanId, parentId, decision)
}

function multiDecision(carrier: object): Decision {
  if (readHeader(carrier, 'x-b3-flags') === '1') return 'debug'
  const sampled = readHeader(carrier, 'x-b3-sampled')?.toLowerCase()
  if (sampled === '1' || sampled === 'true') return 'yes' // some early senders wrote words
  return sampled === '0' || sampled === 'false' ? 'no' : 'unsaid'
}

export function writeB3Multi({ traceId, spanId, parentId, decision }: WireContext, carrier: object): void {
  if (decision === 'debug') writeHeader(carrier, 'x-b3-flags', '1')
  else if (decision !== 'unsaid') writeHeader(carrier, 'x-b3-sampled', letters[decision])
  if (decision === 'no' || traceId === '') return
  writeHeader(carrier, 'x-b3-traceid', shortest(traceId))
  writeHeader(carrier, 'x-b3-spanid', spanId)
  if (parentId !== '') writeHeader(carrier, 'x-b3-parentspanid', parentId)
}
