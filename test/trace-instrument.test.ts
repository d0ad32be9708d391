// test/trace-instrument.test.ts: spans of HTTP, fetch and connections, without a line in the program that makes them.
import { describe, expect, test } from 'vitest'
import { trace } from '../lib/index.js'
import { relay } from './support/relays.js'
import { program, result, run } from './support/run.js'
import { type MadeSpan, madeSpans, requestSpan } from './support/span-events.js'
import { runsSince } from './support/versions.js'

interface Told {
  seen: { url: string; headers: Record<string, string>; kept: boolean; current: string }[]
  traceId: string
  spanId: string
  port: number
  spans: Record<string, number>
}

const none = '0'.repeat(16)

async function requests(env: Record<string, string>) {
  const to = await relay()
  const told = await result<Told>(program('requests.mjs'), {
    env: { ...to.env, ...env },
    flags: ['--import', 'blkin/register'],
  })
  const spans = await madeSpans(to.output)
  const served = (path: string) => requestSpan(spans, 'server', path)
  const sent = (path: string) => requestSpan(spans, 'client', path)
  const inside = (span: MadeSpan) =>
    spans.filter(({ name, parent }) => name === 'inside' && parent === span.span)
  return { told, spans, served, sent, inside }
}

/** Whether node:http's client puts the context into what it sends. */
const hasCreated = runsSince('22.12')

describe('BLKIN_TRACE=http,fetch,net', () => {
  test('requests, their handlers and their connections are spans with parents', async () => {
    const { told, spans, served, sent, inside } = await requests({ BLKIN_TRACE: 'http,fetch,net' })
    // fetch: the server's span is below the client's, which is below the program's.
    for (const path of ['/fetch', '/bad']) {
      expect(sent(path)).toMatchObject({ name: 'GET', parent: told.spanId, trace: told.traceId, ended: 1 })
      expect(sent(path)!.remote).toEqual({ service: '127.0.0.1', address: '', port: told.port })
      expect(served(path)).toMatchObject({
        name: 'GET',
        parent: sent(path)!.span,
        trace: told.traceId,
        ended: 1,
      })
      expect(served(path)!.remote?.address).toBe('127.0.0.1')
      expect(inside(served(path)!), path).toHaveLength(1)
    }
    expect(served('/fetch')!.tags).toEqual({
      'http.request.method': 'GET',
      'url.path': '/fetch',
      'http.response.status_code': 200,
    })
    expect([served('/bad')!.tags.error, sent('/bad')!.tags.error]).toEqual(['503', '503'])
    expect(served('/broken')!.tags.error).toBe('the connection ended before the answer was sent')
    expect(served('/broken')!.tags, 'no answer has no status').not.toHaveProperty('http.response.status_code')
    expect(served('/half')!.tags['http.response.status_code']).toBe(200)
    expect(sent('/broken')!.tags.error).toMatch(/./)
    expect(sent('/broken')!.ended).toBe(1)
    // node:http's client
    expect(sent('/get')).toMatchObject({
      parent: told.spanId,
      ended: 1,
      tags: { 'http.response.status_code': 200 },
    })
    // A context that the program has put there itself stays the only one.
    const own = spans.find(({ name }) => name === 'own')!
    for (const path of ['/injected', '/injected-get'])
      expect([path, served(path)!.parent]).toEqual([path, own.span])
    // Whoever called from elsewhere
    expect(served('/parent')).toMatchObject({
      trace: '8448eb211c80319c',
      parent: 'b7ad6b7169203331',
      shared: false,
    })
    expect(served('/b3')).toMatchObject({
      trace: '463ac35c9f6413ad', span: 'a2fb4a1d1a96d312', parent: '0020000000000001', shared: true,
    }) // biome-ignore format: one thing
    expect(served('/b3multi')).toMatchObject({ trace: '463ac35c9f6413ad', parent: '0020000000000001' })
    expect(served('/against')).toBeUndefined()
    // A target that is a whole URL, as proxies get it.
    expect(served('/absolute')).toMatchObject({ name: 'GET', ended: 1 })
    // On one connection kept alive, nothing is left of the request before.
    expect(told.seen.map(({ url, kept }) => [url, kept])).toEqual(told.seen.map(({ url }) => [url, true]))
    const currents = told.seen.filter(({ url }) => url.startsWith('/parallel')).map(({ current }) => current)
    expect(new Set(currents).size).toBe(4)
    expect(told.seen.find(({ url }) => url === '/against')!.current).toBe('')
    expect(served('/alone')!.parent).toBe(hasCreated ? sent('/alone')!.span : none)
    // net
    const connects = spans.filter(({ name }) => name === 'connect')
    expect(connects.find(({ tags }) => tags['error.type'] === 'ECONNREFUSED')?.tags.error).toMatch(
      /ECONNREFUSED/,
    )
    expect(connects.some(({ remote }) => remote?.port === told.port)).toBe(true)
    const connections = spans.filter(({ name }) => name === 'connection')
    expect(connections.length).toBeGreaterThan(0)
    for (const { tags, ended } of connections) {
      expect(ended).toBe(1)
      expect(tags['bytes.read']).toBeGreaterThan(0)
    }
    expect(
      spans.every(({ ended }) => ended === 1),
      'every span ends',
    ).toBe(true)
    expect(told.spans).toMatchObject({ endedTwice: 0, usedAfterEnd: 0, refused: 0 })
  })

  test('only what is named is told, and none of it says more than the path', async () => {
    const { told, spans } = await requests({ BLKIN_TRACE: 'fetch' })
    expect(new Set(spans.map(({ kind }) => kind))).toEqual(new Set(['local', 'client']))
    expect(told.seen.find(({ url }) => url.startsWith('/fetch'))!.headers.traceparent).toMatch(
      new RegExp(`^00-0{16}${told.traceId}-[0-9a-f]{16}-01$`),
    )
    expect(JSON.stringify(spans)).not.toContain('secret')
  })
})

test('while nobody records spans, requests go as they would, and a context goes through', async () => {
  const to = await relay()
  const env = { ...to.env, BLKIN_ENABLE: '', BLKIN_TRACE: 'http,fetch,net' }
  const told = await result<Told>(program('requests.mjs'), { env, flags: ['--import', 'blkin/register'] })
  expect(told.seen).toHaveLength(17)
  expect(told.seen.filter(({ headers }) => headers.traceparent !== undefined).map(({ url }) => url)).toEqual([
    '/parent',
  ])
  expect(told.spans).toEqual({ kept: 0, sampledOut: 0, endedTwice: 0, usedAfterEnd: 0, refused: 0 })
})

test('a name that is none is told on stderr, and refused to a program', async () => {
  const { stderr, code } = await run('0', {
    env: { BLKIN_TRACE: 'http,grpc' },
    flags: ['--import', 'blkin/register'],
  })
  expect([code, stderr]).toEqual([
    0,
    'blkin: BLKIN_TRACE: "grpc": expected some of http, fetch, net; left out\n',
  ])
  expect(() => trace.instrument('grpc' as 'http')).toThrow(/"grpc": expected some of http, fetch, net/)
})

test('a request after recording was switched off is not in the span of the one before on its connection', async () => {
  const text = `
    import { once } from 'node:events'
    import http from 'node:http'
    import { openSession, trace } from 'blkin'
    const session = openSession('x', { relay: null, mode: 'overwrite' })
    session.enable('blkin:*')
    trace.instrument('http')
    const seen = []
    const server = http.createServer((request, response) => {
      seen.push([request.socket.remotePort, trace.current().traceId])
      response.end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const get = () => new Promise((resolve) => http.get({ agent, host: '127.0.0.1', port: server.address().port },
      (response) => response.resume().once('close', resolve)))
    await get()
    session.disable('blkin:*')
    await get()
    agent.destroy()
    server.close()
    console.log(JSON.stringify(seen))`
  const [first, second] = await result<[number, string][]>(text)
  expect(second![0], 'one connection').toBe(first![0])
  expect(first![1]).toMatch(/^[0-9a-f]{16}$/)
  expect(second![1]).toBe('')
})

test('a WebSocket has no span, since nothing would end it', async () => {
  const text = `
    import { once } from 'node:events'
    import http from 'node:http'
    import { openSession, status, trace } from 'blkin'
    openSession('x', { relay: null, mode: 'overwrite' }).enable('blkin:*')
    trace.instrument('fetch')
    const server = http.createServer().on('upgrade', (_, socket) => socket.end('HTTP/1.1 101 x\\r\\n\\r\\n'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = new WebSocket('ws://127.0.0.1:' + server.address().port)
    await new Promise((resolve) => (socket.onclose = socket.onerror = resolve))
    server.close()
    console.log(JSON.stringify(status().spans.kept))`
  expect(await result<number>(text, { flags: ['--experimental-websocket'] })).toBe(0)
})
