// relay/src/ports/http/server.ts: the HTTP side of the relay: sockets, limits, and the writing of answers.
// thread/tracing.ts starts it. Which path means what is in routes.ts; nothing here reads a span.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MemoryBudget } from '../../common/memory-budget.js'
import type { Reject } from '../../common/rejections.js'
import { type Address, shown } from '../../protocol/address.js'
import type { Tokens } from '../../protocol/check/rights.js'
import { type Answer, answerTo, text } from './answer.js'
import type { Answers } from './answers.js'
import { CHALLENGE, isAuthorized, isGuarded, rightFor } from './authorize.js'
import { readBody } from './body.js'
import { compressed, isCompressible } from './compress.js'
import { HttpConnections } from './connections.js'
import type { Cors } from './cors.js'
import type { Hosts } from './hosts.js'
import { Parameters } from './parameters.js'
import { RequestMemory } from './request-memory.js'
import { type Api, route } from './routes.js'

/** Of bodies and answers, of all requests. */
const MOST_BYTES = 256 * 2 ** 20
const REQUEST_MS = 30_000
/** For the first line and headers: who says nothing holds one of the connections. */
const HEADERS_MS = 10_000
const LOOK_MS = 2_000
/** As many as the ids of 1000 traces take, with each comma as three characters, and room for a proxy's own. */
const HEADER_BYTES = 64 * 2 ** 10

export interface HttpServer {
  address: string
  close(): Promise<void>
}

export interface HttpOptions {
  where: Address
  /** What `authorization` must show, if anything. */
  tokens: Tokens
  cors: Cors
  hosts: Hosts
  answers: Answers
  reject: Reject
}

export async function startHttp(
  api: Api,
  { where, tokens, cors, hosts, answers, reject }: HttpOptions,
): Promise<HttpServer> {
  const budget = new MemoryBudget(MOST_BYTES)
  const limits = {
    ...{ requestTimeout: REQUEST_MS, headersTimeout: HEADERS_MS, maxHeaderSize: HEADER_BYTES },
    connectionsCheckingInterval: LOOK_MS,
  }
  const guard = { tokens, cors, hosts }
  const connections = new HttpConnections(reject)
  const hear = (request: IncomingMessage, response: ServerResponse) => {
    const memory = new RequestMemory(budget)
    response.on('close', () => memory.release())
    void answer(api, guard, connections, memory, request, response).then((given) => {
      const isGone = response.destroyed
      const fits = isGone ? given : fitting(memory, given)
      answers.add(request, fits)
      if (!isGone)
        void write(cors, request, response, fits).then(() => connections.answered(request, response))
    })
  }
  const server = createServer(limits, hear)
  server.on('checkContinue', hear) // else Node asks for the body before anything is looked at
  answers.watch(server)
  connections.watch(server)
  server.listen(where.port, where.host)
  await once(server, 'listening')
  return {
    address: shown(server.address() as AddressInfo),
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** Who may ask. */
type Guard = Pick<HttpOptions, 'tokens' | 'cors' | 'hosts'>

async function answer(
  api: Api,
  guard: Guard,
  connections: HttpConnections,
  memory: RequestMemory,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Answer> {
  try {
    const early = earlyAnswer(guard, request)
    if (early) return early
    if (isGuarded(rightFor(request.method), guard.tokens) || !hasBody(request))
      connections.accept(request, response)
    const url = urlOf(request)
    if (url === undefined) return text(400, '400 Bad Request')
    return await route(api, {
      method: methodOf(request),
      path: url.pathname,
      parameters: new Parameters(url.searchParams),
      contentType: request.headers['content-type'] ?? '',
      accept: request.headers.accept ?? '',
      body: async () => {
        const body = await readBody(request, response, memory)
        connections.accept(request, response)
        return body
      },
    })
  } catch (error) {
    const known = answerTo(error)
    if (known) return known
    if (request.destroyed && !request.complete) return text(400, 'it broke off') // which nobody reads
    return { ...text(500, '500 Internal Server Error'), cause: (error as Error).message }
  }
}

/** A preflight shows no token: it is what a browser asks by itself. */
function earlyAnswer(
  { tokens, cors, hosts }: Guard,
  { method = 'GET', headers }: IncomingMessage,
): Answer | undefined {
  const origin = cors.refusedOrigin(method, headers)
  if (origin !== undefined)
    return text(403, `pages of ${origin} may not ask; the relay's --allow-origin says whose may`)
  if (cors.isPreflight(method, headers)) return { status: 200, body: '' }
  const right = rightFor(method)
  if (!isGuarded(right, tokens)) {
    const refusal = hosts.refusal(headers.host)
    return refusal === undefined ? undefined : text(421, refusal)
  }
  if (isAuthorized(headers.authorization, right, tokens)) return undefined
  return { ...text(401, 'the token is missing or wrong'), challenge: CHALLENGE }
}

/** `complete` is not set yet when a request is heard. */
const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** HEAD is answered as GET is, without the body, which Node leaves out. */
const methodOf = ({ method = 'GET' }: IncomingMessage): string => (method === 'HEAD' ? 'GET' : method)

/** What a request's first line asks for: a path, which begins with one slash however many are written. */
function urlOf({ url = '/' }: IncomingMessage): URL | undefined {
  try {
    return new URL(url.replace(/^\/+/, '/'), 'http://relay')
  } catch {
    return undefined
  }
}

async function write(
  cors: Cors,
  request: IncomingMessage,
  response: ServerResponse,
  { status, type, body, challenge }: Answer,
): Promise<void> {
  response.on('error', () => {})
  const { headers } = request
  const bytes = Buffer.from(body)
  const packed = await compressed(bytes, String(headers['accept-encoding'] ?? ''))
  if (response.destroyed) return
  const vary = [...(cors.varies ? ['origin'] : []), ...(isCompressible(bytes) ? ['accept-encoding'] : [])]
  response.writeHead(status, {
    'content-length': (packed ?? bytes).length,
    ...(type === undefined ? {} : { 'content-type': type }),
    ...(packed === undefined ? {} : { 'content-encoding': 'gzip' }),
    ...(vary.length === 0 ? {} : { vary: vary.join(', ') }),
    ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
    ...cors.headers(headers, cors.isPreflight(request.method ?? '', headers)),
    ...(request.complete || methodOf(request) === 'GET' ? {} : { connection: 'close' }),
  })
  response.end(packed ?? bytes)
}

/** Or a refusal, where too much waits to be read already. */
function fitting(memory: RequestMemory, given: Answer): Answer {
  try {
    memory.take(Buffer.byteLength(given.body))
    return given
  } catch (error) {
    return answerTo(error)!
  }
}
