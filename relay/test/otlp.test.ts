// relay/test/otlp.test.ts: spans on to a real OpenTelemetry Collector: what it took is what the relay stores, field by field, and
// nothing is lost or there twice while it, or who stands behind it, is away.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startCollector, whyNoCollector } from '../../scripts/lib/otelcol.mjs'
import { freePort } from '../../scripts/lib/ports.mjs'
import type { Span } from '../src/spans/span.js'
import { folder, postSpans, relayIn, until } from './helpers.js'
import { misplaced, numbered } from './parents.js'
import { makeTraces } from './span-makers.js'

const kinds = { CLIENT: 3, SERVER: 2, PRODUCER: 4, CONSUMER: 5 }
const internal = 1

/** As OpenTelemetry's specification of Zipkin's model says, the other way round. */
function expected(span: Span) {
  const { timestamp = 0, duration = 0, tags = {}, annotations = [], remoteEndpoint: remote } = span
  const nanos = (micros: number) => `${BigInt(micros) * 1000n}`
  return {
    resource: { 'service.name': span.localEndpoint?.serviceName },
    traceId: span.traceId.padStart(32, '0'),
    spanId: span.id,
    parentSpanId: span.parentId ?? '',
    name: span.name,
    kind: span.kind ? kinds[span.kind] : internal,
    start: nanos(timestamp),
    end: nanos(timestamp + duration),
    attributes: {
      ...tags,
      ...(remote?.serviceName && { 'peer.service': remote.serviceName }),
      ...((remote?.ipv4 ?? remote?.ipv6) && { 'network.peer.address': remote.ipv4 ?? remote.ipv6 }),
      ...(remote?.port && { 'network.peer.port': remote.port }),
    },
    events: annotations.map(({ value, timestamp }) => [value, nanos(timestamp)]),
    status: tags.error === undefined ? [0, ''] : [2, tags.error],
  }
}

type Told = ReturnType<typeof expected>
interface Attribute {
  key: string
  value: { stringValue?: string; intValue?: string }
}

const attributesOf = (list: Attribute[] = []) =>
  Object.fromEntries(list.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]))

/** What is compared of a request in OTLP's JSON, as the Collector writes it. */
interface Exported {
  resourceSpans: { resource: { attributes?: Attribute[] }; scopeSpans: { spans: ExportedSpan[] }[] }[]
}
interface ExportedSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes?: Attribute[]
  events?: { name: string; timeUnixNano: string }[]
  status?: { code?: number; message?: string }
}

const toldIn = ({ resourceSpans }: Exported): Told[] =>
  resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans
      .flatMap(({ spans }) => spans)
      .map((span) => ({
        resource: attributesOf(resource.attributes) as Told['resource'],
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        name: span.name,
        kind: span.kind,
        start: span.startTimeUnixNano,
        end: span.endTimeUnixNano,
        attributes: attributesOf(span.attributes),
        events: (span.events ?? []).map(({ name, timeUnixNano }) => [name, timeUnixNano]),
        status: [span.status?.code ?? 0, span.status?.message ?? ''],
      })),
  )

/** What stands behind a Collector, and can be away. */
async function backend() {
  const told: Told[] = []
  let isAway = false
  let refused = 0
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    if (isAway) refused++
    else told.push(...toldIn(JSON.parse(body)))
    response.writeHead(isAway ? 503 : 200, { 'content-type': 'application/json' }).end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close().closeAllConnections())
  return {
    told,
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    refused: () => refused,
    away(is: boolean) {
      isAway = is
    },
  }
}

async function relayTo(collector: string) {
  const tracing = { listen: '127.0.0.1:0', sinks: { otlp: collector } }
  const relay = await relayIn(folder(), { tracing })
  return {
    sink: () => relay.stats().tracing!.sinks[0]!,
    put: (spans: Span[]) => postSpans(`http://${relay.httpAddress}`, spans),
  }
}

const key = ({ spanId, start, kind }: Told) => `${spanId} ${start} ${kind}`
const inOrder = (list: Told[]) => list.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))

/** Spans of all kinds, but for servers under their clients' ids: a test of its own has those. Traces without a root would wait for it. */
const spansOf = (traces: number) =>
  makeTraces(traces, 5, 1_700_000_000_000_000).flatMap((trace) => {
    const clients = new Set(trace.flatMap(({ id, kind }) => (kind === 'CLIENT' ? id : [])))
    const spans = trace.filter(({ id, kind }) => kind === 'CLIENT' || !clients.has(id))
    return spans.some(({ parentId }) => parentId === undefined) ? spans : []
  })

const missing = whyNoCollector()
if (missing) console.warn(`SKIPPED: spans do not go on to a real OpenTelemetry Collector: ${missing}`)

describe.skipIf(missing)('a real OpenTelemetry Collector', () => {
  test('holds every span that the relay stores, with every field', async () => {
    const { told, url } = await backend()
    const collector = await startCollector(url)
    onTestFinished(() => collector.stop())
    const { put, sink } = await relayTo(collector.url)
    const spans = spansOf(100)
    await put(spans)
    await until(() => sink().delivered === spans.length)
    expect(inOrder(told)).toEqual(inOrder(spans.map(expected)))
    expect(sink()).toMatchObject({ offered: spans.length, refused: 0, dropped: 0, waiting: 0 })
  })

  test('that is away, and whose own server is away, gets every span once when they are back', async () => {
    const { told, url, away, refused } = await backend()
    const port = await freePort()
    const { put, sink } = await relayTo(`http://127.0.0.1:${port}`)
    const spans = spansOf(40)
    await put(spans.slice(0, 50))
    await until(() => sink().error !== undefined)
    expect(sink()).toMatchObject({ waiting: 50, delivered: 0, error: 'ECONNREFUSED' })

    away(true) // the Collector says "not now" then, and not "taken"
    const collector = await startCollector(url, port)
    onTestFinished(() => collector.stop())
    await put(spans.slice(50))
    await until(() => refused() > 0 && /^it answers 5/.test(sink().error ?? ''))
    expect(sink()).toMatchObject({ waiting: spans.length, delivered: 0, refused: 0 })

    away(false)
    await until(() => sink().waiting === 0)
    expect(inOrder(told)).toEqual(inOrder(spans.map(expected)))
    expect(sink()).toMatchObject({ delivered: spans.length, refused: 0, dropped: 0 })
    expect(sink().error).toBeUndefined()
  })

  test('has every span below the one that it is below, also where two have one id', async () => {
    const { told, url } = await backend()
    const collector = await startCollector(url)
    onTestFinished(() => collector.stop())
    const { put, sink } = await relayTo(collector.url)
    const traces = makeTraces(100, 5, 1_700_000_000_000_000).map(numbered)
    const spans = traces.flat()
    expect(spans.filter(({ shared }) => shared).length).toBeGreaterThan(20)
    // as they end, so that most of a trace comes in other posts than its root
    const byEnd = spans.toSorted((a, b) => a.timestamp! + a.duration! - b.timestamp! - b.duration!)
    for (let at = 0; at < byEnd.length; at += 50) await put(byEnd.slice(at, at + 50))
    expect(sink()).toMatchObject({ offered: spans.length, waiting: spans.length })
    await until(() => sink().delivered === spans.length)
    for (const trace of traces) {
      const full = trace.reduce((id, { traceId }) => (traceId.length > id.length ? traceId : id), '')
      const placed = told
        .filter(({ traceId }) => traceId === full.padStart(32, '0'))
        .map(({ spanId, parentSpanId, attributes }) => {
          return { id: spanId, parentId: parentSpanId || undefined, n: (attributes as { n: string }).n }
        })
      expect(misplaced(trace, placed)).toEqual([])
    }
  })
})
