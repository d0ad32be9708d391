// test/programs/outcomes.mjs: requests that end in other ways than with an answer read to its end; for trace-outcomes.test.ts. The
// path says what becomes of each: WHAT-SERVER, what the client does and what the server does.
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import { setTimeout as later } from 'node:timers/promises'
import { flush, trace } from 'blkin'

const open = new Set()
const server = http.createServer((request, response) => {
  open.add(response)
  response.on('close', () => open.delete(response))
  const does = request.url.split('-').at(-1)
  if (does === 'hangup') request.socket.destroy()
  else if (does === 'silent') return
  else {
    const more = () => {
      if (!response.destroyed) response.write('x'.repeat(1000), () => setTimeout(more, 1))
    }
    if (does === 'endless') more()
    else response.write('begun', () => response.destroy())
  }
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address()
const base = `http://127.0.0.1:${port}`
const unused = http.createServer().listen(0, '127.0.0.1')
await once(unused, 'listening')
const closedPort = unused.address().port
await new Promise((resolve) => unused.close(resolve))
/** Rejects with anything; what is told of it is in the spans. */
const quietly = (promise) =>
  promise.then(
    () => {},
    () => {},
  )

/** A signal that is given once the server has the request. */
function abortSoon(...reason) {
  const controller = new AbortController()
  server.once('request', () => setTimeout(() => controller.abort(...reason), 5))
  return controller.signal
}
const fetching = {
  'reason-silent': (url) => fetch(url, { signal: abortSoon('the user left') }),
  'abort-silent': (url) => fetch(url, { signal: abortSoon() }),
  'undefined-endless': async (url) => (await fetch(url, { signal: abortSoon(null) })).text(),
  'error-silent': (url) => fetch(url, { signal: abortSoon(new RangeError('mine')) }),
  'timeout-silent': (url) => fetch(url, { signal: AbortSignal.timeout(20) }),
  'cancel-endless': async (url) => (await fetch(url)).body.cancel(),
  'cancelwhy-endless': async (url) => (await fetch(url)).body.cancel('enough'),
  'leave-endless': async (url) => {
    for await (const _ of (await fetch(url)).body) break
  },
  'read-cut': async (url) => (await fetch(url)).text(),
  'read-hangup': (url) => fetch(url),
}
for (const [way, act] of Object.entries(fetching)) await quietly(act(`${base}/fetch-${way}`))
await quietly(fetch(`http://127.0.0.1:${closedPort}/fetch-refused`))

const calling = {
  'destroy-silent': (call) => server.once('request', () => call.destroy()),
  'destroyearly-silent': (call) => call.destroy(),
  'destroy-endless': (call) => call.on('response', (answer) => answer.once('data', () => call.destroy())),
  'response-endless': (call) => call.on('response', (answer) => answer.once('data', () => answer.destroy())),
  'leave-endless': (call) =>
    call.on('response', async (answer) => {
      for await (const _ of answer) break
    }),
  'read-cut': (call) => call.on('response', (answer) => answer.on('error', () => {}).resume()),
  'read-hangup': () => {},
}
for (const [way, act] of Object.entries(calling)) {
  const call = http.get(`${base}/http-${way}`)
  call.on('error', () => {})
  act(call)
  await new Promise((resolve) => call.once('close', resolve))
}
for (const [way, when] of [
  ['signal-silent', 'request'],
  ['signal-endless', 'response'],
]) {
  const controller = new AbortController()
  const call = http.get(`${base}/http-${way}`, { signal: controller.signal })
  call.on('error', () => {}).on('response', (answer) => answer.on('error', () => {}).resume())
  if (when === 'request') server.once('request', () => controller.abort())
  else call.once('response', () => setTimeout(() => controller.abort(), 5))
  await new Promise((resolve) => call.once('close', resolve))
}
const refused = http.get(`http://127.0.0.1:${closedPort}/http-refused`)
refused.on('error', () => {})
await new Promise((resolve) => refused.once('close', resolve))

const server2 = http2.createServer().on('stream', (stream, headers) => {
  stream.on('error', () => {})
  const does = headers[':path'].split('-').at(-1)
  if (does === 'reset') stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)
  else if (does === 'answer') {
    stream.respond({ ':status': 503 })
    stream.end('no')
  }
})
server2.listen(0, '127.0.0.1')
await once(server2, 'listening')
const client = http2.connect(`http://127.0.0.1:${server2.address().port}`)
client.on('error', () => {})
for (const way of ['cancel-silent', 'read-reset', 'read-answer']) {
  const stream = client.request({ ':path': `/http2-${way}` })
  stream.on('error', () => {}).resume()
  if (way.startsWith('cancel')) server2.once('stream', () => stream.close(http2.constants.NGHTTP2_CANCEL))
  await new Promise((resolve) => stream.once('close', resolve))
}
client.close()
server2.close()
while (open.size > 0) await later(1)
server.close()
await later(20)
console.log(JSON.stringify({ current: trace.current().traceId, closedPort, stored: await flush() }))
process.exit()
