// relay/src/spans/span.ts: a span in Zipkin's v2 model, and the rules that every span here keeps to. Pure.
// The assembler makes them from events, from-json.ts from what is posted; the store keeps them as their JSON.

export const KINDS = ['CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER'] as const
export type Kind = (typeof KINDS)[number]

export interface Endpoint {
  serviceName?: string
  ipv4?: string
  ipv6?: string
  port?: number
}

export interface Annotation {
  /** Microseconds since the epoch, as all times in a span. */
  timestamp: number
  value: string
}

export interface Span {
  /** 16 or 32 lower-case hex digits, never all zeros. */
  traceId: string
  /** 16 digits; absent at the root. */
  parentId?: string
  id: string
  /** Absent for a local span. */
  kind?: Kind
  name?: string
  timestamp?: number
  duration?: number
  localEndpoint?: Endpoint
  remoteEndpoint?: Endpoint
  annotations?: Annotation[]
  tags?: Record<string, string>
  debug?: true
  /** A server's span under the id of its client's. */
  shared?: true
}

/** What a span is made of; empty and zero values may stand where the span will have none. */
export type Draft = Omit<
  { [Key in keyof Span]: Span[Key] | undefined },
  'traceId' | 'id' | 'debug' | 'shared'
> & {
  traceId: string
  id: string
  debug?: boolean | undefined
  shared?: boolean | undefined
}

/** Where the assembler says which host a client's or server's span is from: clocks of one host are one. */
export const HOST_TAG = 'blkin.host'

/** Ids are given in full. Names become lower case, annotations are ordered and told once, as Zipkin has it. `local` may be given ready made. */
export function makeSpan(draft: Draft, local = makeEndpoint(draft.localEndpoint)): Span {
  const { traceId, parentId, id, kind, timestamp, duration, annotations, tags } = draft
  const remote = makeEndpoint(draft.remoteEndpoint)
  const span: Span = { traceId, id }
  if (parentId !== undefined && parentId !== id) span.parentId = parentId
  if (kind) span.kind = kind
  if (draft.name) span.name = draft.name.toLowerCase()
  if (timestamp !== undefined && timestamp > 0) span.timestamp = Math.min(timestamp, MOST_MICROS)
  if (duration !== undefined && duration > 0) span.duration = Math.min(duration, MOST_MICROS)
  if (local) span.localEndpoint = local
  if (remote) span.remoteEndpoint = remote
  if (annotations !== undefined && annotations.length > 0) span.annotations = ordered(annotations)
  if (tags !== undefined && !isEmpty(tags)) span.tags = tags
  if (draft.debug) span.debug = true
  if (draft.shared && kind !== 'CLIENT') span.shared = true
  return span
}

/** One below 0 is none, which some say so. @throws RangeError, in Zipkin's words */
export function checkPort(port: number | undefined): void {
  if (port !== undefined && port > 65535) throw new RangeError(`invalid port ${port}`)
}

/** The largest that a number and Zipkin's long both can be; all above 2^53 are the nearest of their kind. */
const MOST_MICROS = 2 ** 63 - 1024

/** Of a time, which may be any long: nanoseconds where microseconds were meant are no reason to lose a span. */
export const nearestLong = (value: number): number => Math.max(-MOST_MICROS, Math.min(value, MOST_MICROS))

/** As a span has it; undefined where nothing is in it. */
export function makeEndpoint(given: Endpoint | undefined): Endpoint | undefined {
  if (given === undefined) return undefined
  const { serviceName, ipv4, ipv6, port } = given
  const hasPort = port !== undefined && port > 0
  if (!serviceName && !ipv4 && !ipv6 && !hasPort) return undefined
  const made: Endpoint = {}
  if (serviceName) made.serviceName = serviceName.toLowerCase()
  if (ipv4) made.ipv4 = ipv4
  if (ipv6) made.ipv6 = ipv6
  if (hasPort) made.port = port
  return made
}

function ordered(annotations: Annotation[]): Annotation[] {
  if (annotations.length < 2) return annotations
  const sorted = [...annotations].sort((a, b) => a.timestamp - b.timestamp || compare(a.value, b.value))
  return sorted.filter(
    ({ timestamp, value }, i) => timestamp !== sorted[i - 1]?.timestamp || value !== sorted[i - 1]?.value,
  )
}

/** A key that means something to JavaScript is a key like any other. */
export function setTag(tags: Record<string, string>, key: string, value: string): void {
  if (key !== '__proto__') tags[key] = value
  else Object.defineProperty(tags, key, { value, enumerable: true, configurable: true, writable: true })
}

/** In the order of their keys, as Zipkin has them: so a span that is sent twice is the same twice. The last of a key counts. */
export function sortedTags(entries: [key: string, value: string][]): Record<string, string> {
  const tags: Record<string, string> = {}
  for (const [key, value] of entries.sort(([a], [b]) => compare(a, b))) setTag(tags, key, value)
  return tags
}

export function isEmpty(tags: Record<string, string>): boolean {
  for (const _ in tags) return false
  return true
}

export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The 64 bits that all tracers of a trace agree on, as 16 digits. */
export const lowTraceId = (traceId: string): string => traceId.slice(-16)
