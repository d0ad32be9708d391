// test/programs/requests.mjs: a server and who calls it, by node:http and by fetch, for trace-instrument.test.ts: started
// with `--import blkin/register` and BLKIN_TRACE. Prints what the server's handlers saw.
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { setTimeout as later } from 'node:timers/promises'
import { flush, status, trace } from 'blkin'

const seen = []
const server = http.createServer(async (request, response) => {
  const before = trace.current().spanId
  await later(2)
  trace.start('inside').end()
  seen.push({
    url: request.url,
    headers: request.headers,
    kept: before === trace.current().spanId,
    current: trace.current().traceId,
  })
  if (request.url.startsWith('/broken')) response.destroy()
  else if (request.url.startsWith('/half')) response.write('half', () => response.destroy())
  else response.writeHead(request.url.startsWith('/bad') ? 503 : 200).end('answer')
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address()
const base = `http://127.0.0.1:${port}`

const get = (path, headers) =>
  new Promise((resolve) => {
    const request = http.get({ port, host: '127.0.0.1', path, headers, agent }, (response) =>
      response.resume().once('end', resolve),
    )
    request.once('error', resolve)
  })
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })

const root = trace.start('root')
await trace.run(root, async () => {
  await (await fetch(`${base}/fetch?secret=1`)).text()
  await (await fetch(`${base}/bad`)).text()
  await fetch(`${base}/broken`).catch(() => {})
  await fetch(`${base}/half`)
    .then((half) => half.text())
    .catch(() => {})
  const own = trace.start('own', { kind: 'client' })
  await (await fetch(`${base}/injected`, { headers: own.inject({}, 'traceparent') })).text()
  await get('/injected-get', own.inject({}, 'traceparent'))
  own.end()
  await get('/get')
})
await get('/parent', { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' })
await get('/b3', { b3: '463ac35c9f6413ad-a2fb4a1d1a96d312-1-0020000000000001' })
await get('/b3multi', {
  'x-b3-traceid': '463ac35c9f6413ad',
  'x-b3-spanid': 'a2fb4a1d1a96d313',
  'x-b3-parentspanid': '0020000000000001',
})
await get('http://user:secret@elsewhere.example/absolute?secret=1')
await get('/against', { b3: '0' })
await get('/alone')
await Promise.all([1, 2, 3, 4].map(async (n) => (await fetch(`${base}/parallel${n}`)).text()))
root.end()

const gone = net.connect({ port: 1, host: '127.0.0.1' }).on('error', () => {})
await new Promise((resolve) => gone.once('close', resolve))
agent.destroy()
server.closeAllConnections()
server.close()
await later(20)
console.log(
  JSON.stringify({
    seen,
    traceId: root.traceId,
    spanId: root.spanId,
    port,
    spans: status().spans,
    stored: await flush(),
  }),
)
process.exit()
