// lib/trace/instrument-undici.ts: a client's span for each request of fetch() and undici, with the context in its headers
// where the program has put none there.
import type { Subscribers } from './channels.js'
import type { Handle } from './handle.js'
import { pathOf } from './instrument-http-server.js'
import { start } from './start.js'

/** As far as it is used here. */
interface UndiciRequest {
  readonly method: string
  readonly path: string
  readonly origin: string | URL
  /** Names and values in turn; before version 6 their text. */
  readonly headers: readonly unknown[] | string
  /** The protocol asked for, as of a WebSocket. */
  readonly upgrade?: string | null
  addHeader(name: string, value: string): void
}

const spans = new WeakMap<UndiciRequest, Handle>()

function create({ request }: { request: UndiciRequest }): void {
  if (request.upgrade || request.method === 'CONNECT') return // no channel tells when these are answered
  const span = start(request.method.toLowerCase(), {
    kind: 'client',
    tags: { 'http.method': request.method, 'http.path': pathOf(request.path) },
  })
  if (!hasContext(request.headers)) {
    for (const [name, value] of Object.entries(span.inject({}, 'traceparent')))
      request.addHeader(name, value as string)
  }
  if (!span.enabled) return
  spans.set(request, span)
  const { hostname, port, protocol } = new URL(request.origin)
  span.remote({ service: hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80) })
}

/** Two contexts would be none: whoever reads them takes neither. */
function hasContext(headers: UndiciRequest['headers']): boolean {
  if (typeof headers === 'string') return /^traceparent:/im.test(headers)
  return headers.some((name, i) => i % 2 === 0 && String(name).toLowerCase() === 'traceparent')
}

export const undici: Subscribers = {
  undiciCreate: create,
  undiciHeaders({ request, response }: { request: UndiciRequest; response: { statusCode: number } }) {
    spans.get(request)?.tag('http.status_code', response.statusCode)
    if (response.statusCode >= 500) spans.get(request)?.tag('error', String(response.statusCode))
  },
  undiciTrailers({ request }: { request: UndiciRequest }) {
    spans.get(request)?.end()
  },
  undiciError({ request, error }: { request: UndiciRequest; error: Error }) {
    const span = spans.get(request)
    span?.tag('error', String(error?.message))
    span?.end()
    spans.delete(request)
  },
}
