// relay/src/spans/formats/from-proto.ts: posted protobuf (zipkin.proto3.ListOfSpans) to spans, each checked at the door.
// The HTTP API calls it with a body it has already bounded. Fields that are unknown, or of another wire type, are skipped. Pure.

import { ipOf } from '../address.js'
import { fullParentId, fullSpanId, fullTraceId } from '../ids.js'
import {
  type Annotation,
  checkPort,
  type Endpoint,
  KINDS,
  makeSpan,
  nearestLong,
  type Span,
  sortedTags,
} from '../span.js'
import { Amount, TooMuch } from './amount.js'

/** Of the post that is being read. */
let amount = new Amount()

/** @throws RangeError, TooMuch among them; then none is taken */
export function spansFromProto(bytes: Buffer): Span[] {
  const spans: Span[] = []
  amount = new Amount()
  try {
    for (const field of fields(bytes)) if (field.key === key(1, BYTES)) spans.push(spanFrom(field.bytes))
  } catch (error) {
    if (error instanceof TooMuch) throw error
    throw new RangeError(`${(error as Error).message} reading List<Span> from proto3`)
  }
  return spans
}

/** What tells a field and how it is written, before each. */
const key = (field: number, wire: number): number => field * 8 + wire
const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5]

/** One of the two, by how it is written. */
interface Field {
  key: number
  number: bigint
  bytes: Buffer
}

const SPAN = {
  traceId: key(1, BYTES),
  parentId: key(2, BYTES),
  id: key(3, BYTES),
  kind: key(4, VARINT),
  name: key(5, BYTES),
  timestamp: key(6, FIXED64),
  duration: key(7, VARINT),
  localEndpoint: key(8, BYTES),
  remoteEndpoint: key(9, BYTES),
  annotation: key(10, BYTES),
  tag: key(11, BYTES),
  debug: key(12, VARINT),
  shared: key(13, VARINT),
}

function spanFrom(given: Buffer): Span {
  amount.span()
  const draft: Parameters<typeof makeSpan>[0] = { traceId: '', id: '' }
  const annotations: Annotation[] = []
  const tags: [key: string, value: string][] = []
  for (const { key, number, bytes } of fields(given)) {
    if (key === SPAN.traceId) draft.traceId = fullTraceId(bytes.toString('hex'))
    else if (key === SPAN.parentId) draft.parentId = fullParentId(bytes.toString('hex') || '0')
    else if (key === SPAN.id) draft.id = fullSpanId(bytes.toString('hex'))
    else if (key === SPAN.kind) draft.kind = KINDS[Number(number) - 1]
    else if (key === SPAN.name) draft.name = bytes.toString()
    else if (key === SPAN.timestamp) draft.timestamp = long(number)
    else if (key === SPAN.duration) draft.duration = long(number)
    else if (key === SPAN.localEndpoint) draft.localEndpoint = endpoint(bytes)
    else if (key === SPAN.remoteEndpoint) draft.remoteEndpoint = endpoint(bytes)
    else if (key === SPAN.annotation) annotations.push(...annotation(bytes))
    else if (key === SPAN.tag) tags.push(tag(bytes))
    else if (key === SPAN.debug) draft.debug = number !== 0n
    else if (key === SPAN.shared) draft.shared = number !== 0n
  }
  if (draft.traceId === '') throw new RangeError('Missing : traceId')
  if (draft.id === '') throw new RangeError('Missing : id')
  return makeSpan({ ...draft, annotations, tags: sortedTags(tags) })
}

function endpoint(given: Buffer): Endpoint {
  const made: Endpoint = {}
  for (const field of fields(given)) {
    if (field.key === key(1, BYTES)) made.serviceName = field.bytes.toString()
    else if (field.key === key(2, BYTES) || field.key === key(3, BYTES))
      Object.assign(made, address(field.bytes))
    else if (field.key === key(4, VARINT)) made.port = long(field.number)
  }
  checkPort(made.port)
  return made
}

/** Undefined where there are not as many bytes as an address has. */
function address(bytes: Buffer): Pick<Endpoint, 'ipv4' | 'ipv6'> | undefined {
  if (bytes.length === 4) return ipOf(bytes.join('.'))
  return bytes.length === 16 ? ipOf(bytes.toString('hex').match(/.{4}/g)!.join(':')) : undefined
}

/** None where its time or its text is missing. */
function annotation(given: Buffer): Annotation[] {
  const made = { timestamp: 0, value: '' }
  for (const field of fields(given)) {
    if (field.key === key(1, FIXED64)) made.timestamp = long(field.number)
    else if (field.key === key(2, BYTES)) made.value = field.bytes.toString()
  }
  return made.timestamp === 0 || made.value === '' ? [] : [made]
}

function tag(given: Buffer): [key: string, value: string] {
  const made: [string, string] = ['', '']
  for (const field of fields(given)) {
    if (field.key === key(1, BYTES)) made[0] = field.bytes.toString()
    else if (field.key === key(2, BYTES)) made[1] = field.bytes.toString()
  }
  return made
}

const long = (number: bigint): number => nearestLong(Number(BigInt.asIntN(64, number)))

const NO_BYTES = Buffer.alloc(0)

function* fields(bytes: Buffer): Generator<Field> {
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
    const wire = key % 8
    if (wire === VARINT) yield { key, number: varint(), bytes: NO_BYTES }
    else if (wire === FIXED64) yield { key, number: take(8).readBigUInt64LE(), bytes: NO_BYTES }
    else if (wire === BYTES) yield { key, number: 0n, bytes: take(Number(varint())) }
    else if (wire === FIXED32) yield { key, number: BigInt(take(4).readUInt32LE()), bytes: NO_BYTES }
    else throw new RangeError(`Malformed: wire type ${wire}`)
  }
}
