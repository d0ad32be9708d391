// test/programs/span-entries-http2.mjs: the part of span-entries.mjs that is HTTP/2: streams, and the API that is as
// HTTP/1's, over one connection each.
import { once } from 'node:events'
import http2 from 'node:http2'
import { setTimeout as later } from 'node:timers/promises'

export async function http2Entries({ see, seeOn, traceparent }) {
  const ask = (client, way, more = {}) =>
    client.request({ ':method': 'POST', ':path': `/h2-${way}`, traceparent: traceparent(), ...more })

  /** Says it in two parts, the second once the server had the first. */
  const speak = async (client, way, { going } = {}) => {
    const stream = ask(client, way)
    stream.on('error', () => {})
    stream.resume().write('abc')
    await later(10)
    if (going) stream.close(http2.constants.NGHTTP2_CANCEL)
    else stream.end('def')
    await once(stream, 'close')
  }

  const over = async (handlers, ways) => {
    const server = http2.createServer()
    for (const [event, handler] of Object.entries(handlers)) server.on(event, handler)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = http2.connect(`http://127.0.0.1:${server.address().port}`)
    for (const way of ways) await speak(client, way, { going: way.endsWith('-going') })
    await Promise.all([speak(client, ways[0]), speak(client, ways[0])])
    client.close()
    await once(client, 'close')
    server.close()
    await once(server, 'close')
  }

  await over(
    {
      stream(stream, headers) {
        const request = { headers }
        see(request, 'handler')
        seeOn(request, stream, 'stream', 'data', 'end', 'finish', 'close', 'aborted', 'error', 'timeout')
        stream.on('data', () => setTimeout(() => see(request, 'timer of data'), 1))
        stream.setTimeout(3)
        stream.on('end', () => {
          if (headers[':path'].endsWith('-going')) return
          stream.respond({ ':status': 200 })
          stream.end('bye')
        })
      },
    },
    ['streams', 'streams-again', 'streams-going'],
  )
  await over(
    {
      async request(request, response) {
        see(request, 'handler')
        seeOn(request, request, 'request', 'data', 'end', 'close', 'aborted', 'error')
        seeOn(request, response, 'response', 'finish', 'close')
        request.on('end', () => response.end('bye'))
        await later(1)
        see(request, 'after a timer')
      },
    },
    ['messages', 'messages-again', 'messages-going'],
  )
  await over(
    {
      async request(request, response) {
        for await (const _ of request) see(request, 'for await')
        see(request, 'after for await')
        response.end('bye')
      },
    },
    ['iterator'],
  )
}
