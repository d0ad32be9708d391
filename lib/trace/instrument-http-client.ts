// lib/trace/instrument-http-client.ts: a client's span for each request that node:http sends. From Node 22.12 on the
// context goes into its headers, where the program has put none there; before, the channel comes when they are sent:
// span.inject() does it by hand.
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Subscribers } from './channels.js'
import type { Handle } from './handle.js'
import { pathOf } from './instrument-http-server.js'
import { start } from './start.js'

const spans = new WeakMap<ClientRequest, Handle>()

function begin(request: ClientRequest): void {
  if (spans.has(request)) return
  const span = start(request.method.toLowerCase(), {
    kind: 'client',
    tags: { 'http.method': request.method, 'http.path': pathOf(request.path) },
  })
  spans.set(request, span)
  if (!request.headersSent && !request.hasHeader('traceparent')) {
    for (const [name, value] of Object.entries(span.inject({}, 'traceparent')))
      request.setHeader(name, value as string)
  }
  if (!span.enabled) return
  const [, name = '', port] = /^(.*?)(?::(\d+))?$/.exec(String(request.getHeader('host') ?? '')) ?? []
  span.remote({ service: name, port: port === undefined ? 0 : Number(port) })
  request.once('close', () => span.end())
}

export const httpClient: Subscribers = {
  httpClientCreated: ({ request }: { request: ClientRequest }) => begin(request),
  httpClientStart: ({ request }: { request: ClientRequest }) => begin(request),
  httpClientResponse({ request, response }: { request: ClientRequest; response: IncomingMessage }) {
    spans.get(request)?.tag('http.status_code', response.statusCode ?? 0)
    if ((response.statusCode ?? 0) >= 500) spans.get(request)?.tag('error', String(response.statusCode))
  },
  httpClientError({ request, error }: { request: ClientRequest; error: Error }) {
    spans.get(request)?.tag('error', String(error?.message))
  },
}
