// lib/trace/instrument-http-client.ts: a client's span for each request that node:http sends. From Node 22.12 on the
// context goes into its headers, where the program has put none there; before, the channel comes when they are sent:
// span.inject() does it by hand.
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Subscribers } from './channels.js'
import { endAtClose } from './end-at-close.js'
import { tellBroken, tellCancelled, tellFailure, tellOutcome, tellStatus } from './failure.js'
import type { Handle } from './handle.js'
import { authorityPeer, requestOptions } from './http-tags.js'
import { peerLeft } from './peer-left.js'
import { contextHeaders } from './propagation.js'
import { start } from './start.js'

interface Sent {
  readonly span: Handle
  response?: IncomingMessage
}

const requests = new WeakMap<ClientRequest, Sent>()

function begin(request: ClientRequest): void {
  if (requests.has(request)) return
  const { method, path, protocol } = request
  const peer = authorityPeer(String(request.getHeader('host') ?? ''), protocol === 'https:' ? 443 : 80)
  const span = start(method, requestOptions('client', method, path, peer))
  const sent: Sent = { span }
  requests.set(request, sent)
  if (!request.headersSent && !contextHeaders.some((name) => request.hasHeader(name))) {
    for (const [name, value] of Object.entries(span.inject({}, 'traceparent')))
      request.setHeader(name, value as string)
  }
  if (!span.enabled) return
  endAtClose(request, span, () => {
    if (sent.response?.complete === false) cut(request, span)
  })
}

/** Its answer was not read to the end. */
function cut(request: ClientRequest, span: Handle): void {
  if (peerLeft(request.socket)) tellBroken(span, 'the connection ended before the answer was whole')
  else tellCancelled(span)
}

function failed({ request, error }: { request: ClientRequest; error: NodeJS.ErrnoException }): void {
  const span = requests.get(request)?.span
  if (!span?.enabled) return
  // destroy() without a reason looks as if the other side had hung up, but for what it has left on the request.
  const own = request.destroyed && error?.code === 'ECONNRESET' && error.syscall === undefined
  if (own) tellCancelled(span)
  else if (request.destroyed && !peerLeft(request.socket)) tellOutcome(span, error)
  else tellFailure(span, error)
}

export const httpClient: Subscribers = {
  httpClientCreated: ({ request }: { request: ClientRequest }) => begin(request),
  httpClientStart: ({ request }: { request: ClientRequest }) => begin(request),
  httpClientResponse({ request, response }: { request: ClientRequest; response: IncomingMessage }) {
    const sent = requests.get(request)
    if (!sent?.span.enabled) return
    sent.response = response
    tellStatus(sent.span, response.statusCode ?? 0)
  },
  httpClientError: failed,
}
