// relay/test/http.test.ts: who may ask the API, from where, and in which form answers come. What they say is compared with a real
// Zipkin server's in zipkin.test.ts.

import { type IncomingHttpHeaders, request } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { folder, postSpans, relayIn } from './helpers.js'

const listen = '127.0.0.1:0'

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

/** As it is sent and as it comes: fetch() would add headers, and unpack. */
function ask(
  relay: { httpAddress: string | undefined },
  path: string,
  headers: Record<string, string> = {},
  { method = 'GET', body = '' } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(`http://${relay.httpAddress}${path}`, { method, headers }, async (response) => {
      const parts: Buffer[] = []
      for await (const part of response) parts.push(part as Buffer)
      resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

const services = '/api/v2/services'
const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` })

test('the token is shown as a Bearer, or as the password of anybody', async () => {
  const token = 'se:cret'
  const relay = await relayIn(folder(), { tracing: { listen }, token })
  const right = [{ authorization: `Bearer ${token}` }, { authorization: `bearer ${token}` }]
  for (const headers of [...right, basic(`:${token}`), basic(`anna:${token}`)])
    expect(await ask(relay, services, headers), headers.authorization).toMatchObject({ status: 200 })
  const wrong = [basic(token), basic('se:cret:'), basic(`${token}:`), basic(''), { authorization: token }]
  for (const headers of [...wrong, { authorization: `Digest ${token}` }, { authorization: 'Basic' }, {}]) {
    const { status, body, headers: told } = await ask(relay, services, headers)
    expect({ status, body: `${body}` }).toEqual({ status: 401, body: 'the token is missing or wrong' })
    expect(told['www-authenticate']).toBe('Bearer realm="blkin", Basic realm="blkin", charset="UTF-8"')
  }
})

test('pages of other origins may do nothing where nobody allowed it: not even post what a form can', async () => {
  const relay = await relayIn(folder(), { tracing: { listen } })
  const origin = 'https://elsewhere.example'
  const body = '[{"traceId":"1","id":"1"}]'
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json', '']) {
    for (const path of ['/api/v2/spans', '/api/v1/spans']) {
      const headers = { origin, ...(type === '' ? {} : { 'content-type': type }) }
      const answer = await ask(relay, path, headers, { method: 'POST', body })
      expect(answer.status, `${type} to ${path}`).toBe(403)
      expect(`${answer.body}`).toBe(
        `pages of ${origin} may not ask; the relay's --allow-origin says whose may`,
      )
    }
  }
  expect((await ask(relay, '/api/v2/spans', { origin: 'null' }, { method: 'POST', body })).status).toBe(403)
  const preflight = { origin, 'access-control-request-method': 'POST' }
  for (const answer of [
    await ask(relay, '/api/v2/spans', preflight, { method: 'OPTIONS' }),
    await ask(relay, services, { origin }),
  ])
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  expect(relay.stats().tracing).toMatchObject({ posted: 0 })
  expect((await ask(relay, '/api/v2/spans', {}, { method: 'POST', body })).status, 'who is no page').toBe(202)
})

test('pages of an origin that is allowed may ask and post, with the token too, and those of another may not', async () => {
  const origin = 'https://ui.example:8080'
  const tracing = { listen, allowOrigins: ['http://127.0.0.1:3000', origin] }
  const relay = await relayIn(folder(), { tracing, token: 'secret' })
  const preflight = { origin, 'access-control-request-method': 'GET' }
  expect(await ask(relay, services, preflight, { method: 'OPTIONS' })).toMatchObject({
    status: 200,
    headers: {
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET,POST',
      'access-control-allow-headers': 'content-type,authorization',
      vary: 'origin',
    },
  })
  const shown = { authorization: 'Bearer secret' }
  const own = { 'access-control-allow-origin': origin, vary: 'origin' }
  expect(await ask(relay, services, { origin, ...shown })).toMatchObject({ status: 200, headers: own })
  expect(await ask(relay, services, { origin }), 'who reads why').toMatchObject({ status: 401, headers: own })
  const posted = await ask(relay, '/api/v2/spans', { origin, ...shown }, { method: 'POST', body: '[]' })
  expect(posted).toMatchObject({ status: 202, headers: own })
  const other = await ask(relay, services, { origin: 'https://ui.example', ...shown })
  expect(other.headers).not.toHaveProperty('access-control-allow-origin')
  expect(other.headers.vary, 'so that no cache gives it to the first').toBe('origin')
  expect(other.headers).not.toHaveProperty('access-control-allow-credentials')
})

test('a thousand traces are asked for at once, by ids of 128 bits with each comma as %2C', async () => {
  const relay = await relayIn(folder(), { tracing: { listen } })
  const ids = Array.from(
    { length: 1000 },
    (_, i) => `463ac35c9f6413ad${(i + 1).toString(16).padStart(16, '0')}`,
  )
  await postSpans(
    `http://${relay.httpAddress}`,
    ids.map((traceId) => ({ traceId, id: '000000000000000a' })),
  )
  const answer = await ask(relay, `/api/v2/traceMany?traceIds=${ids.join('%2C')}`)
  expect(answer.status).toBe(200)
  expect(JSON.parse(`${answer.body}`)).toHaveLength(1000)
})

test('answers come in gzip to those who take it, where they are large', async () => {
  const relay = await relayIn(folder(), { tracing: { listen } })
  const tags = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`key.${i}`, `value ${i}`]))
  await postSpans(`http://${relay.httpAddress}`, [
    { traceId: '00000000000000aa', id: '000000000000000a', tags },
  ])
  const path = '/api/v2/trace/aa'
  const plain = await ask(relay, path)
  expect(plain.headers).not.toHaveProperty('content-encoding')
  expect(plain.headers.vary).toBe('accept-encoding')
  for (const takes of ['gzip', 'br;q=1.0, GZIP;q=0.5', '*', 'deflate, *;q=0.1']) {
    const { headers, body } = await ask(relay, path, { 'accept-encoding': takes })
    expect(headers, takes).toMatchObject({ 'content-encoding': 'gzip', 'content-type': 'application/json' })
    expect(headers['content-length']).toBe(`${body.length}`)
    expect(body.length).toBeLessThan(plain.body.length / 2)
    expect(gunzipSync(body).equals(plain.body)).toBe(true)
  }
  for (const takes of ['br', 'gzip;q=0', 'gzip;q=0, *', 'identity', 'gzip;q=x', ''])
    expect((await ask(relay, path, { 'accept-encoding': takes })).headers, takes).not.toHaveProperty(
      'content-encoding',
    )
  const small = await ask(relay, services, { 'accept-encoding': 'gzip' })
  expect(small.headers).not.toHaveProperty('content-encoding')
  const head = await ask(relay, path, { 'accept-encoding': 'gzip' }, { method: 'HEAD' })
  expect(head).toMatchObject({ status: 200, headers: { 'content-encoding': 'gzip' }, body: Buffer.alloc(0) })
})
