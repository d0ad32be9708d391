// relay/test/traces.test.ts: from a traced process to an answer of the API: the whole way through one relay.
// What the API does with bad requests is here too; what it answers to good ones is compared in zipkin.test.ts.

import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type IncomingMessage, get as request } from 'node:http'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test, vi } from 'vitest'
import { MemoryBudget } from '../src/common/memory-budget.js'
import { Rejections } from '../src/common/rejections.js'
import { startRelay } from '../src/index.js'
import { SpanStore } from '../src/pipeline/store/store.js'
import { RequestMemory } from '../src/ports/http/request-memory.js'
import { i64 } from '../src/protocol/wire.js'
import type { Span } from '../src/spans/span.js'
import { connect, makeHello, makePut, tracepoint } from './client.js'
import { encode, StreamWriter } from './ctf-writer.js'
import { asJson, folder, relayIn } from './helpers.js'
import { SpanWriter, spanTracepoints } from './span-events.js'
import { makeTraces } from './span-makers.js'

const tracing = { listen: '127.0.0.1:0' }

async function get<Body = Span[][]>(relay: { httpAddress: string | undefined }, path: string): Promise<Body> {
  const response = await fetch(`http://${relay.httpAddress}${path}`)
  return (await response.json()) as Body
}

async function eventually<Body>(ask: () => Promise<Body>, holds: (body: Body) => boolean): Promise<Body> {
  for (;;) {
    const body = await ask()
    if (holds(body)) return body
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function post(relay: { httpAddress: string | undefined }, body: unknown, headers = {}) {
  const url = `http://${relay.httpAddress}/api/v2/spans`
  const how = { method: 'POST', body: body as string, headers: { ...asJson, ...headers } }
  const response = await fetch(url, how)
  return { status: response.status, text: await response.text() }
}

const all = '/api/v2/traces?lookback=9000000000000&limit=100'

test('spans of two processes are one trace, and ordinary events of theirs are stored as ever', async () => {
  const output = folder()
  const relay = await relayIn(output, { tracing })
  const clock = { bootId: Buffer.alloc(16, 7), offset: i64(BigInt(Date.now()) * 1_000_000n - 1_000_000n) }
  const trace = { high: 0x463ac35c9f6413adn, low: 0xffff_ffff_ffff_fff1n }
  for (const [program, pid] of [
    ['front', 1],
    ['store', 2],
  ] as const) {
    const client = await connect(relay.address)
    const hello = makeHello({ program, pid, clock })
    await client.hello(hello)
    await client.declare([...spanTracepoints(i64), tracepoint(7, 'p:e')])
    const streams = [0, 262144, 262145].map((stream) => new StreamWriter(hello.uuid, stream))
    const [ordinary, one, two] = streams as [StreamWriter, StreamWriter, StreamWriter]
    for (const stream of streams) stream.start(1n)
    const [a, b] = [new SpanWriter(one), new SpanWriter(two)]
    const ids = { ...trace, span: 5n }
    ordinary.event(7, 10n, encode('u32', 1))
    if (program === 'front') {
      a.begin(1000, ids, 'PUT', { kind: 'client', flags: 1 })
      a.remote(2000, ids, 'store', '10.0.0.2', 4650)
    } else {
      a.begin(3000, ids, 'put', { kind: 'server', flags: 2 })
      b.annotation(4000, ids, 'queued')
      b.number(5000, ids, 'bytes', 4096)
    }
    b.end(program === 'front' ? 9000 : 6000, ids) // on another CPU, and there first
    for (const stream of [two, one, ordinary]) await client.put(makePut(stream.stream, 1, stream.take()))
    client.end()
  }
  const [spans] = await eventually(
    () => get(relay, all),
    (traces) => traces[0]?.length === 2,
  )
  expect(spans).toMatchObject([
    {
      ...{ traceId: '463ac35c9f6413adfffffffffffffff1', id: '0000000000000005', kind: 'CLIENT', name: 'put' },
      ...{ duration: 8, debug: true, localEndpoint: { serviceName: 'front' } },
      remoteEndpoint: { serviceName: 'store', ipv4: '10.0.0.2', port: 4650 },
    },
    {
      ...{
        kind: 'SERVER',
        shared: true,
        duration: 3,
        tags: { bytes: '4096', 'blkin.host': '07070707' },
        localEndpoint: { serviceName: 'store' },
      },
      annotations: [{ timestamp: spans![1]!.timestamp! + 1, value: 'queued' }],
    },
  ])
  expect(await get(relay, `/api/v2/dependencies?endTs=${Date.now() + 1000}`)).toEqual([
    { parent: 'front', child: 'store', callCount: 1 },
  ])
  expect(relay.stats()).toMatchObject({
    processes: [{ events: 3 }, { events: 3 }],
    tracing: { events: 7, inSpans: 7, spans: 2, stored: 2, held: 0 },
  })
})

test('spans are there after a restart, those that were open when the relay closed among them', async () => {
  const output = folder()
  const first = await startRelay({
    listen: '127.0.0.1:0',
    output,
    tracing: { ...tracing, autocompleteKeys: ['env'] },
  })
  const client = await connect(first.address)
  const hello = makeHello({ program: 'p' })
  await client.hello(hello)
  await client.declare(spanTracepoints(i64))
  const writer = new StreamWriter(hello.uuid, 262144)
  writer.start(1n)
  new SpanWriter(writer).begin(1000, { low: 1n, span: 2n }, 'open')
  await client.put(makePut(262144, 1, writer.take()))
  await post(first, JSON.stringify([{ traceId: 'a', id: 'b', timestamp: 5, tags: { env: 'prod' } }]))
  await first.close()
  expect(existsSync(`${output}/.spans/spans.duckdb`)).toBe(true)
  const relay = await relayIn(output, { tracing: { ...tracing, autocompleteKeys: ['env'] } })
  expect(await get(relay, '/api/v2/services')).toEqual(['p'])
  expect(await get(relay, '/api/v2/autocompleteValues?key=env')).toEqual(['prod'])
  expect(await get(relay, all)).toMatchObject([
    [{ name: 'open', tags: { 'blkin.incomplete': 'the relay closed' } }],
    [{ id: '000000000000000b' }],
  ])
})

test('protobuf is taken as JSON is', async () => {
  const relay = await relayIn(folder(), { tracing })
  const field = (number: number, bytes: Buffer) =>
    Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes])
  const fixed = (number: number, value: bigint) =>
    Buffer.concat([Buffer.from([(number << 3) | 1]), encode('u64', value)])
  const span = Buffer.concat([
    field(1, Buffer.from('00000000000000ab', 'hex')),
    field(3, Buffer.from('00000000000000cd', 'hex')),
    Buffer.from([0x20, 2]), // kind: SERVER
    field(5, Buffer.from('Get')),
    fixed(6, 1_000_000n),
    Buffer.from([0x38, 0x96, 0x01]), // duration: 150
    field(
      8,
      Buffer.concat([
        field(1, Buffer.from('Svc')),
        field(2, Buffer.from([10, 0, 0, 1])),
        Buffer.from([0x20, 80]),
      ]),
    ),
    field(9, field(3, Buffer.from('20010db8000000000000000000000001', 'hex'))),
    field(10, Buffer.concat([fixed(1, 7n), field(2, Buffer.from('x'))])),
    field(11, Buffer.concat([field(1, Buffer.from('k')), field(2, Buffer.from('v'))])),
    Buffer.from([0x60, 1, 0x68, 1]), // debug, shared
  ])
  const headers = { 'content-type': 'application/x-protobuf' }
  expect(await post(relay, field(1, span), headers)).toEqual({ status: 202, text: '' })
  expect(await get(relay, '/api/v2/trace/ab')).toEqual([
    {
      ...{ traceId: '00000000000000ab', id: '00000000000000cd', kind: 'SERVER', name: 'get', timestamp: 1e6 },
      ...{ duration: 150, localEndpoint: { serviceName: 'svc', ipv4: '10.0.0.1', port: 80 } },
      ...{ remoteEndpoint: { ipv6: '2001:db8::1' }, annotations: [{ timestamp: 7, value: 'x' }] },
      ...{ tags: { k: 'v' }, debug: true, shared: true },
    },
  ])
  const beyond = Buffer.concat([span, field(8, Buffer.from([0x20, 0xf0, 0xa2, 0x04]))]) // port: 70000
  expect(await post(relay, field(1, beyond), headers)).toEqual({
    status: 400,
    text: 'invalid port 70000 reading List<Span> from proto3',
  })
  for (let cut = 1; cut < span.length; cut++) {
    const { status } = await post(relay, field(1, span).subarray(0, cut), headers)
    expect(status, `cut at ${cut}`).toBe(400)
  }
})

test('a first line that is none is refused, more slashes are one, and names of encodings have no case', async () => {
  const relay = await relayIn(folder(), { tracing })
  const { hostname, port } = new URL(`http://${relay.httpAddress}`)
  const status = async (path: string) => {
    const sent = request({ host: hostname, port, path, agent: false })
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    response.resume()
    return response.statusCode
  }
  expect([await status('http://[::'), await status('//x/health'), await status('//health')]).toEqual([
    400, 404, 200,
  ])
  const span = { traceId: '00000000000000ab', id: '0000000000000001' }
  const headers = { 'content-type': 'Application/JSON', 'content-encoding': 'GZIP' }
  expect((await post(relay, gzipSync(JSON.stringify([span])), headers)).status).toBe(202)
})

test('bodies have bounds, before and after they are unpacked', async () => {
  const relay = await relayIn(folder(), { tracing })
  expect(await post(relay, ' '.repeat(10 * 2 ** 20 + 1))).toMatchObject({ status: 413 })
  const bomb = gzipSync(Buffer.alloc(33 * 2 ** 20, ' '))
  expect(await post(relay, bomb, { 'content-encoding': 'gzip' })).toMatchObject({ status: 413 })
  expect(await post(relay, '[]', { 'content-encoding': 'gzip' })).toEqual({
    status: 400,
    text: 'Cannot gunzip spans',
  })
  expect(await post(relay, '[]')).toMatchObject({ status: 202 })
})

test('a post of more than a relay takes at once is refused before it is made into objects', async () => {
  const relay = await relayIn(folder(), { tracing })
  const parsed = vi.spyOn(JSON, 'parse')
  onTestFinished(() => parsed.mockRestore())
  const json = (bytes: string) => post(relay, gzipSync(bytes), { 'content-encoding': 'gzip' })
  const many = (what: string, count: number) => `${`${what},`.repeat(count - 1)}${what}`
  const span = (key: string, of: string) => `{"traceId":"1","id":"1","${key}":${of}}`
  const tooMany = 'the body has 25001 spans or more; expected at most 25000'
  for (const one of ['{}', '[]', span('name', '"a"')])
    expect(await json(`[${many(one, 30_000)}]`)).toEqual({ status: 413, text: tooMany })
  expect(await json(`[${many('0', 500_001)}]`)).toEqual({
    ...{ status: 413, text: 'the body has 60001 values in one span or more; expected at most 60000' },
  })
  const large = span('annotations', `[${many('{"timestamp":1,"value":"a"}', 19_000)}]`)
  expect(await json(`[${many(large, 9)}]`)).toEqual({
    ...{ status: 413, text: 'the body has 500001 values or more; expected at most 500000' },
  })
  expect(parsed.mock.calls.filter(([text]) => text.startsWith('['))).toEqual([])
  expect(await json(`[${large}]`), 'as many as a span may have').toMatchObject({ status: 202 })
  const words = JSON.stringify('[{"\\",'.repeat(100_000))
  expect(await json(`[${span('name', words)}]`), 'texts are texts').toMatchObject({ status: 202 })

  const headers = { 'content-type': 'application/x-protobuf' }
  const id = (field: number) => [(field << 3) | 2, 8, ...Array(8).fill(1)]
  const proto = [10, 20, ...id(1), ...id(3)]
  const list = (count: number) => Buffer.concat(Array(count).fill(Buffer.from(proto)))
  expect((await post(relay, list(25_000), headers)).status).toBe(202)
  expect(await post(relay, list(25_001), headers)).toEqual({ status: 413, text: tooMany })
  expect(await post(relay, Buffer.alloc(200_000, Buffer.of(42, 0)), headers)).toMatchObject({ status: 413 })
})

test('the API asks for the token, and is not opened to the network without one', async () => {
  const relay = await relayIn(folder(), { tracing, token: 'secret' })
  const url = `http://${relay.httpAddress}/api/v2/services`
  expect((await fetch(url)).status).toBe(401)
  expect((await fetch(url, { headers: { authorization: 'Bearer secret' } })).status).toBe(200)
  const open = startRelay({ listen: '127.0.0.1:0', output: folder(), tracing: { listen: '0.0.0.0:0' } })
  await expect(open).rejects.toThrow(
    'http is "0.0.0.0:0" and token is missing; expected a token on anything but loopback',
  )
  const live = startRelay({ listen: '127.0.0.1:0', live: () => {}, tracing })
  await expect(live).rejects.toThrow(
    'tracing is given and output is missing; expected a folder for the spans',
  )
})

test('a trace of 100,000 spans in a chain with a cycle at its end is stored, told whole, and linked', async () => {
  const relay = await relayIn(folder(), { tracing })
  const count = 100_000
  const spans = Array.from({ length: count }, (_, i) => ({
    ...{
      traceId: 'c',
      id: (i + 1).toString(16),
      parentId: (((i + 1) % count) + 1).toString(16),
      kind: 'SERVER',
    },
    ...{ timestamp: 1_000_000 + i, duration: 1, localEndpoint: { serviceName: `s${i % 2}` } },
  }))
  for (let at = 0; at < count; at += 25_000) {
    expect(await post(relay, JSON.stringify(spans.slice(at, at + 25_000)))).toMatchObject({ status: 202 })
  }
  expect((await get<Span[]>(relay, '/api/v2/trace/c')).length).toBe(count)
  const links = await get<{ callCount: number }[]>(relay, '/api/v2/dependencies?endTs=5000&lookback=5000')
  expect(links.reduce((sum, { callCount }) => sum + callCount, 0)).toBe(count - 1)
}, 120_000)

test('what is old goes, and what is beyond the size, the oldest first; the names go with it', async () => {
  const options = { autocompleteKeys: [], rejections: new Rejections(() => {}) }
  const now = Date.now() * 1000
  const output = folder()
  const store = await SpanStore.open(output, { ...options, retention: { age: 3_600_000, bytes: 2 ** 40 } })
  const span = (id: string, timestamp: number, serviceName: string): Span => ({
    ...{
      traceId: `00000000000000${id}`,
      id: `00000000000000${id}`,
      timestamp,
      localEndpoint: { serviceName },
    },
  })
  const { timestamp: _, ...timeless } = span('03', 0, 'new')
  store.add([span('01', now - 3_700_000_000, 'old'), span('02', now - 3_500_000_000, 'new'), timeless])
  const set = vi.spyOn(Date, 'now').mockReturnValue(now / 1000 + 365 * 86_400_000) // ahead, by mistake
  await store.removeOld()
  expect(store.services()).toEqual(['new'])
  set.mockRestore()
  const left = await store.traces(['01', '02', '03'].map((id) => `00000000000000${id}`))
  expect(left.flat().map(({ id }) => id)).toEqual(['0000000000000002', '0000000000000003'])
  await store.close()
  const again = await SpanStore.open(output, { ...options, retention: { age: 3_600_000, bytes: 2 ** 40 } })
  expect(again.services()).toEqual(['new'])
  await again.close()

  const small = await SpanStore.open(folder(), { ...options, retention: { age: 3_600_000, bytes: 1 } })
  small.add(makeTraces(100, 1, now - 60_000_000).flat())
  const query = { annotations: new Map(), endTs: now / 1000, lookback: 3_600_000, limit: 1000 }
  const before = (await small.search(query)).length
  await small.removeOld()
  const after = await small.search(query)
  expect(after.length).toBeGreaterThan(50)
  expect(after.length).toBeLessThan(before)
  await small.close()
})

test('what is asked for has bounds, and a refusal says which', async () => {
  const relay = await relayIn(folder(), { tracing })
  const ask = async (path: string) => {
    const response = await fetch(`http://${relay.httpAddress}/api/v2/${path}`)
    return { status: response.status, text: await response.text() }
  }
  expect(await ask('traces?limit=10000')).toEqual({ status: 200, text: '[]' })
  expect(await ask('traces?limit=10001')).toEqual({
    status: 400,
    text: 'limit is 10001; expected 1 to 10000',
  })
  const ids = Array.from({ length: 1001 }, (_, i) => (i + 1).toString(16))
  expect((await ask(`traceMany?traceIds=${ids.slice(1)}`)).status).toBe(200)
  expect(await ask(`traceMany?traceIds=${ids}`)).toEqual({
    status: 400,
    text: 'traceIds are 1001; expected 2 to 1000',
  })
})

test('an answer of more spans than a relay may hold is refused, whichever way it is asked for', async () => {
  const relay = await relayIn(folder(), { tracing })
  const value = 'x'.repeat(2 ** 20)
  const from = Date.now() * 1000 - 1e6
  for (let i = 0; i < 66; i++) {
    const traceId = i % 2 ? 'a' : (i + 1000).toString(16)
    const span = { traceId, id: (i + 1).toString(16), timestamp: from + i, duration: 1, tags: { value } }
    expect(await post(relay, JSON.stringify([span]))).toMatchObject({ status: 202 })
  }
  const url = `http://${relay.httpAddress}/api/v2`
  const refused = await fetch(`${url}/traces?limit=100`)
  expect(refused.status).toBe(400)
  expect(await refused.text()).toMatch(
    /the answer has more than 64 MiB of spans; expected less: ask for fewer traces or a shorter time/,
  )
  expect((await get<Span[]>(relay, '/api/v2/trace/a')).length).toBe(33)
  expect((await get(relay, '/api/v2/traces?limit=2')).length).toBe(2)
}, 60_000)

test('bodies and answers that are under way have a bound together', () => {
  const budget = new MemoryBudget(100)
  const [one, two] = [new RequestMemory(budget), new RequestMemory(budget)]
  one.take(60)
  expect(() => two.take(41)).toThrow('bodies and answers hold')
  two.take(40)
  one.release()
  one.release()
  two.take(60)
  expect(budget.bytes).toBe(100)
})

test('names and values that are very long are found, and not offered', async () => {
  const relay = await relayIn(folder(), { tracing: { ...tracing, autocompleteKeys: ['env'] } })
  const long = 'x'.repeat(257)
  const tags = { env: long }
  const span = { traceId: 'a', id: 'b', timestamp: Date.now() * 1000, name: long, tags }
  await post(relay, JSON.stringify([{ ...span, localEndpoint: { serviceName: 'svc' } }]))
  expect(await get(relay, '/api/v2/spans?serviceName=svc')).toEqual([])
  expect(await get(relay, '/api/v2/autocompleteValues?key=env')).toEqual([])
  expect(await get(relay, `/api/v2/traces?spanName=${long}&annotationQuery=env=${long}`)).toHaveLength(1)
})
