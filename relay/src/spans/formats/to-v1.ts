// relay/src/spans/formats/to-v1.ts: spans in Zipkin's first format, which its Scribe collector takes: what a span is (a client's, a server's)
// is told by annotations at its begin and end, the other side's address by a tag that is true. Pure.

import { i64, thrift, zipkin } from '../../protocol/wire.js'
import { type Endpoint, type Kind, nearestLong, type Span } from '../span.js'

type Core = readonly [begin: string, end: string, peer: string]

/** What stands at the begin and at the end, and for the other side's address. */
const cores: Record<Kind, Core> = {
  CLIENT: ['cs', 'cr', 'sa'],
  SERVER: ['sr', 'ss', 'ca'],
  PRODUCER: ['ms', 'ws', 'ma'],
  CONSUMER: ['wr', 'mr', 'ma'],
}
const truth = Buffer.of(1)
const { STRING, BOOL } = zipkin.AnnotationType

/**
 * How many bytes v1Bytes() makes of a span, counted without making any: each annotation and each tag has the service's name
 * again, so that a small span can be a giant here.
 */
export function v1Size(span: Span): number {
  const { name = '', parentId, traceId, timestamp, duration, shared, annotations = [], tags = {} } = span
  const host = hostSize(span.localEndpoint)
  const peer = hostSize(span.remoteEndpoint)
  let bytes = sizes.span + Buffer.byteLength(name)
  if (parentId !== undefined) bytes += sizes.number
  if (traceId.length > 16) bytes += sizes.number
  if (!shared && timestamp !== undefined) bytes += sizes.number
  if (!shared && duration !== undefined) bytes += sizes.number
  let parts = 0
  for (const { value } of [...coresOf(span), ...annotations]) {
    bytes += sizes.annotation + Buffer.byteLength(value) + host
    parts++
  }
  for (const [key, value] of Object.entries(tags)) {
    bytes += sizes.tag + Buffer.byteLength(key) + Buffer.byteLength(value) + host
    parts++
  }
  if (peer > 0) bytes += sizes.tag + cores.CLIENT[2].length + truth.length + peer
  else if (parts === 0 && host > 0) bytes += sizes.tag + 'lc'.length + host
  return bytes
}

/** Of structs in the binary protocol, without texts and hosts: 3 bytes begin a field, 4 a text, 5 more a list, 1 ends a struct. */
const sizes = {
  number: 3 + 8,
  /** Its ids, its name, the two lists, and `debug`, which is always written. */
  span: 2 * (3 + 8) + (3 + 4) + 2 * (3 + 5) + (3 + 1) + 1,
  annotation: 3 + 8 + (3 + 4) + 1,
  tag: 2 * (3 + 4) + (3 + 4) + 1,
  /** With the field in which it is. */
  host: 3 + (3 + 4) + (3 + 2) + (3 + 4) + 1,
  ipv6: 3 + 4 + 16,
}

function hostSize(endpoint: Endpoint | undefined): number {
  if (endpoint === undefined) return 0
  const { serviceName = '', ipv6 } = endpoint
  return sizes.host + Buffer.byteLength(serviceName) + (ipv6 === undefined ? 0 : sizes.ipv6)
}

/** A span as the bytes of its struct. */
export function v1Bytes(span: Span): Buffer {
  let bytes: Buffer = Buffer.alloc(0)
  const frames = new thrift.TFramedTransport(undefined, (frame) => {
    bytes = frame!.subarray(4) // behind the frame's length
  })
  const output = new thrift.TBinaryProtocol(frames, true, true)
  const struct: object = v1Span(span)
  ;(struct as { write(output: object): void }).write(output) // which the generated types leave out
  output.flush()
  return bytes
}

export function v1Span(span: Span): InstanceType<typeof zipkin.Span> {
  const { traceId, id, parentId, name = '', timestamp, duration, kind, debug, shared } = span
  const host = hostOf(span.localEndpoint)
  const tag = (key: string, value: string) =>
    new zipkin.BinaryAnnotation({ key, value: Buffer.from(value), annotation_type: STRING, ...host })
  const tags = Object.entries(span.tags ?? {}).map(([key, value]) => tag(key, value))
  const annotations = [...coresOf(span), ...(span.annotations ?? [])].map(
    ({ timestamp, value }) => new zipkin.Annotation({ timestamp: micros(timestamp), value, ...host }),
  )
  const peer = hostOf(span.remoteEndpoint)
  if (peer.host) {
    const key = kind ? cores[kind][2] : 'sa'
    tags.push(new zipkin.BinaryAnnotation({ key, value: truth, annotation_type: BOOL, ...peer }))
  }
  if (annotations.length + tags.length === 0 && host.host) tags.push(tag('lc', '')) // else nothing says whose it is
  const high = traceId.length > 16 ? wordOf(traceId.slice(0, 16)) : undefined
  // Who shares a span does not own its times; its annotations tell when the server's side was.
  const own = shared ? {} : { ...time('timestamp', timestamp), ...time('duration', duration) }
  return new zipkin.Span({
    ...{ trace_id: wordOf(traceId.slice(-16)), id: wordOf(id), name, annotations, binary_annotations: tags },
    ...(parentId === undefined ? {} : { parent_id: wordOf(parentId) }),
    ...(high ? { trace_id_high: high } : {}),
    ...(debug ? { debug } : {}),
    ...own,
  })
}

function coresOf({ kind, timestamp, duration }: Span): { timestamp: number; value: string }[] {
  if (kind === undefined || timestamp === undefined) return []
  const [begin, end] = cores[kind]
  const first = { timestamp, value: begin }
  return duration === undefined ? [first] : [first, { timestamp: timestamp + duration, value: end }]
}

function hostOf(endpoint: Endpoint | undefined) {
  if (endpoint === undefined) return {}
  const { serviceName = '', ipv4, ipv6, port = 0 } = endpoint
  const host = new zipkin.Endpoint({
    ipv4: ipv4 === undefined ? 0 : Buffer.from(ipv4.split('.').map(Number)).readInt32BE(),
    port: (port << 16) >> 16,
    service_name: serviceName,
    ...(ipv6 === undefined ? {} : { ipv6: ipv6Bytes(ipv6) }),
  })
  return { host }
}

/** Of text that was checked. */
function ipv6Bytes(text: string): Buffer {
  const groups = (part: string) => part.split(':').filter((group) => group !== '')
  const [head = '', tail] = text.split('::')
  const [before, behind] = [groups(head), groups(tail ?? '')]
  const zeros = Array.from({ length: 8 - before.length - behind.length }, () => '0')
  return Buffer.from([...before, ...zeros, ...behind].map((group) => group.padStart(4, '0')).join(''), 'hex')
}

const wordOf = (hex: string) => i64(BigInt.asIntN(64, BigInt(`0x${hex}`)))

const time = (name: 'timestamp' | 'duration', value: number | undefined) =>
  value === undefined ? {} : { [name]: micros(value) }

/** Any long, beyond 2^53 too, and a sum of two. */
const micros = (value: number) => i64(BigInt(nearestLong(value)))
