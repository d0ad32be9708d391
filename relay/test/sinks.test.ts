// relay/test/sinks.test.ts: spans on to other servers: a real Zipkin server, over HTTP and over Scribe, holds what the relay holds;
// and OpenTelemetry's protocol, read back by its own rules.

import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect, createServer as createTcpServer, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { startZipkin, whyNoZipkin } from '../../scripts/lib/zipkin.mjs'
import { startRelay } from '../src/index.js'
import { NotTaken } from '../src/pipeline/delivery/outbox.js'
import { post as postTo } from '../src/pipeline/delivery/post.js'
import { OtlpTransport } from '../src/pipeline/sinks/otlp.js'
import { ScribeTransport } from '../src/pipeline/sinks/scribe.js'
import { type SinkOptions, Sinks } from '../src/pipeline/sinks/sinks.js'
import { checkOther, ZipkinTransport } from '../src/pipeline/sinks/zipkin.js'
import { v1FromBytes } from '../src/spans/formats/from-v1.js'
import { v1Bytes, v1Size } from '../src/spans/formats/to-v1.js'
import { spansFromV1 } from '../src/spans/formats/v1-to-v2.js'
import type { Endpoint, Span } from '../src/spans/span.js'
import { folder, postSpans } from './helpers.js'
import { scribeClient, type V1, v1Message, v1Struct } from './scribe.js'
import { makeTraces, randomFrom } from './span-makers.js'

const missing = whyNoZipkin()
if (missing) console.warn(`SKIPPED: spans do not go on to a real Zipkin server: ${missing}`)

async function relayTo(sinks: SinkOptions) {
  const log: string[] = []
  const listen = '127.0.0.1:0'
  const options = { listen, output: folder(), tracing: { listen, sinks }, scribe: { listen } }
  const relay = await startRelay({ ...options, log: (line) => log.push(line) })
  onTestFinished(() => relay.close())
  return { relay, log, url: `http://${relay.httpAddress}` }
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
    await postSpans(url, traces.flat())
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
    await postSpans(url, traces.flat())
    const count = traces.flat().length
    await expect.poll(() => relay.stats().tracing?.sinks[0]?.delivered, { timeout: 20_000 }).toBe(count)
    for (const [{ traceId }] of traces as [Span][]) {
      await expect
        .poll(() => traceOf(zipkin.url, traceId), { timeout: 10_000 })
        .toEqual(await traceOf(url, traceId))
    }
  })

  test('makes of spans of the first format what we make of them', async () => {
    const spans = oldSpans(300, 77, start)
    // its Scribe collector takes the first service of a span, and leaves out the others; posted, it takes them all
    const again = spans.map((span) => ({ ...span, traceId: span.traceId | (1n << 60n) }))
    const client = await scribeClient(zipkin.scribe)
    onTestFinished(() => client.end())
    expect(await client.log(again.map((span) => ['zipkin', v1Message(span)]))).toBe('OK')
    const list = Buffer.from([12, 0, 0, 0, 0])
    list.writeInt32BE(spans.length, 1)
    const body = Buffer.concat([list, ...spans.map(v1Struct)])
    const { url } = await relayTo({})
    for (const to of [zipkin.url, url]) await postV1(to, 'application/x-thrift', body)
    const ours = spans.map((span) =>
      spansFromV1(v1FromBytes(v1Struct(span)))
        .map(textOf)
        .sort(),
    )
    expect(ours.flat().length).toBeGreaterThan(400)
    await expect.poll(() => tracesOf(zipkin.url, spans), { timeout: 10_000 }).toEqual(ours)
    expect(await tracesOf(url, spans), 'posted here').toEqual(ours)
    const json = spans.map((span) => ({ ...span, traceId: span.traceId | (1n << 59n) }))
    for (const to of [zipkin.url, url]) await postV1(to, 'application/json', JSON.stringify(json.map(v1Json)))
    const posted = await tracesOf(url, json)
    expect(posted.flat().length).toBeGreaterThan(400)
    await expect.poll(() => tracesOf(zipkin.url, json), { timeout: 10_000 }).toEqual(posted)
    const firsts = async () =>
      (await tracesOf(zipkin.url, again)).map(([one], i) => one !== undefined && ours[i]!.includes(one))
    await expect.poll(firsts, { timeout: 10_000 }).toEqual(spans.map(() => true))
  })

  test('gets whole spans of a relay that got them an annotation a message', async () => {
    const { relay, url } = await relayTo({ scribe: zipkin.scribe })
    const client = await scribeClient(relay.scribeAddress!)
    onTestFinished(() => client.end())
    const [qemu, osd] = [{ serviceName: 'qemu' }, { serviceName: 'osd.0', ipv4: '10.0.0.7', port: 6800 }]
    const of = (id: number, rest: Partial<V1>): [string, string] => [
      'zipkin',
      v1Message({
        traceId: 0x71ecen,
        id: BigInt(id),
        name: 'write',
        ...(id > 1 ? { parentId: 1n } : {}),
        ...rest,
      }),
    ]
    const pieces = [
      of(1, { annotations: [['sr', start, qemu]] }),
      of(2, { annotations: [['cs', start + 10, qemu]] }),
      of(2, { annotations: [['sr', start + 20, osd]] }),
      of(2, { annotations: [['queued', start + 25, osd]] }),
      of(2, { tags: [['object', 'STRING', Buffer.from('disk.0'), osd]] }),
      of(2, { annotations: [['ss', start + 80, osd]] }),
      of(2, { annotations: [['cr', start + 90, qemu]] }),
      of(1, { annotations: [['ss', start + 99, qemu]] }),
    ]
    for (const piece of pieces) expect(await client.log([piece])).toBe('OK')
    const durations = async () => (await traceOf(zipkin.url, '71ece'))?.map(({ duration }) => duration)
    await expect.poll(durations, { timeout: 10_000 }).toEqual([99, 80, 60])
    expect(await traceOf(zipkin.url, '71ece')).toEqual(await traceOf(url, '71ece'))
  })

  test('gets by Scribe what the relay got by Scribe', async () => {
    const { relay, url } = await relayTo({ scribe: zipkin.scribe })
    const upstream = await relayTo({ scribe: relay.scribeAddress! })
    const traces = makeTraces(50, 9, start).map((spans) => spans.map(inOldFormat))
    const renamed = traces.map((spans) =>
      spans.map((span) => ({ ...span, traceId: `6${span.traceId.slice(1)}` })),
    )
    await postSpans(upstream.url, renamed.flat())
    const count = renamed.flat().length
    await expect.poll(() => relay.stats().tracing?.sinks[0]?.delivered, { timeout: 20_000 }).toBe(count)
    for (const [{ traceId }] of renamed as [Span][]) {
      const ours = await traceOf(upstream.url, traceId)
      expect(await traceOf(url, traceId)).toEqual(ours)
      await expect.poll(() => traceOf(zipkin.url, traceId), { timeout: 10_000 }).toEqual(ours)
    }
  })
})

test('a server that is not there is told once, and spans wait', async () => {
  const { target } = await collector({ status: 200 }, true)
  const { relay, log, url } = await relayTo({ zipkin: target, scribe: target })
  await postSpans(url, makeTraces(5, 9, 1_700_000_000_000_000).flat())
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

/** What stands before a server, and keeps its first answer to itself until it is told. */
async function slowly(address: string) {
  const { hostname: host, port } = new URL(`tcp://${address}`)
  const sockets: Socket[] = []
  let answer = () => {}
  let has = () => {}
  const hasAnswer = new Promise<void>((resolve) => {
    has = resolve
  })
  const server = createTcpServer((socket) => {
    const behind = connect(Number(port), host)
    sockets.push(socket, behind)
    socket.on('error', () => {}).pipe(behind.on('error', () => {}))
    behind.on('data', (bytes) => {
      answer = () => socket.write(bytes)
      has()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const at = server.address() as { port: number }
  return { address: `127.0.0.1:${at.port}`, hasAnswer, answer: () => answer() }
}

/** The spans of each trace, as texts in order. */
async function tracesOf(url: string, of: V1[]): Promise<string[][]> {
  const ids = of.map(({ traceId, high }) => `${high ? hex(high as bigint) : ''}${hex(traceId)}`)
  const texts = new Map(ids.map((id): [string, string[]] => [id, []]))
  for (let at = 0; at < ids.length; at += 100) {
    const asked = ids.slice(at, at + 100).join(',')
    const response = await fetch(`${url}/api/v2/traceMany?traceIds=${asked}`)
    for (const span of ((await response.json()) as Span[][]).flat())
      texts.get(span.traceId)!.push(textOf(span))
  }
  return [...texts.values()].map((spans) => spans.sort())
}

/** Without its trace. */
const textOf = ({ traceId: _, ...span }: Span): string => JSON.stringify(sortedKeys(span))

const hex = (id: bigint) => id.toString(16).padStart(16, '0')

const sortedKeys = (value: unknown): unknown =>
  value && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, one]) => [key, sortedKeys(one)]),
      )
    : value

/** Spans of the first format, a trace each, of whatever may stand in one, sensible or not. */
function oldSpans(count: number, seed: number, start: number): V1[] {
  const random = randomFrom(seed)
  const some = <T>(values: readonly T[]): T => values[random(values.length)]!
  const hosts: (Endpoint | undefined)[] = [
    ...[undefined, {}, { serviceName: 'Front' }, { serviceName: 'front', ipv4: '10.0.0.1', port: 40_000 }],
    ...[
      { serviceName: 'back', ipv4: '10.0.0.2' },
      { ipv4: '10.0.0.3', port: 80 },
    ],
  ]
  const cores = ['cs', 'cr', 'sr', 'ss', 'ms', 'mr', 'ws', 'wr', 'xx', 'cache miss']
  return Array.from({ length: count }, (_, n): V1 => {
    const at = start + n * 1000
    const duration = some([undefined, 0, 50, 40])
    const values = Array.from({ length: random(6) }, () => some(cores))
    if (random(3) === 0) values.push('cs', 'cr')
    if (random(3) === 0) values.push('sr', 'ss')
    const trues = ['ca', 'sa', 'ma'].filter(() => random(3) === 0)
    return {
      traceId: BigInt(n + 1) << 20n,
      id: BigInt(n + 7),
      ...(random(2) ? { high: 9n } : {}),
      ...(random(2) ? { parentId: BigInt(random(3)) } : {}),
      name: some(['', 'GET', 'unknown']),
      ...(random(4) ? {} : { debug: true }),
      ...(random(2) ? { timestamp: some([at, 0]) } : {}),
      ...(duration === undefined ? {} : { duration }),
      annotations: values.map((value) => [value, at + some([0, 10, 20, 40, 50]), some(hosts)]),
      tags: [
        ...trues.map((key): OldTag => {
          const type = some(['BOOL', 'BOOL', 'STRING'] as const)
          return [key, type, Buffer.of(random(5) ? 1 : 0), some(hosts)]
        }),
        ...['lc', 'error', 'lc'].slice(random(4)).map((key): OldTag => {
          return [
            key,
            some(['STRING', 'STRING', 'BYTES'] as const),
            Buffer.from(some(['', 'no'])),
            some(hosts),
          ]
        }),
      ],
    }
  })
}

async function postV1(url: string, type: string, body: string | Buffer): Promise<void> {
  const init = { method: 'POST', headers: { 'content-type': type }, body }
  expect((await fetch(`${url}/api/v1/spans`, init as RequestInit)).status).toBe(202)
}

/** What is no text, yes or no has no place in it. */
function v1Json({ traceId, id, annotations = [], tags = [], ...rest }: V1): object {
  const { high, parentId, ...others } = rest as { high?: bigint; parentId?: bigint }
  return {
    ...{ traceId: (high === undefined ? '' : hex(high)) + hex(traceId), id: hex(id), ...others },
    ...(parentId === undefined ? {} : { parentId: hex(parentId) }),
    annotations: annotations.map(([value, timestamp, endpoint]) => ({ timestamp, value, endpoint })),
    binaryAnnotations: tags
      .filter(([, type]) => type !== 'BYTES')
      .map(([key, type, bytes, endpoint]) => {
        return { key, value: type === 'BOOL' ? bytes[0] === 1 : bytes.toString(), endpoint }
      }),
  }
}

type OldTag = NonNullable<V1['tags']>[number]

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
  [422, true],
  [401, false],
  [403, false],
  [404, false],
  [408, false],
  [425, false],
  [429, false],
  [500, false],
  [503, false],
])('an answer of %i: for good %j', async (status, isForGood) => {
  const { target } = await collector({ status, body: Buffer.from('no\n') })
  const error = await new ZipkinTransport(target).send(batch, never).catch((error) => error)
  expect(error.message).toBe(`it answers ${status}: "no"`)
  expect(error instanceof NotTaken).toBe(isForGood)
})

test('a redirect is not followed, and is none for good', async () => {
  const to = await collector({ status: 202 })
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(307, { location: `http://${to.target}/api/v2/spans` }).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close().closeAllConnections())
  const { port } = server.address() as { port: number }
  const sent = new ZipkinTransport(`http://:secret@127.0.0.1:${port}`).send(batch, never)
  const error = await sent.catch((error) => error)
  expect(error).toBeInstanceOf(Error)
  expect(error).not.toBeInstanceOf(NotTaken)
  expect(to.got).toEqual([])
})

test.each([
  ['as it is', false],
  ['packed, which was not asked for', true],
])('an answer without end, %s, is read to 64 KiB and no further', async (_, isPacked) => {
  const asked: IncomingHttpHeaders[] = []
  const server = createServer(async (request, response) => {
    asked.push(request.headers)
    await request.toArray()
    response.writeHead(200, isPacked ? { 'content-encoding': 'gzip' } : {})
    const zeros = Readable.from(endless())
    await (isPacked ? pipeline(zeros, createGzip(), response) : pipeline(zeros, response)).catch(() => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close().closeAllConnections())
  const url = new URL(`http://127.0.0.1:${(server.address() as { port: number }).port}`)
  const closed = new Promise((resolve) => server.on('connection', (socket) => socket.on('close', resolve)))
  const answer = await postTo({ url, headers: {} }, {}, Buffer.from('[]'), AbortSignal.timeout(10_000))
  expect(answer.length).toBe(2 ** 16)
  await closed
  expect(asked[0]!['accept-encoding']).toBe('identity')
})

function* endless() {
  for (;;) yield Buffer.alloc(2 ** 16)
}

test.each([
  ...['', 'ftp://x', 'http://', 'a b', 'http://x/#y'].map((target) => [target, target]),
  ['http://user@x', 'http://***@x'],
  ['http://us%3Aer:secret@x', 'http://***@x'],
  ['ftp://:secret@x', 'ftp://***@x'],
  ['http://:sec/ret@x', 'http://***@x'],
  [':sec@ret@', '***@'],
  ['http://:%ff@x', 'http://***@x'],
  ['http://:secr%0aet@x', 'http://***@x'],
])('%j is no sink', (target, shown) => {
  expect(() => new ZipkinTransport(target!)).toThrow(`sink ${JSON.stringify(shown)}: expected a URL`)
})

test('a user and a password are shown as such, and said back are in no log', async () => {
  const asked: (string | undefined)[] = []
  const server = createServer(({ headers }, response) => {
    asked.push(headers.authorization)
    response.writeHead(401).end(`${headers.authorization} is not p:wd of someone`)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const transport = new ZipkinTransport(`http://someone:p%3Awd@127.0.0.1:${port}`)
  const batch = { count: 1, json: Buffer.from('{}') }
  const failed = await transport.send(batch, AbortSignal.timeout(10_000)).catch(String)
  expect(asked).toEqual([`Basic ${btoa('someone:p:wd')}`])
  expect(transport.name).toBe(`zipkin http://127.0.0.1:${port}`)
  expect(failed).toMatch('it answers 401: "Basic *** is not *** of someone"')
})

test('who refuses a token and says which has it told to nobody', async () => {
  const server = createServer((request, response) => {
    response.writeHead(401).end(`${'x'.repeat(290)} ${request.headers.authorization} is none`)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const batch = { count: 1, json: Buffer.from('{}') }
  const failed = await new ZipkinTransport(`http://:secretest@127.0.0.1:${port}`)
    .send(batch, AbortSignal.timeout(10_000))
    .catch(String)
  expect(failed).toMatch(/it answers 401: "x+ Bearer"$|it answers 401: "x+ Bearer \*/)
  expect(failed).not.toContain('secr')
})

test.each([['secret'], ['a/b@c:d%']].map(([token]) => [token!, encodeURIComponent(token!)]))(
  'a relay that wants the token %j gets it, and nobody else',
  async (token, written) => {
    const to = await startRelay({
      ...{ listen: '127.0.0.1:0', output: folder(), token, tracing: { listen: '127.0.0.1:0' } },
    })
    onTestFinished(() => to.close())
    const log: string[] = []
    const outbox = new Sinks({ zipkin: `http://:${written}@${to.httpAddress}` }, (line) => log.push(line))
    const without = new Sinks({ zipkin: to.httpAddress! }, (line) => log.push(line))
    onTestFinished(() => Promise.all([outbox.close(), without.close()]).then(() => {}))
    outbox.add([one])
    without.add([one])
    await expect.poll(() => outbox.stats()[0], { timeout: 10_000 }).toMatchObject({ delivered: 1 })
    await expect.poll(() => without.stats()[0]!.error, { timeout: 10_000 }).toMatch(/^it answers 401/)
    expect(to.stats().tracing).toMatchObject({ posted: 1 })
    expect(outbox.stats()[0]!.name).toBe(`zipkin http://${to.httpAddress}`)
    expect(log.join()).not.toContain('secret')
  },
)

test("the size of a span in Zipkin's first format is known before it is made", () => {
  const spans = makeTraces(200, 11, 1_700_000_000_000_000).flat()
  const odd: Span[] = [
    { traceId: 'ab', id: '1' },
    { traceId: 'ab', id: '1', localEndpoint: { serviceName: 'späte' } },
    { traceId: 'ab', id: '1', remoteEndpoint: { ipv6: '::1' }, tags: { ä: '€' } },
    { traceId: 'ab', id: '1', kind: 'SERVER', timestamp: 5, annotations: [{ timestamp: 6, value: 'ü' }] },
  ]
  for (const span of [...spans, ...odd, ...odd.map((span) => ({ ...span, shared: true as const }))])
    expect(v1Size(span), JSON.stringify(span)).toBe(v1Bytes(span).length)
})

describe('by Scribe', () => {
  const batchOf = (spans: Span[]) => ({
    count: spans.length,
    json: Buffer.from(spans.map((span) => JSON.stringify(span)).join(',')),
  })
  const tagged = (length: number): Span => ({ ...one, tags: { big: 'x'.repeat(length) } })

  test('what fills a frame to the last byte is sent, what needs one more is refused before it is', async () => {
    const { relay } = await relayTo({})
    const transport = new ScribeTransport(relay.scribeAddress!)
    onTestFinished(() => transport.close())
    const frameOf = (spans: Span[]) =>
      spans.reduce((sum, span) => sum + 21 + Math.ceil(v1Size(span) / 3) * 4, 24)
    const room = (16_384_000 - frameOf([tagged(0), tagged(0)])) & ~3
    const most = Math.floor(room / 4) * 3
    const rest = [...Array(8).keys()].map((n) => [tagged(most - 4 + n), tagged(0)])
    const fits = rest.filter((spans) => frameOf(spans) <= 16_384_000)
    expect(fits.length, 'some fit, and some do not').toBeGreaterThan(0)
    expect(fits.length).toBeLessThan(rest.length)
    expect(frameOf(fits.at(-1)!)).toBeGreaterThan(16_384_000 - 4)
    expect(await transport.send(batchOf(fits.at(-1)!), never)).toBe(0)
    const refused = transport.send(batchOf(rest[fits.length]!), never)
    await expect(refused).rejects.toThrow(NotTaken)
    await expect(refused).rejects.toThrow(/frame of 1638400\d bytes; expected at most 16384000/)
  })

  test('a span that is a giant there is refused, unmade, and holds up no other', async () => {
    const to = await relayTo({})
    const { relay, log, url } = await relayTo({ scribe: to.relay.scribeAddress! })
    const tags = Object.fromEntries([...Array(2000).keys()].map((n) => [`k${n}`, 'v']))
    const giant: Span = {
      ...one,
      id: '00000000000000ff',
      localEndpoint: { serviceName: 's'.repeat(1e6) },
      tags,
    }
    await postSpans(url, [one, giant, { ...one, id: '0000000000000002' }])
    const sink = () => relay.stats().tracing!.sinks[0]!
    await expect.poll(sink, { timeout: 10_000 }).toMatchObject({ delivered: 2, refused: 1, waiting: 0 })
    expect(log.join()).toMatch(/refuses a span: it makes a frame of 2\d{9} bytes/)
    expect(to.relay.stats().scribe).toMatchObject({ good: 2, bad: 0 })
  })

  test('spans of one batch that fit no frame together go in several', async () => {
    const to = await relayTo({})
    const { relay, url } = await relayTo({ scribe: to.relay.scribeAddress! })
    const tags = Object.fromEntries([...Array(700).keys()].map((n) => [`k${n}`, 'v']))
    const spans = [...Array(40).keys()].map((n): Span => {
      const id = (n + 1).toString(16).padStart(16, '0')
      return { ...one, id, localEndpoint: { serviceName: 's'.repeat(1000) }, tags }
    })
    await postSpans(url, spans)
    const sink = () => relay.stats().tracing!.sinks[0]!
    await expect.poll(sink, { timeout: 10_000 }).toMatchObject({ delivered: 40, refused: 0, waiting: 0 })
    expect(to.relay.stats().scribe).toMatchObject({ good: 40, bad: 0 })
  })

  test('a server may take as long for its answer as the attempt may last', async () => {
    const { relay } = await relayTo({})
    const slow = await slowly(relay.scribeAddress!)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const transport = new ScribeTransport(slow.address)
    onTestFinished(() => transport.close())
    const sent = transport.send(batchOf([one]), never)
    await Promise.race([slow.hasAnswer, sent])
    vi.advanceTimersByTime(3_600_000)
    slow.answer()
    expect(await sent).toBe(0)
    expect(relay.stats().scribe).toMatchObject({ good: 1 })
  })

  test('an attempt that is ended fails with the reason for that', async () => {
    const { relay } = await relayTo({})
    const slow = await slowly(relay.scribeAddress!)
    const transport = new ScribeTransport(slow.address)
    const attempt = new AbortController()
    const sent = transport.send(batchOf([one]), attempt.signal)
    slow.hasAnswer.then(() => attempt.abort(new Error('that is enough')))
    await expect(sent).rejects.toThrow('that is enough')
    const late = transport.send(batchOf([one]), AbortSignal.abort(new Error('too late')))
    await expect(late).rejects.toThrow('too late')
  })

  test('what cannot be written is refused: it cannot be later either', async () => {
    const transport = new ScribeTransport('127.0.0.1:1')
    await expect(transport.send(batchOf([{ ...one, timestamp: 0.5 }]), never)).rejects.toThrow(NotTaken)
    await expect(transport.send({ count: 1, json: Buffer.from('{') }, never)).rejects.toThrow(NotTaken)
  })
})

test.each([
  ['127.0.0.1:4651', '127.0.0.1:4651'],
  ['127.0.0.1:4651', 'http://localhost:4651/'],
  ['127.0.0.1:4651', 'http://:secret@[::1]:4651/api/v2/spans'],
  ['[::1]:4651', 'http://[::1]:4651'],
  ['127.0.0.1:80', 'http://127.0.0.1'],
  ['0.0.0.0:4651', '127.0.0.1:4651'],
  ['10.0.0.7:4651', '10.0.0.7:4651'],
])('a relay whose API listens at %s sends nothing to %s: that is itself', async (listen, zipkin) => {
  expect(() => checkOther(listen, zipkin)).toThrow(TypeError)
  expect(() => checkOther(listen, zipkin)).toThrow(
    /^http listens on "[^@]*expected another server than itself$/,
  )
  const options = {
    listen: '127.0.0.1:0',
    output: folder(),
    token: 'x',
    tracing: { listen, sinks: { zipkin } },
  }
  await expect(startRelay(options)).rejects.toThrow('expected another server than itself')
})

test.each([
  ['127.0.0.1:4651', '127.0.0.1:4652'],
  ['127.0.0.1:4651', 'http://localhost'],
  ['127.0.0.1:4651', '10.0.0.7:4651'],
  ['10.0.0.7:4651', '127.0.0.1:4651'],
])('one at %s may send to %s', (listen, zipkin) => {
  expect(() => checkOther(listen, zipkin)).not.toThrow()
})
