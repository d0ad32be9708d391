// relay/src/spans/formats/from-v1.ts: spans of Zipkin's first format from their thrift structs, checked at the door: one alone, as Scribe
// brings it, or a list, as it is posted. Pure.

import { StrictReader } from '../../protocol/strict-reader.js'
import { big, type Int64, zipkin } from '../../protocol/wire.js'
import { ipOf } from '../address.js'
import { type Endpoint, makeEndpoint, nearestLong, type Span } from '../span.js'
import { Amount, TooMuch } from './amount.js'
import {
  addText,
  checkMost,
  checkV1,
  hexOf,
  isPeer,
  V1_LIMITS,
  type V1Span,
  v1Id,
  v1TraceId,
} from './v1-span.js'
import { spansFromV1List } from './v1-to-v2.js'

const { AnnotationType } = zipkin
type Struct = InstanceType<typeof zipkin.Span>
type Tag = InstanceType<typeof zipkin.BinaryAnnotation>

/** @throws Error where it is no span, or one beyond V1_LIMITS */
export function v1FromBytes(bytes: Buffer): V1Span {
  checkMost('bytes', bytes.length, V1_LIMITS.bytes)
  return v1FromReader(new StrictReader(bytes))
}

/** What begins a list: that it is of structs. Some reporters say "of strings", and mean the same. */
const LIST_TYPES = [12, 11]

/** @throws RangeError saying what is wrong with the first that is wrong, TooMuch among them; then none is taken */
export function spansFromThrift(bytes: Buffer): Span[] {
  if (bytes.length === 0) return []
  if (!LIST_TYPES.includes(bytes[0]!)) throw new RangeError('Expected a THRIFT encoded list')
  try {
    const reader = new CountingReader(bytes)
    const { size } = reader.readListBegin()
    const spans: V1Span[] = []
    for (let i = 0; i < size; i++) {
      reader.amount.span()
      spans.push(v1FromReader(reader))
    }
    return spansFromV1List(spans)
  } catch (error) {
    if (error instanceof TooMuch) throw error
    const { message = 'Truncated' } = error as Partial<Error> // of which Apache's reader has no words
    throw new RangeError(`${message} reading List<Span> from TBinary`)
  }
}

class CountingReader extends StrictReader {
  readonly amount = new Amount()

  override readFieldBegin() {
    this.amount.value()
    return super.readFieldBegin()
  }
}

function v1FromReader(reader: StrictReader): V1Span {
  const struct = new zipkin.Span()
  ;(struct as unknown as { read(input: object): void }).read(reader)
  const { trace_id, trace_id_high, id, parent_id, name, debug, timestamp, duration } = struct
  const span: V1Span = {
    traceId: v1TraceId(bigOf(trace_id_high), bigOf(trace_id)),
    id: v1Id(bigOf(id)),
    parentId: hexOf(bigOf(parent_id)),
    name: name ?? '',
    debug: debug === true,
    timestamp: micros(timestamp),
    duration: micros(duration),
    annotations: [],
    tags: [],
    peers: {},
  }
  addAnnotations(span, struct)
  for (const tag of struct.binary_annotations ?? []) addTag(span, tag)
  checkV1(span)
  return span
}

function addAnnotations(span: V1Span, { annotations }: Struct): void {
  for (const { timestamp, value, host } of annotations ?? []) {
    const at = micros(timestamp)
    if (at !== 0 && typeof value === 'string')
      span.annotations.push({ timestamp: at, value, host: hostOf(host) })
  }
}

/** Bytes that are no text are left out, as Zipkin does. */
function addTag(span: V1Span, { key, value, annotation_type, host }: Tag): void {
  if (typeof key !== 'string' || !Buffer.isBuffer(value)) return
  if (annotation_type === AnnotationType.BOOL && isPeer(key)) {
    const peer = hostOf(host)
    if (peer && value.length === 1 && value[0] === 1) span.peers[key] = peer
    return
  }
  const text = textOf(annotation_type, value)
  if (text !== undefined) addText(span, key, text, hostOf(host))
}

function textOf(type: number, value: Buffer): string | undefined {
  const { length } = value
  if (type === AnnotationType.STRING) return value.toString('utf8')
  if (type === AnnotationType.BOOL && length === 1) return String(value[0] !== 0)
  if (type === AnnotationType.I16 && length === 2) return String(value.readInt16BE())
  if (type === AnnotationType.I32 && length === 4) return String(value.readInt32BE())
  if (type === AnnotationType.I64 && length === 8) return String(value.readBigInt64BE())
  if (type === AnnotationType.DOUBLE && length === 8) return String(value.readDoubleBE())
  return undefined
}

function hostOf(host: InstanceType<typeof zipkin.Endpoint> | undefined | null): Endpoint | undefined {
  if (!host) return undefined
  const { ipv4, port, service_name, ipv6 } = host
  const numbers = Buffer.alloc(4)
  numbers.writeInt32BE(ipv4 ?? 0)
  const address = ipv6 as Buffer | null | undefined
  return makeEndpoint({
    ...(service_name ? { serviceName: service_name } : {}),
    ...(ipv4 ? { ipv4: numbers.join('.') } : {}),
    ...(address?.length === 16 ? ipOf(address.toString('hex').match(/.{4}/g)!.join(':')) : {}),
    ...(port ? { port: port & 0xffff } : {}),
  })
}

const bigOf = (value: Int64 | null | undefined): bigint => (value ? big(value) : 0n)

const micros = (time: Int64 | null | undefined): number => nearestLong(Number(bigOf(time)))
