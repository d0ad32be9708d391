// relay/test/sinks.test.ts: spans on to other servers: a real Zipkin server, over HTTP and over Scribe, holds what the relay holds;
// and OpenTelemetry's protocol, read back by its own rules.

import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startZipkin, whyNoZipkin } from '../../scripts/lib/zipkin.mjs'
import { startRelay } from '../src/index.js'
import { OtlpTransport } from '../src/sinks/otlp.js'
import { NotTaken } from '../src/sinks/outbox.js'
import type { SinkOptions } from '../src/sinks/sinks.js'
import { ZipkinTransport } from '../src/sinks/zipkin.js'
import type { Span } from '../src/spans/span.js'
import { folder } from './helpers.js'
import { makeTraces } from './span-makers.js'

const missing = whyNoZipkin()
if (missing) console.warn(`SKIPPED: spans do not go on to a real Zipkin server: ${missing}`)

async function relayTo(sinks: SinkOptions) {
  const log: string[] = []
  const options = { listen: '127.0.0.1:0', output: folder(), http: { listen: '127.0.0.1:0', sinks } }
  const relay = await startRelay({ ...options, log: (line) => log.push(line) })
  onTestFinished(() => relay.close())
  return { relay, log, url: `http://${relay.httpAddress}` }
}

async function post(url: string, spans: Span[]) {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/api/v2/spans`, {
    method: 'POST',
    headers,
    body: JSON.stringify(spans),
  })
  expect(response.status).toBe(202)
}

async function traceOf(url: string, id: string): Promise<Span[] | undefined> {
  const response = await fetch(`${url}/api/v2/trace/${id}`)
  const spans = response.ok ? ((await response.json()) as Span[]) : undefined
  return spans?.sort((a, b) => (a.id + (a.shared ?? '') < b.id + (b.shared ?? '') ? -1 : 1))
}

describe.skipIf(missing)('a real Zipkin server', () => {
  let zipkin: Awaited<ReturnType<typeof startZipkin>>
  const start = (Date.now() - 600_000) * 1000

  beforeAll(async () => {
    zipkin = await startZipkin()
  }, 120_000)
  afterAll(() => zipkin?.stop())

  test('holds over HTTP what the relay holds', async () => {
    const { relay, url } = await relayTo({ zipkin: zipkin.url })
    const traces = makeTraces(100, 7, start)
    await post(url, traces.flat())
    const count = traces.flat().length
    await expect.poll(() => relay.stats().tracing?.sinks[0]?.delivered, { timeout: 10_000 }).toBe(count)
    for (const [{ traceId }] of traces as [Span][]) {
      await expect
        .poll(() => traceOf(zipkin.url, traceId), { timeout: 10_000 })
        .toEqual(await traceOf(url, traceId))
    }
  })

  test('holds over Scribe what the relay holds, as far as the old format can say it', async () => {
    const { relay, url } = await relayTo({ scribe: zipkin.scribe })
    const traces = makeTraces(100, 8, start).map((spans) => spans.map(inOldFormat))
    await post(url, traces.flat())
    const count = traces.flat().length
    await expect.poll(() => relay.stats().tracing?.sinks[0]?.delivered, { timeout: 20_000 }).toBe(count)
    for (const [{ traceId }] of traces as [Span][]) {
      await expect
        .poll(() => traceOf(zipkin.url, traceId), { timeout: 10_000 })
        .toEqual(await traceOf(url, traceId))
    }
  })
})

test('a server that is not there is told once, and spans wait', async () => {
  const { target } = await collector({ status: 200 }, true)
  const { relay, log, url } = await relayTo({ zipkin: target, scribe: target })
  await post(url, makeTraces(5, 9, 1_700_000_000_000_000).flat())
  const errors = () => relay.stats().tracing!.sinks.map(({ error }) => error)
  await expect
    .poll(errors, { timeout: 10_000 })
    .toEqual(['ECONNREFUSED', expect.stringContaining('nobody listens')])
  expect(log.toSorted()).toEqual([
    expect.stringMatching(/^scribe .*nobody listens/),
    `zipkin http://${target}: ECONNREFUSED`,
  ])
  for (const { offered, waiting } of relay.stats().tracing!.sinks) expect(waiting).toBe(offered)
})

/** What the old format can say: no server that is called by its own service. Ids of their own, for a server that has others. */
function inOldFormat({ remoteEndpoint, ...span }: Span): Span {
  const isOwn = remoteEndpoint?.serviceName === span.localEndpoint?.serviceName
  const remote = remoteEndpoint && !(span.kind === 'SERVER' && isOwn) ? { remoteEndpoint } : {}
  return { ...span, ...remote, traceId: `5${span.traceId.slice(1)}` }
}

/** A collector that keeps what it is sent. */
async function collector(answer: { status: number; body?: Buffer }, isGone = false) {
  const got: { headers: IncomingHttpHeaders; url: string; body: Buffer }[] = []
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray())
    got.push({ headers: request.headers, url: request.url ?? '', body })
    response.writeHead(answer.status).end(answer.body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  if (isGone) server.close()
  else onTestFinished(() => void server.close())
  return { got, target: `127.0.0.1:${port}` }
}

const one: Span = {
  traceId: '00000000000000ab',
  id: '0000000000000001',
  name: 'x',
  timestamp: 1,
  duration: 2,
}
const batch = { count: 1, json: Buffer.from(JSON.stringify(one)) }
const never = new AbortController().signal

test("OpenTelemetry's protocol: where it is posted, as what, and what was refused of it", async () => {
  // ExportTraceServiceResponse{1: partial_success{1: rejected_spans 1}}
  const { got, target } = await collector({ status: 200, body: Buffer.of(0x0a, 2, 0x08, 1) })
  expect(await new OtlpTransport(target).send(batch, never)).toBe(1)
  expect(got[0]).toMatchObject({ url: '/v1/traces', headers: { 'content-type': 'application/x-protobuf' } })
  expect(got[0]!.body.includes('blkin'), 'the scope').toBe(true)
})

test.each([
  [400, true],
  [413, true],
  [429, false],
  [500, false],
  [503, false],
])('an answer of %i: for good %j', async (status, isForGood) => {
  const { target } = await collector({ status, body: Buffer.from('no\n') })
  const error = await new ZipkinTransport(target).send(batch, never).catch((error) => error)
  expect(error.message).toBe(`it answers ${status}: "no"`)
  expect(error instanceof NotTaken).toBe(isForGood)
})

test.each(['', 'ftp://x', 'http://', 'http://user@x', 'a b'])('%j is no sink', async (target) => {
  expect(() => new ZipkinTransport(target)).toThrow(`sink ${JSON.stringify(target)}: expected a URL`)
})
