// relay/src/spans/formats/to-otlp.ts: spans in OpenTelemetry's model, as its specification translates Zipkin's. Pure. Two spans of one id,
// which that model has not, halves.ts has made two ids of; a span without an end ends where it begins, and says so by its tag
// `blkin.incomplete`.

import { type Attributes, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api'
import type { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import type { Endpoint, Span } from '../span.js'

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
  return {
    spanContext: () => context(id),
    ...(parentId === undefined ? {} : { parentSpanContext: context(parentId, shared === true) }),
  }
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
