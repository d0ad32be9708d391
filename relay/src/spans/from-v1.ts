// relay/src/spans/from-v1.ts: a span of Zipkin's first format, from the bytes of its struct, checked at the door: what Scribe brings.
// What its parts mean for spans of today is in v1-to-v2.ts. Pure.

import { StrictReader } from '../strict-reader.js'
import { big, type Int64, zipkin } from '../wire.js'
import { ipOf } from './address.js'
import { type Endpoint, makeEndpoint } from './span.js'

export interface V1Span {
  traceId: string
  id: string
  parentId: string | undefined
  name: string
  debug: boolean
  /** Microseconds; 0 where it is not said. */
  timestamp: number
  duration: number
  annotations: V1Annotation[]
  tags: { key: string; value: string; host: Endpoint | undefined }[]
  /** Of the other side, by what it is called: ca, sa, ma. */
  peers: Partial<Record<Peer, Endpoint>>
}

export interface V1Annotation {
  timestamp: number
  value: string
  /** Whose it is, where that is said. */
  host: Endpoint | undefined
}

export type Peer = 'ca' | 'sa' | 'ma'

const { AnnotationType } = zipkin
type Struct = InstanceType<typeof zipkin.Span>
type Tag = InstanceType<typeof zipkin.BinaryAnnotation>

/** A span of more is none: its parts are copied, and joined to those of others. */
export const V1_LIMITS = {
  /** Of its struct. */
  bytes: 2 ** 20,
  /** Annotations and tags together. */
  annotations: 10_000,
  /** Each becomes a span with a copy of the name. */
  services: 64,
  /** Characters of its name, and of a service's. */
  name: 1024,
}

/** @throws Error where it is no span, or one beyond V1_LIMITS */
export function v1FromBytes(bytes: Buffer): V1Span {
  checkMost('bytes', bytes.length, V1_LIMITS.bytes)
  const struct = new zipkin.Span()
  ;(struct as unknown as { read(input: object): void }).read(new StrictReader(bytes))
  const { trace_id, trace_id_high, id, parent_id, name, debug, timestamp, duration } = struct
  const parts = (struct.annotations?.length ?? 0) + (struct.binary_annotations?.length ?? 0)
  checkMost('annotations and tags', parts, V1_LIMITS.annotations)
  checkMost('characters in its name', name?.length ?? 0, V1_LIMITS.name)
  const span: V1Span = {
    traceId: traceIdOf(trace_id, trace_id_high),
    id: hexOf(id) ?? missing('id'),
    parentId: hexOf(parent_id),
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
  checkMost('services', servicesOf(span), V1_LIMITS.services)
  return span
}

function servicesOf({ annotations, tags }: V1Span): number {
  const services = new Set<string | undefined>()
  for (const { host } of [...annotations, ...tags]) if (host) services.add(host.serviceName)
  return services.size
}

function checkMost(what: string, count: number, most: number): void {
  if (count > most) throw new RangeError(`a span has ${count} ${what}; expected at most ${most}`)
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
  if (annotation_type === AnnotationType.BOOL && (key === 'ca' || key === 'sa' || key === 'ma')) {
    const peer = hostOf(host)
    if (peer && value.length === 1 && value[0] === 1) span.peers[key] = peer
    return
  }
  const text = textOf(annotation_type, value)
  if (text !== undefined) span.tags.push({ key, value: text, host: hostOf(host) })
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
  checkMost("characters in a service's name", service_name?.length ?? 0, V1_LIMITS.name)
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

function traceIdOf(low: Int64, high: Int64 | undefined): string {
  const [upper, lower] = [hexOf(high), hexOf(low)]
  if (upper === undefined) return lower ?? missing('trace_id')
  return upper + (lower ?? '0'.repeat(16))
}

/** Undefined where it is 0 or not said. */
function hexOf(id: Int64 | null | undefined): string | undefined {
  const value = id ? BigInt.asUintN(64, big(id)) : 0n
  return value === 0n ? undefined : value.toString(16).padStart(16, '0')
}

function micros(time: Int64 | null | undefined): number {
  const value = Number(time ? big(time) : 0n)
  if (!Number.isSafeInteger(value)) throw new RangeError(`a time of ${value} microseconds is too large`)
  return value
}

function missing(field: string): never {
  throw new RangeError(`${field} is 0 or missing`)
}
