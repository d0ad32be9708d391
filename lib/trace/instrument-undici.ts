// lib/trace/instrument-undici.ts: a client's span for each request of fetch() and undici, with the context in its headers
// where the program has put none there.
import type { Subscribers } from './channels.js'
import { tellOutcome, tellStatus } from './failure.js'
import type { Handle } from './handle.js'
import { requestOptions } from './http-tags.js'
import { contextHeaders } from './propagation.js'
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
  const { method, path, origin, upgrade } = request
  if (upgrade || method === 'CONNECT') return // not every version tells when these are answered
  const { hostname, port, protocol } = new URL(origin)
  const peer = { service: hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80) }
  const span = start(method, requestOptions('client', method, path, peer))
  if (!hasContext(request.headers)) {
    for (const [name, value] of Object.entries(span.inject({}, 'traceparent')))
      request.addHeader(name, value as string)
  }
  if (span.enabled) spans.set(request, span)
}

const contextLine = new RegExp(`^(?:${contextHeaders.join('|')}):`, 'im')

/** Two contexts would be none: whoever reads them takes neither, or the wrong one. */
function hasContext(headers: UndiciRequest['headers']): boolean {
  if (typeof headers === 'string') return contextLine.test(headers)
  return headers.some((name, i) => i % 2 === 0 && contextHeaders.includes(String(name).toLowerCase()))
}

function end(request: UndiciRequest, error?: { error: unknown }): void {
  const span = spans.get(request)
  if (span === undefined) return
  spans.delete(request) // a handler that throws at the end would be told as an error of the request
  if (error !== undefined) tellOutcome(span, error.error)
  span.end()
}

export const undici: Subscribers = {
  undiciCreate: create,
  undiciHeaders({ request, response }: { request: UndiciRequest; response: { statusCode: number } }) {
    const span = spans.get(request)
    if (span !== undefined) tellStatus(span, response.statusCode)
  },
  undiciTrailers: ({ request }: { request: UndiciRequest }) => end(request),
  undiciError: ({ request, error }: { request: UndiciRequest; error: unknown }) => end(request, { error }),
}
