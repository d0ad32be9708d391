// test/programs/span-entries.mjs: every way in which a server's handler is entered, and what is current there; for
// trace-entries.test.ts. Each request brings a trace id of its own: whatever is called for it is to be in that trace.
// Prints what was seen: [way, place, 'own' | 'none' | 'another'].
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { PassThrough, pipeline, Writable } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'
import { pipeline as pipelined } from 'node:stream/promises'
import { setTimeout as later } from 'node:timers/promises'
import { openSession, trace } from 'blkin'
import { http2Entries } from './span-entries-http2.mjs'

openSession('entries', { relay: null, mode: 'overwrite' }).enable('blkin:*')
const off = trace.instrument('http', 'fetch', 'net')

const seen = []
/** Notes what is current at a place that was reached for that request. */
const see = (request, place) => {
  const [way, id] = idOf(request)
  const current = trace.current().traceId
  seen.push([way, place, current === id ? 'own' : current === '' ? 'none' : 'another'])
}
const idOf = ({ url, headers }) => [
  (url ?? headers[':path']).slice(1),
  headers.traceparent === undefined ? '-' : headers.traceparent.slice(19, 35),
]
const seeOn = (request, emitter, label, ...events) => {
  for (const event of events) emitter.on(event, () => see(request, `${label} ${event}`))
}

/** Not once(), which rejects at an error. */
const closed = (emitter) => new Promise((resolve) => emitter.once('close', resolve))

let lastId = 0n
const nextId = () => (++lastId).toString(16).padStart(16, '0')
const traceparent = () => `00-${'0'.repeat(16)}${nextId()}-00f067aa0ba902b7-01`

/** The head of a request, as text for a socket. */
const head = (method, way, ...more) =>
  [`${method} /${way} HTTP/1.1`, 'host: x', `traceparent: ${traceparent()}`, ...more, '', ''].join('\r\n')
const post = (way, length, ...more) => head('POST', way, `content-length: ${length}`, ...more)

async function serve(handlers, client, options = {}, create = http.createServer) {
  const server = create(options)
  for (const [event, handler] of Object.entries(handlers)) server.on(event, handler)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  await client(server.address().port)
  server.closeAllConnections?.()
  server.close()
  await closed(server)
}

/** A client that says `texts` in turn, each once the server has said that it is ready for it. */
async function speak(port, texts, { until = 'end', ready } = {}) {
  const socket = net.connect(port, '127.0.0.1')
  socket.on('error', () => {})
  let heard = ''
  socket.setEncoding('utf8').on('data', (data) => {
    heard += data
    socket.emit('heard')
  })
  for (const [i, text] of texts.entries()) {
    if (i > 0) await ready?.(i, socket)
    socket.write(text)
  }
  const over = closed(socket)
  while (until !== 'end' && !heard.includes(until)) await Promise.race([once(socket, 'heard'), over])
  if (until !== 'end') socket.destroy()
  await over
  return heard
}

/** Resolved by the program itself once a place was reached. */
const signal = () => {
  let give
  const given = new Promise((resolve) => {
    give = resolve
  })
  return { give, given }
}

const lifecycle = (request, response) => {
  see(request, 'handler')
  seeOn(request, request, 'request', 'end', 'close', 'error', 'aborted')
  seeOn(request, response, 'response', 'finish', 'close', 'error')
}
const bye = (response) => response.writeHead(200, { connection: 'close' }).end('bye')

const BODY = {
  data(request, response) {
    request.on('data', () => see(request, 'request data')).on('end', () => bye(response))
  },
  readable(request, response) {
    request
      .on('readable', () => {
        see(request, 'request readable')
        while (request.read() !== null);
      })
      .on('end', () => bye(response))
  },
  paused(request, response) {
    setTimeout(() => {
      request.on('data', () => see(request, 'request data after a pause')).on('end', () => bye(response))
    }, 5)
  },
  async iterator(request, response) {
    for await (const _ of request) see(request, 'for await')
    see(request, 'after for await')
    bye(response)
  },
  pipeline(request, response) {
    const sink = new Writable({
      write(_chunk, _encoding, done) {
        see(request, 'write of a pipeline')
        done()
      },
    })
    pipeline(request, new PassThrough(), sink, () => {
      see(request, 'callback of a pipeline')
      bye(response)
    })
  },
  async promises(request, response) {
    await pipelined(request, new PassThrough().resume())
    see(request, 'after await pipeline()')
    bye(response)
  },
  async consumers(request, response) {
    await textOf(request)
    see(request, 'after await text()')
    bye(response)
  },
  async once(request, response) {
    request.resume()
    await once(request, 'end')
    see(request, 'after once()')
    bye(response)
  },
  later(request, response) {
    request.on('data', () => {
      setTimeout(() => see(request, 'timer of data'), 1)
      setImmediate(() => see(request, 'immediate of data'))
      process.nextTick(() => see(request, 'tick of data'))
      queueMicrotask(() => see(request, 'microtask of data'))
      void later(1).then(() => see(request, 'promise of data'))
    })
    request.on('end', () => setTimeout(() => bye(response), 10))
  },
  drain(request, response) {
    request.resume().on('end', () => {
      response.writeHead(200, { connection: 'close' })
      response.write('x'.repeat(2 ** 23))
      response.on('drain', () => {
        see(request, 'response drain')
        response.end()
      })
    })
  },
}

const collect = (request, response) => {
  lifecycle(request, response)
  BODY.data(request, response)
}

for (const [way, handler] of Object.entries(BODY)) {
  const { give, given } = signal()
  const request = (request, response) => {
    lifecycle(request, response)
    handler(request, response)
    setTimeout(give, 10)
  }
  await serve({ request }, (port) => speak(port, [`${post(way, 6)}abc`, 'def'], { ready: () => given }))
}

// Trailers of a chunked body; a body that is nonsense; a client that goes.
const chunked = (way) => head('POST', way, 'transfer-encoding: chunked')
await serve({ request: collect }, (port) =>
  speak(port, [`${chunked('chunked')}3\r\nabc\r\n0\r\nx: y\r\n\r\n`]),
)
for (const [way, texts] of [
  ['nonsense', [`${chunked('nonsense')}3\r\nabc\r\n`, 'no length\r\n']],
  ['abort', [`${post('abort', 6)}abc`, '']],
]) {
  const { give, given } = signal()
  const closed = signal()
  const request = (request, response) => {
    lifecycle(request, response)
    request.on('data', give)
    response.on('close', closed.give)
  }
  await serve({ request, clientError: (_, socket) => socket.destroy() }, async (port) => {
    const gone = speak(port, texts, {
      ready: async (_, socket) => {
        await given
        if (way === 'abort') socket.destroy()
      },
    })
    await Promise.all([gone, closed.given])
  })
}

// Timeouts of the request and of the response.
for (const which of ['request', 'response']) {
  const request = (request, response) => {
    lifecycle(request, response)
    ;({ request, response })[which].setTimeout(20, () => {
      see(request, `${which} timeout`)
      bye(response)
    })
  }
  await serve({ request }, (port) =>
    speak(port, [which === 'request' ? `${post('timeout-request', 6)}abc` : head('GET', 'timeout-response')]),
  )
}

// Expect: with and without handlers for it.
const expecting = (way, what) => [post(way, 3, `expect: ${what}`), 'abc']
await serve({ request: collect }, (port) => speak(port, expecting('continue', '100-continue')))
await serve(
  {
    request: collect,
    checkContinue(request, response) {
      response.writeContinue()
      collect(request, response)
    },
    checkExpectation: collect,
  },
  async (port) => {
    await speak(port, expecting('checkContinue', '100-continue'))
    await speak(port, expecting('checkExpectation', 'more'))
  },
)

// One connection: a request with a body, whose timer goes on, one without, one that becomes another protocol.
let first
await serve(
  {
    request(request, response) {
      lifecycle(request, response)
      if (request.method === 'POST') {
        first = setInterval(() => see(request, 'timer'), 1)
        request.on('data', () => see(request, 'request data')).on('end', () => response.end('one'))
      } else setTimeout(() => response.end('two'), 10)
    },
    upgrade(request, socket) {
      clearInterval(first)
      see(request, 'upgrade')
      socket.on('data', () => {
        see(request, 'data after an upgrade')
        socket.end('HTTP/1.1 101 x\r\n\r\nthree')
      })
    },
    connect(request, socket) {
      see(request, 'connect')
      socket.end('HTTP/1.1 200 x\r\n\r\n')
    },
  },
  async (port) => {
    const upgrade = 'GET /upgrade HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'
    await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => socket.write(`${post('kept', 3)}abc`))
      const next = { one: head('GET', 'kept'), two: upgrade }
      socket.setEncoding('utf8').on('data', (heard) => {
        for (const [said, text] of Object.entries(next)) if (heard.includes(said)) socket.write(text)
        if (heard.includes('two')) setTimeout(() => socket.write('data'), 10)
      })
      socket.on('close', resolve)
    })
    await speak(port, ['CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n']).catch(() => {})
  },
)

// Pipelined: both are there before the first is answered.
await serve(
  {
    async request(request, response) {
      lifecycle(request, response)
      await later(5)
      request.on('data', () => see(request, 'request data')).on('end', () => response.end(request.url))
    },
  },
  (port) => speak(port, [`${post('pipelined', 3)}abc${post('pipelined-2', 3)}def`], { until: 'pipelined-2' }),
)

// What a handler calls itself: its callbacks are in the handler's span.
await serve(
  {
    async request(request, response) {
      if (request.url === '/inner') return void request.resume().on('end', () => response.end('answer'))
      lifecycle(request, response)
      const { port } = request.socket.server.address()
      const inner = `http://127.0.0.1:${port}/inner`
      const answer = await fetch(inner, { method: 'POST', body: 'x' })
      see(request, 'after fetch')
      for await (const _ of answer.body) see(request, 'body of fetch')
      const agent = new http.Agent({ keepAlive: true })
      for (const turn of ['first', 'kept']) {
        await new Promise((resolve) => {
          const call = http.request(inner, { method: 'POST', agent }, (answer) => {
            see(request, `${turn} answer of http.request`)
            seeOn(request, answer, `${turn} answer`, 'data', 'end', 'close')
            answer.on('close', resolve)
          })
          seeOn(request, call, `${turn} call`, 'socket', 'finish', 'close')
          call.end('x')
        })
      }
      agent.destroy()
      const socket = net.connect(port, '127.0.0.1')
      seeOn(request, socket, 'socket', 'connect', 'data', 'end', 'close')
      socket.write('GET /inner HTTP/1.0\r\n\r\n')
      await closed(socket)
      const failing = http.get('http://127.0.0.1:1')
      seeOn(request, failing, 'failing call', 'error', 'close')
      await closed(failing)
      bye(response)
    },
  },
  (port) => speak(port, [head('GET', 'calls')]),
)

await http2Entries({ see, seeOn, traceparent })

// Switched off while a connection is open: the next request on it is in no span.
await serve(
  {
    request(request, response) {
      if (request.url === '/off') off()
      see(request, 'handler')
      response.end(request.url)
    },
  },
  async (port) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.write(head('GET', 'off'))
    await once(socket, 'data')
    socket.write(head('GET', 'after-off'))
    await once(socket, 'data')
    socket.destroy()
  },
)

console.log(JSON.stringify(seen))
process.exit()
