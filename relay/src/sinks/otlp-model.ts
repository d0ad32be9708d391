// relay/src/sinks/otlp-model.ts: spans in OpenTelemetry's model, as its specification translates Zipkin's. Pure. What Zipkin's
// model has and that one has not: a server's span under its client's id gets an id of its own, below the client's; a span without
// an end ends where it begins, and says so by its tag `blkin.incomplete`.

import { type Attributes, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api'
import type { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import type { Endpoint, Span } from '../spans/span.js'

type Model = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0]

const kinds = {
  CLIENT: SpanKind.CLIENT,
  SERVER: SpanKind.SERVER,
  PRODUCER: SpanKind.PRODUCER,
  CONSUMER: SpanKind.CONSUMER,
}
const scope = { name: 'blkin' }

export function modelOf(spans: readonly Span[]): Model {
  const resources = new Map<string, object>()
  const resourceOf = (service: string) => {
    const known = resources.get(service) ?? { attributes: { 'service.name': service } }
    resources.set(service, known)
    return known
  }
  return spans.map((span) => one(span, resourceOf(span.localEndpoint?.serviceName ?? 'unknown'))) as Model
}

function one(span: Span, resource: object) {
  const { timestamp = 0, duration = 0, kind, name = '', annotations = [], tags = {} } = span
  const error = tags.error
  const status =
    error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: error }
  return {
    ...idsOf(span),
    ...{ name, status, resource, instrumentationScope: scope, ended: true },
    kind: kind ? kinds[kind] : SpanKind.INTERNAL,
    startTime: hrTime(timestamp),
    endTime: hrTime(timestamp + duration),
    duration: hrTime(duration),
    attributes: { ...tags, ...peerOf(span.remoteEndpoint) } as Attributes,
    events: annotations.map(({ timestamp, value }) => ({ time: hrTime(timestamp), name: value })),
    links: [],
    ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
  }
}

function idsOf({ traceId, id, parentId, shared }: Span) {
  const context = (spanId: string, isRemote = false) => ({
    ...{ traceId: traceId.padStart(32, '0'), spanId, isRemote, traceFlags: TraceFlags.SAMPLED },
  })
  const own = shared ? serverId(id) : id
  const parent = shared ? id : parentId
  return {
    spanContext: () => context(own),
    ...(parent === undefined ? {} : { parentSpanContext: context(parent, shared === true) }),
  }
}

/** The same for the same id, so that a batch that is sent again is the same. */
function serverId(id: string): string {
  const other = BigInt.asUintN(64, BigInt(`0x${id}`) ^ (1n << 63n))
  return (other === 0n ? 1n : other).toString(16).padStart(16, '0')
}

const hrTime = (micros: number): [seconds: number, nanos: number] => [
  Math.floor(micros / 1e6),
  Math.round((micros % 1e6) * 1000),
]

function peerOf({ serviceName, ipv4, ipv6, port }: Endpoint = {}): Attributes {
  const address = ipv4 ?? ipv6
  return {
    ...(serviceName === undefined ? {} : { 'peer.service': serviceName }),
    ...(address === undefined ? {} : { 'network.peer.address': address }),
    ...(port === undefined ? {} : { 'network.peer.port': port }),
  }
}
