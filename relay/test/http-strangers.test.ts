// relay/test/http-strangers.test.ts: who may speak HTTP to a relay, and how much of it others can take: slow clients, pages of other sites,
// and pages whose name was made to point here.

import { once } from 'node:events'
import { request } from 'node:http'
import { connect as dial, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { Hosts } from '../src/ports/http/hosts.js'
import { folder, relayIn } from './helpers.js'

const listen = '127.0.0.1:0'
const span = '[{"traceId":"1","id":"1"}]'

interface Answer {
  status: number | undefined
  body: string
}

/** As it is said: fetch() says headers of its own. */
function ask(address: string, path: string, headers: Record<string, string>, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST'
    const asked = request(`http://${address}${path}`, { method, headers, agent: false }, async (response) => {
      let text = ''
      for await (const part of response.setEncoding('utf8')) text += part
      resolve({ status: response.statusCode, body: text })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

function slowClients(address: string, count: number, begin: string): Socket[] {
  const sockets = Array.from({ length: count }, () => {
    const socket = dial(Number(address.split(':')[1]), '127.0.0.1')
    socket.on('error', () => {}).resume()
    socket.write(begin)
    return socket
  })
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  return sockets
}

const post = 'POST /api/v2/spans HTTP/1.1\r\nHost: localhost\r\ncontent-type: application/json\r\n'
const slow: [string, string][] = [
  ['that say nothing', ''],
  ['with half a head', 'GET /api/v2/services HTTP/1.1\r\nHost: local'],
  ['with half a body', `${post}content-length: 1000\r\n\r\n[`],
  ['with a body in pieces', `${post}transfer-encoding: chunked\r\n\r\n1\r\n[\r\n`],
]

test.each(slow)('400 clients %s keep no other from an answer, or from storing spans', async (_, begin) => {
  const relay = await relayIn(folder(), { tracing: { listen } })
  const address = relay.httpAddress!
  const sockets = slowClients(address, 400, begin)
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  const headers = { 'content-type': 'application/json' }
  for (let i = 0; i < 20; i++) {
    expect(await ask(address, '/api/v2/services', {})).toEqual({ status: 200, body: '[]' })
    expect(await ask(address, '/api/v2/spans', headers, span)).toMatchObject({ status: 202 })
  }
  expect(relay.stats().rejections[0]).toMatchObject({ what: 'connection', reason: 'no place', isLost: false })
  expect(relay.lines.length).toBeLessThan(5)
})

test('with a token who does not show it is a stranger whatever is asked, and who does keeps the connection', async () => {
  const relay = await relayIn(folder(), { tracing: { listen }, token: 'secret' })
  const address = relay.httpAddress!
  const kept = dial(Number(address.split(':')[1]), '127.0.0.1')
  onTestFinished(() => void kept.destroy())
  let heard = ''
  kept.setEncoding('utf8').on('data', (text) => {
    heard += text
  })
  const good = 'GET /api/v2/services HTTP/1.1\r\nHost: a\r\nauthorization: Bearer secret\r\n\r\n'
  kept.write(good)
  await expect.poll(() => heard).toMatch(/^HTTP\/1.1 200 OK/)
  const bad = 'GET /api/v2/services HTTP/1.1\r\nHost: a\r\nauthorization: Bearer wrong\r\n\r\n'
  await Promise.all(slowClients(address, 100, bad).map((socket) => once(socket, 'connect')))
  await expect.poll(() => relay.stats().rejections.some(({ reason }) => reason === 'no place')).toBe(true)
  heard = ''
  kept.write(good)
  await expect.poll(() => heard).toMatch(/^HTTP\/1.1 200 OK/)
})

test('nobody is asked for a body before the token is right', async () => {
  const relay = await relayIn(folder(), { tracing: { listen }, token: 'secret' })
  const say = async (token: string) => {
    const socket = dial(Number(relay.httpAddress!.split(':')[1]), '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    const head = `${post}authorization: Bearer ${token}\r\nexpect: 100-continue\r\ncontent-length: ${span.length}\r\n\r\n`
    socket.setEncoding('utf8').write(head)
    const [first] = (await once(socket, 'data')) as [string]
    return { socket, first }
  }
  expect((await say('wrong')).first).toMatch(/^HTTP\/1.1 401 /)
  const { socket, first } = await say('secret')
  expect(first).toBe('HTTP/1.1 100 Continue\r\n\r\n')
  socket.write(span)
  expect((await once(socket, 'data'))[0]).toMatch(/^HTTP\/1.1 202 /)
})

test('a page whose name was made to point here learns nothing, and stores nothing', async () => {
  const relay = await relayIn(folder(), { tracing: { listen } })
  const address = relay.httpAddress!
  const port = address.split(':')[1]
  const headers = { 'content-type': 'application/json' }
  for (const host of [
    `evil.example:${port}`,
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
  ]) {
    const words = new RegExp(`^Host is "${host}"; expected localhost, an address, or this machine's name\\.`)
    for (const path of ['/api/v2/services', '/api/blkin/status', '/metrics'])
      expect(await ask(address, path, { host }), host).toEqual({
        status: 421,
        body: expect.stringMatching(words),
      })
    expect(await ask(address, '/api/v2/spans', { host, ...headers }, span)).toMatchObject({ status: 421 })
  }
  for (const host of [
    `localhost:${port}`,
    'LOCALHOST',
    'a.localhost',
    `127.0.0.1:${port}`,
    `[::1]:${port}`,
    '10.1.2.3',
  ])
    expect(await ask(address, '/api/v2/services', { host }), host).toMatchObject({ status: 200 })
  expect(relay.stats().tracing).toMatchObject({ posted: 0 })
})

test('who shows the token may call the relay by any name', async () => {
  const relay = await relayIn(folder(), { tracing: { listen }, token: 'secret' })
  const headers = { host: 'relay.example', authorization: 'Bearer secret' }
  expect(await ask(relay.httpAddress!, '/api/v2/services', headers)).toMatchObject({ status: 200 })
})

test('names of this machine, and of origins whose pages may ask, are allowed', () => {
  const hosts = new Hosts(['Box.lan'], ['https://ui.example:8080'])
  for (const host of ['box', 'box.lan', 'box.lan.:1', 'ui.example', undefined])
    expect(hosts.refusal(host), host).toBeUndefined()
  for (const host of ['lan', 'box.lan.evil', 'x.ui.example', '', 'box.lan:1:2', '[box]'])
    expect(hosts.refusal(host), host).toMatch(/^Host is/)
  expect(new Hosts([], ['*']).refusal('anything')).toBeUndefined()
})

test('a page of another site stores nothing where its browser says no more than that it is one', async () => {
  const relay = await relayIn(folder(), { tracing: { listen } })
  const address = relay.httpAddress!
  const headers = { 'content-type': 'application/json' }
  for (const site of ['cross-site', 'same-site'])
    expect(await ask(address, '/api/v2/spans', { ...headers, 'sec-fetch-site': site }, span)).toEqual({
      status: 403,
      body: "pages of another site may not ask; the relay's --allow-origin says whose may",
    })
  for (const site of ['same-origin', 'none'])
    expect(await ask(address, '/api/v2/spans', { ...headers, 'sec-fetch-site': site }, span)).toMatchObject({
      status: 202,
    })
})

test('spans come as JSON, protobuf or thrift, or not said to be anything; as no form says it', async () => {
  const relay = await relayIn(folder(), { tracing: { listen } })
  const said = async (type: string | undefined, path = '/api/v2/spans') =>
    ask(relay.httpAddress!, path, type === undefined ? {} : { 'content-type': type }, '[]')
  for (const type of ['application/json', 'Application/JSON; charset=utf-8', undefined, ''])
    for (const path of ['/api/v1/spans', '/api/v2/spans'])
      expect((await said(type, path)).status, type).toBe(202)
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'constructor',
  ])
    for (const path of ['/api/v1/spans', '/api/v2/spans'])
      expect((await said(type, path)).status, type).toBe(415)
  expect((await said('text/plain;charset=UTF-8')).body).toBe(
    'content-type is "text/plain"; expected application/json or application/x-protobuf, ' +
      "as by curl -H 'content-type: application/json'",
  )
  expect((await said('application/x-protobuf', '/api/v1/spans')).body).toMatch(
    /application\/json or application\/x-thrift,/,
  )
})
