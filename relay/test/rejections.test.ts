// relay/test/rejections.test.ts: what a relay turns away or cannot keep is counted by what it was and why, logged once and then
// summed up, and is in its stats and its status: posts and what never becomes one, calls, connections, messages by Scribe.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { connect as dial } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { Rejections } from '../src/common/rejections.js'
import type { RelayStatus } from '../src/index.js'
import { Answers } from '../src/ports/http/answers.js'
import { Cors } from '../src/ports/http/cors.js'
import { Hosts } from '../src/ports/http/hosts.js'
import type { Api } from '../src/ports/http/routes.js'
import { startHttp } from '../src/ports/http/server.js'
import { connect, makeHello, makePut, tracepoint } from './client.js'
import { StreamWriter } from './ctf-writer.js'
import { buildRelay, folder, postSpans, relayIn, until } from './helpers.js'
import { scribeClient } from './scribe.js'

const root = join(import.meta.dirname, '..')
const listen = '127.0.0.1:0'

/** What, why, how often, and whether it is gone. */
const brief = (all: readonly { what: string; reason: string; count: number; isLost: boolean }[]) =>
  all.map(({ what, reason, count, isLost }) => [what, reason, count, isLost])

describe('what is turned away', () => {
  afterEach(() => vi.useRealTimers())

  test('is logged at once when it is the first of its kind, and summed up once a minute after that', () => {
    vi.useFakeTimers()
    const lines: string[] = []
    const rejections = new Rejections((line) => lines.push(line))
    const { reject } = rejections
    for (const n of [1, 2, 3]) reject('post', '400', `no JSON ${n}`)
    reject('batch', 'no room', 'a\nb', { isLost: false })
    expect(lines).toEqual(['1 post refused (400): no JSON 1', '1 batch refused (no room): a b'])
    vi.advanceTimersByTime(60_000)
    expect(lines.slice(2)).toEqual(['2 more posts refused (400), the last: no JSON 3'])
    vi.advanceTimersByTime(600_000)
    reject('post', '400', 'no JSON 4', { count: 5 })
    rejections.close()
    expect(lines.slice(3)).toEqual(['5 more posts refused (400), the last: no JSON 4'])
    expect(brief(rejections.all())).toEqual([
      ['post', '400', 8, true],
      ['batch', 'no room', 1, false],
    ])
  })

  test('for ever new reasons takes no more than so much', () => {
    const rejections = new Rejections(() => {})
    for (let i = 0; i < 10_000; i++) rejections.reject('put', `E${i}`, 'x'.repeat(10_000))
    expect(rejections.all()).toHaveLength(101)
    expect(rejections.all().at(-1)).toMatchObject({ reason: 'other', count: 9_900, message: 'x'.repeat(300) })
  })
})

test('posts are refused by their status, with who and why; questions that are wrong are not told', async () => {
  const relay = await relayIn(folder(), { tracing: { listen }, token: 'secret' })
  const url = `http://${relay.httpAddress}`
  const post = async (
    body: string | Buffer,
    headers: Record<string, string> = {},
    path = '/api/v2/spans',
  ) => {
    const usual = { authorization: 'Bearer secret', 'content-type': 'application/json' }
    const how = { method: 'POST', body, headers: { ...usual, ...headers } }
    return (await fetch(`${url}${path}`, how)).status
  }
  const wrong: [number, Promise<number>][] = [
    [400, post('{')],
    [400, post('[{"traceId":"x"}]')],
    [400, post('x', { 'content-encoding': 'gzip' })],
    [413, post(gzipSync(Buffer.alloc(33 * 2 ** 20)), { 'content-encoding': 'gzip' })],
    [401, post('[]', { authorization: 'Bearer wrong' })],
    [404, post('[]', {}, '/api/v3/spans?key=secret')],
    [415, post('[]', { 'content-type': 'text/plain' })],
  ]
  for (const [status, answered] of wrong) expect(await answered).toBe(status)
  const ask = async (path: string) =>
    (await fetch(`${url}${path}`, { headers: { authorization: 'Bearer secret' } })).status
  expect([await ask('/api/v2/trace/x'), await ask('/nothing')]).toEqual([400, 404])

  const { rejections } = relay.stats()
  expect(brief(rejections).sort()).toEqual([
    ...[
      ['post', '400', 3, true],
      ['post', '401', 1, true],
      ['post', '404', 1, true],
      ['post', '413', 1, true],
      ['post', '415', 1, true],
    ],
  ])
  const from = String.raw`^127\.0\.0\.1:\d+: POST `
  expect(rejections.find(({ reason }) => reason === '404')!.message).toMatch(
    new RegExp(`${from}/api/v3/spans: 404 Not Found$`),
  )
  expect(relay.lines.filter((line) => line.startsWith('1 post refused'))).toHaveLength(5)
  expect(relay.lines.join()).not.toContain('secret')
  const answer = await fetch(`${url}/api/blkin/status`, { headers: { authorization: 'Bearer secret' } })
  expect(((await answer.json()) as RelayStatus).rejections).toEqual(rejections)
})

test('what never becomes a request is refused, and a client that goes is not', async () => {
  const relay = await relayIn(folder(), { tracing: { listen } })
  const port = Number(relay.httpAddress!.split(':')[1])
  for (const text of ['GARBAGE\r\n\r\n', `GET / HTTP/1.1\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`]) {
    const socket = dial(port, '127.0.0.1').on('error', () => {})
    socket.resume().write(text)
    await once(socket, 'close')
  }
  const gone = dial(port, '127.0.0.1')
  gone.write('POST /api/v2/spans HTTP/1.1\r\nHost: a\r\n')
  await once(gone, 'connect')
  gone.resetAndDestroy()
  await postSpans(`http://${relay.httpAddress}`, [])
  expect(brief(relay.stats().rejections)).toEqual([
    ['request', 'HPE_INVALID_METHOD', 1, false],
    ['request', 'HPE_HEADER_OVERFLOW', 1, false],
  ])
})

test('a question that the store cannot answer is told with its cause, which the asker does not hear', async () => {
  const rejections = new Rejections(() => {})
  const { reject } = rejections
  const failing = () => {
    throw new Error('disk on fire')
  }
  const catchUp = async () => {}
  const api = { store: { services: failing }, accept: failing, catchUp } as unknown as Api
  const http = await startHttp(api, {
    ...{
      where: { host: '127.0.0.1', port: 0 },
      tokens: {},
      cors: new Cors([]),
      hosts: new Hosts([], []),
      answers: new Answers(reject),
      reject,
    },
  })
  onTestFinished(() => http.close())
  const answer = await fetch(`http://${http.address}/api/v2/services?key=secret`)
  expect([answer.status, await answer.text()]).toEqual([500, '500 Internal Server Error'])
  const message = expect.stringMatching(/^127\.0\.0\.1:\d+: GET \/api\/v2\/services: disk on fire$/)
  expect(rejections.all()).toMatchObject([
    { what: 'request', reason: '500', isLost: false, count: 1, message },
  ])
})

test('a call that is refused is counted by the reason, and its process has what it brought still', async () => {
  const output = folder()
  const relay = await relayIn(output)
  const rude = await connect(relay.address)
  await expect(rude.put(makePut(0, 1, Buffer.alloc(1)))).rejects.toThrow(/expected hello first/)
  rude.end()
  const client = await connect(relay.address)
  const hello = makeHello()
  await client.hello(hello)
  const stream = new StreamWriter(hello.uuid, 0)
  stream.start(1000n)
  await expect(client.put(makePut(1, 2, stream.take()))).rejects.toThrow(/expected 1/)
  await expect(client.put(makePut(0, 1, Buffer.alloc(100)))).rejects.toThrow(/packet 0/)
  await expect(client.declare([tracepoint(7, 'p:e')])).rejects.toThrow(/id is 7/)
  expect(brief(relay.stats().rejections)).toEqual([
    ['put', 'NO_HELLO', 1, false],
    ['put', 'SEQUENCE', 1, false],
    ['put', 'MALFORMED', 1, false],
    ['declaration', 'MALFORMED', 1, false],
  ])
  expect(relay.lines.join('\n')).toMatch(/^1 put refused \(SEQUENCE\): node \(pid 4711\): put\.sequence/m)
  client.end()
})

test('connections are refused for what their clients do, and not for what they may', async () => {
  const relay = await relayIn(folder(), { token: 'secret' })
  const [, port] = relay.address.split(':')
  for (let i = 0; i < 3; i++) {
    const client = await connect(relay.address)
    await expect(client.hello(makeHello({ token: 'wrong' }))).rejects.toThrow(/token is not the one/)
    await client.closed
    const other = dial(Number(port), '127.0.0.1')
    other.write('GET / HTTP/1.1\r\n\r\n')
    await once(other.resume(), 'close')
  }
  const older = await connect(relay.address)
  const hello = makeHello({ token: 'secret' })
  await older.hello(hello)
  const newer = await connect(relay.address)
  await newer.hello(hello)
  await older.closed
  await until(() => relay.stats().connections.ended === 7)
  expect(brief(relay.stats().rejections)).toEqual([
    ['connection', 'hello refused', 3, false],
    ['connection', 'HTTP', 3, false],
  ])
  const told = relay.lines.filter((line) => line.includes('connection refused'))
  expect(told, 'once each, and no more until a minute is over').toHaveLength(2)
  newer.end()
})

test('messages by Scribe that are none are gone, and batches that are put off are not', async () => {
  const output = folder()
  const relay = await relayIn(output, { tracing: { listen }, scribe: { listen } })
  const client = await scribeClient(relay.scribeAddress!)
  expect(
    await client.log([
      ['zipkin', 'no span!'],
      ['', 'x'],
      ['x'.repeat(300), 'x'],
      ['app', 'good'],
    ]),
  ).toBe('OK')
  rmSync(join(output, 'scribe'), { recursive: true })
  writeFileSync(join(output, 'scribe'), '')
  expect(await client.log([['other', 'line']])).toBe('TRY_LATER')
  expect(brief(relay.stats().rejections)).toEqual([
    ['message', 'no span', 1, true],
    ['message', 'no category', 2, true],
    ['batch', 'files', 1, false],
  ])
  expect(
    relay.lines.filter((line) => line.includes('scribe')),
    'files tell their own',
  ).toHaveLength(1)
  client.end()
})

test('beyond the size that a file may have the relay lives, says EFBIG, and takes what is smaller', async () => {
  buildRelay()
  const command = 'ulimit -f 2048; exec "$0" "$@"' // 1 or 2 MiB, as the shell counts
  const args = ['-c', command, process.execPath, join(root, 'test/relay-child.mjs'), folder(), listen]
  const child = spawn('sh', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  let said = ''
  child.stderr.on('data', (text) => {
    said += text
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const [address, http] = line.toString().trim().split(' ') as [string, string]
  const client = await connect(address)
  const hello = makeHello()
  await client.hello(hello)
  const stream = new StreamWriter(hello.uuid, 0)
  stream.start(1000n)
  await client.declare([tracepoint(0, 'p:e')])
  let sequence = 0
  const next = (events: number) => {
    for (let i = 0; i < events; i++) stream.event(0, 2000n + BigInt(sequence), Buffer.alloc(4))
    sequence++
    return client.put(makePut(0, sequence, stream.take()))
  }
  await next(1)
  await expect(
    (async () => {
      while (sequence < 10) await next(40_000)
    })(),
  ).rejects.toThrow(/events_0: EFBIG; try again later/)
  await expect(next(1), 'it was on its way already').rejects.toThrow(
    /put\.sequence of stream 0 is \d+; expected/,
  )
  client.socket.resetAndDestroy()
  const other = await connect(address)
  const small = makeHello()
  await other.hello(small)
  const few = new StreamWriter(small.uuid, 0)
  few.start(1000n)
  await other.put(makePut(0, 1, few.take()))
  const status = (await (await fetch(`http://${http}/api/blkin/status`)).json()) as RelayStatus
  expect(status.rejections).toEqual([
    {
      ...{ what: 'put', reason: 'EFBIG', isLost: false, count: 1, last: expect.any(Number) },
      message: expect.stringMatching(/^node \(pid 4711\): node-4711-\w+\/events_0: EFBIG; try again later$/),
    },
  ])
  expect(said).toMatch(/^1 put refused \(EFBIG\): node \(pid 4711\): [^\n]+\n$/)
  other.end()
})
