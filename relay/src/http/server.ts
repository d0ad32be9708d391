// relay/src/http/server.ts: the HTTP side of the relay: sockets, limits, and the writing of answers.
// tracing.ts starts it. Which path means what is in routes.ts; nothing here reads a span.

import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Address, shown } from '../intake/address.js'
import type { Reject } from '../rejections.js'
import { type Answer, answerTo, text } from './answer.js'
import { Answers } from './answers.js'
import { readBody } from './body.js'
import { Held, type Share } from './held.js'
import { Parameters } from './parameters.js'
import { type Api, route } from './routes.js'

const MOST_CONNECTIONS = 256
const REQUEST_MS = 30_000
/** For the first line and headers: who says nothing holds one of the connections. */
const HEADERS_MS = 10_000
const LOOK_MS = 2_000

export interface HttpServer {
  address: string
  answers: Answers
  close(): Promise<void>
}

export interface HttpOptions {
  where: Address
  /** What `authorization: Bearer` must say, if anything. */
  token: string | undefined
  reject: Reject
}

export async function startHttp(api: Api, { where, token, reject }: HttpOptions): Promise<HttpServer> {
  const held = new Held()
  const answers = new Answers(reject)
  const limits = {
    ...{ requestTimeout: REQUEST_MS, headersTimeout: HEADERS_MS },
    connectionsCheckingInterval: LOOK_MS,
  }
  const server = createServer(limits, (request, response) => {
    const share = held.share()
    response.on('close', () => share.release())
    void answer(api, token, request, share).then((given) => {
      const isGone = response.destroyed
      const fits = isGone ? given : fitting(share, given)
      answers.add(request, fits)
      if (!isGone) write(request, response, fits)
    })
  })
  answers.watch(server)
  server.maxConnections = MOST_CONNECTIONS
  server.listen(where.port, where.host)
  await once(server, 'listening')
  return {
    address: shown(server.address() as AddressInfo),
    answers,
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
): Promise<Answer> {
  try {
    if (token !== undefined && !shows(request, token)) return text(401, 'the token is missing or wrong')
    const url = urlOf(request)
    if (url === undefined) return text(400, '400 Bad Request')
    return await route(api, {
      method: request.method ?? 'GET',
      path: url.pathname,
      parameters: new Parameters(url.searchParams),
      contentType: request.headers['content-type'] ?? '',
      accept: request.headers.accept ?? '',
      body: () => readBody(request, share),
    })
  } catch (error) {
    const known = answerTo(error)
    if (known) return known
    if (request.destroyed && !request.complete) return text(400, 'it broke off') // which nobody reads
    return { ...text(500, '500 Internal Server Error'), cause: (error as Error).message }
  }
}

/** What a request's first line asks for: a path, which begins with one slash however many are written. */
function urlOf({ url = '/' }: IncomingMessage): URL | undefined {
  try {
    return new URL(url.replace(/^\/+/, '/'), 'http://relay')
  } catch {
    return undefined
  }
}

function write(request: IncomingMessage, response: ServerResponse, { status, type, body }: Answer): void {
  response.on('error', () => {})
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
