// relay/src/http/server.ts: the HTTP side of the relay: sockets, limits, and the writing of answers.
// tracing.ts starts it. Which path means what is in routes.ts; nothing here reads a span.

import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isLoopback, parseAddress } from '../intake/address.js'
import { type Answer, answerTo, text } from './answer.js'
import { readBody } from './body.js'
import { Held, type Share } from './held.js'
import { Parameters } from './parameters.js'
import { type Api, route } from './routes.js'

const MOST_CONNECTIONS = 256
const REQUEST_MS = 30_000

export interface HttpServer {
  address: string
  close(): Promise<void>
}

export interface HttpOptions {
  /** host:port; port 0 takes any that is free. */
  listen: string
  /** What `authorization: Bearer` must say; needed to listen on anything but loopback. */
  token: string | undefined
  log: (line: string) => void
}

export async function startHttp(api: Api, { listen, token, log }: HttpOptions): Promise<HttpServer> {
  const { host, port } = parseAddress(listen)
  if (token === undefined && !isLoopback(host)) {
    throw new Error(`http is "${listen}" and token is missing; expected a token on anything but loopback`)
  }
  const held = new Held()
  const server = createServer({ requestTimeout: REQUEST_MS }, (request, response) => {
    const share = held.share()
    response.on('close', () => share.release())
    void answer(api, token, request, share, log).then((given) => write(request, response, share, given))
  })
  server.maxConnections = MOST_CONNECTIONS
  server.listen(port, host)
  await once(server, 'listening')
  const bound = server.address() as AddressInfo
  const shown = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
  return {
    address: `${shown}:${bound.port}`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function answer(
  api: Api,
  token: string | undefined,
  request: IncomingMessage,
  share: Share,
  log: (line: string) => void,
): Promise<Answer> {
  try {
    if (token !== undefined && !shows(request, token)) return text(401, 'the token is missing or wrong')
    const url = new URL(request.url ?? '/', 'http://relay')
    return await route(api, {
      method: request.method ?? 'GET',
      path: url.pathname,
      parameters: new Parameters(url.searchParams),
      contentType: request.headers['content-type'] ?? '',
      body: () => readBody(request, share),
    })
  } catch (error) {
    const known = answerTo(error)
    if (known) return known
    log(`${request.method} ${request.url}: ${(error as Error).message}`)
    return text(500, '500 Internal Server Error')
  }
}

function write(request: IncomingMessage, response: ServerResponse, share: Share, given: Answer): void {
  response.on('error', () => {})
  if (response.destroyed) return
  const { status, type, body } = fitting(share, given)
  const bytes = Buffer.from(body)
  response.writeHead(status, {
    'content-length': bytes.length,
    ...(type === undefined ? {} : { 'content-type': type }),
    ...(request.complete || request.method === 'GET' ? {} : { connection: 'close' }),
  })
  response.end(bytes)
}

/** Or a refusal, where too much waits to be read already. */
function fitting(share: Share, given: Answer): Answer {
  try {
    share.take(Buffer.byteLength(given.body))
    return given
  } catch (error) {
    return answerTo(error)!
  }
}

function shows({ headers }: IncomingMessage, token: string): boolean {
  const digest = (secret: string) => createHash('sha256').update(secret).digest()
  return timingSafeEqual(digest(headers.authorization ?? ''), digest(`Bearer ${token}`))
}
