// relay/src/spans/from-proto.ts: posted protobuf (zipkin.proto3.ListOfSpans) to spans, each checked at the door.
// The HTTP API calls it with a body it has already bounded. Unknown fields are skipped. Pure.

import { ipOf } from './address.js'
import { Amount, TooMuch } from './amount.js'
import { checkPort, type Endpoint, KINDS, makeSpan, type Span, setTag } from './span.js'

/** Of the post that is being read. */
let amount = new Amount()

/** @throws RangeError, TooMuch among them; then none is taken */
export function spansFromProto(bytes: Buffer): Span[] {
  const spans: Span[] = []
  amount = new Amount()
  try {
    for (const [field, value] of fields(bytes)) if (field === 1) spans.push(spanFrom(message(value)))
  } catch (error) {
    if (error instanceof TooMuch) throw error
    throw new RangeError(`${(error as Error).message} reading List<Span> from proto3`)
  }
  return spans
}

function spanFrom(bytes: Buffer): Span {
  amount.span()
  const draft: Parameters<typeof makeSpan>[0] = { traceId: '', id: '', annotations: [], tags: {} }
  for (const [field, value] of fields(bytes)) {
    if (field === 1) draft.traceId = traceId(message(value))
    else if (field === 2) draft.parentId = spanId(message(value))
    else if (field === 3) draft.id = spanId(message(value)) ?? ''
    else if (field === 4) draft.kind = KINDS[number(value) - 1]
    else if (field === 5) draft.name = text(value)
    else if (field === 6) draft.timestamp = number(value)
    else if (field === 7) draft.duration = number(value)
    else if (field === 8) draft.localEndpoint = endpoint(message(value))
    else if (field === 9) draft.remoteEndpoint = endpoint(message(value))
    else if (field === 10) draft.annotations!.push(annotation(message(value)))
    else if (field === 11) addTag(draft.tags!, message(value))
    else if (field === 12) draft.debug = number(value) !== 0
    else if (field === 13) draft.shared = number(value) !== 0
  }
  if (draft.traceId === '') throw new RangeError('Missing : traceId')
  if (draft.id === '') throw new RangeError('Missing : id')
  return makeSpan(draft)
}

function traceId(bytes: Buffer): string {
  if (bytes.length !== 8 && bytes.length !== 16)
    throw new RangeError(`traceId has ${bytes.length} bytes; expected 8 or 16`)
  const hex = bytes.toString('hex')
  if (/^0*$/.test(hex)) throw new RangeError('traceId is all zeros')
  return hex.startsWith('0000000000000000') ? hex.slice(-16) : hex
}

/** Undefined where it is 0. */
function spanId(bytes: Buffer): string | undefined {
  if (bytes.length !== 8) throw new RangeError(`a span id has ${bytes.length} bytes; expected 8`)
  const hex = bytes.toString('hex')
  return /^0*$/.test(hex) ? undefined : hex
}

function endpoint(bytes: Buffer): Endpoint {
  const made: Endpoint = {}
  for (const [field, value] of fields(bytes)) {
    if (field === 1) made.serviceName = text(value)
    else if (field === 2 || field === 3) Object.assign(made, address(message(value)))
    else if (field === 4) made.port = number(value)
  }
  checkPort(made.port)
  return made
}

/** Undefined where there are not as many bytes as an address has. */
function address(bytes: Buffer): Pick<Endpoint, 'ipv4' | 'ipv6'> | undefined {
  if (bytes.length === 4) return ipOf(bytes.join('.'))
  return bytes.length === 16 ? ipOf(bytes.toString('hex').match(/.{4}/g)!.join(':')) : undefined
}

function annotation(bytes: Buffer): { timestamp: number; value: string } {
  const made = { timestamp: 0, value: '' }
  for (const [field, value] of fields(bytes)) {
    if (field === 1) made.timestamp = number(value)
    else if (field === 2) made.value = text(value)
  }
  if (made.timestamp === 0 || made.value === '') throw new RangeError('Incomplete annotation')
  return made
}

function addTag(tags: Record<string, string>, bytes: Buffer): void {
  const entry = ['', '']
  for (const [field, value] of fields(bytes)) if (field === 1 || field === 2) entry[field - 1] = text(value)
  setTag(tags, entry[0]!, entry[1]!)
}

type Value = bigint | Buffer

const message = (value: Value): Buffer => {
  if (typeof value === 'bigint') throw new RangeError('a number stands where bytes were expected')
  return value
}

const text = (value: Value): string => message(value).toString('utf8')

const number = (value: Value): number => {
  if (typeof value !== 'bigint') throw new RangeError('bytes stand where a number was expected')
  const read = Number(value)
  if (!Number.isSafeInteger(read)) throw new RangeError(`${value} is too large`)
  return read
}

function* fields(bytes: Buffer): Generator<[field: number, value: Value]> {
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (at >= bytes.length) throw new RangeError('Truncated')
      const byte = bytes[at++]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new RangeError('Malformed varint')
  }
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError('Truncated')
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    amount.value()
    const key = Number(varint())
    const wire = key & 7
    const field = key >>> 3
    if (wire === 0) yield [field, varint()]
    else if (wire === 1) yield [field, take(8).readBigUInt64LE()]
    else if (wire === 2) yield [field, take(Number(varint()))]
    else if (wire === 5) yield [field, BigInt(take(4).readUInt32LE())]
    else throw new RangeError(`Malformed: wire type ${wire}`)
  }
}
