// relay/src/spans/formats/v1-span.ts: a span of Zipkin's first format, and what every one here keeps to. from-v1.ts makes them of thrift,
// from-v1-json.ts of JSON; what their parts mean for spans of today is in v1-to-v2.ts. Pure.

import type { Annotation, Endpoint } from '../span.js'

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

export interface V1Annotation extends Annotation {
  /** Whose it is, where that is said. */
  host: Endpoint | undefined
}

export type Peer = 'ca' | 'sa' | 'ma'

export const isPeer = (key: string): key is Peer => key === 'ca' || key === 'sa' || key === 'ma'

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

/** @throws RangeError */
export function checkV1({ name, annotations, tags, peers }: V1Span): void {
  checkMost('annotations and tags', annotations.length + tags.length, V1_LIMITS.annotations)
  checkMost('characters in its name', name.length, V1_LIMITS.name)
  const services = new Set<string | undefined>()
  for (const { host } of [...annotations, ...tags]) if (host) services.add(host.serviceName)
  checkMost('services', services.size, V1_LIMITS.services)
  for (const { serviceName } of Object.values(peers)) services.add(serviceName)
  for (const service of services)
    checkMost("characters in a service's name", service?.length ?? 0, V1_LIMITS.name)
}

export function checkMost(what: string, count: number, most: number): void {
  if (count > most) throw new RangeError(`a span has ${count} ${what}; expected at most ${most}`)
}

/** Some say "1" of the other side where `true` is meant. */
export function addText(span: V1Span, key: string, value: string, host: Endpoint | undefined): void {
  if (!isPeer(key)) span.tags.push({ key, value, host })
  else if (host) span.peers[key] = host
}

/** @throws RangeError where it is 0 */
export function v1TraceId(high: bigint, low: bigint): string {
  const [upper, lower] = [hexOf(high), hexOf(low)]
  if (upper === undefined) return lower ?? missing('trace_id')
  return upper + (lower ?? '0'.repeat(16))
}

/** @throws RangeError where it is 0 */
export const v1Id = (id: bigint): string => hexOf(id) ?? missing('id')

/** Undefined where it is 0. */
export function hexOf(id: bigint): string | undefined {
  const value = BigInt.asUintN(64, id)
  return value === 0n ? undefined : value.toString(16).padStart(16, '0')
}

function missing(field: string): never {
  throw new RangeError(`${field} is 0 or missing`)
}
