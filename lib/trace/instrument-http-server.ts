// lib/trace/instrument-http-server.ts: a server's span for each request that node:http serves, current in its handlers.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Subscribers } from './channels.js'
import { currentHandle, enter } from './current.js'
import { extractAny } from './remote.js'
import { off } from './silent.js'

interface Started {
  request: IncomingMessage
  response: ServerResponse
}

function serve({ request, response }: Started): void {
  const { method = '', url = '', headers, socket } = request
  const span = extractAny(headers).start(method.toLowerCase(), {
    kind: 'server',
    tags: { 'http.method': method, 'http.path': pathOf(url) },
  })
  // The handlers are called next, in this very context. One of an earlier request of the connection may be in it.
  const handle = span === off ? undefined : span
  if (currentHandle() !== handle) enter(handle)
  if (!span.enabled) return
  span.remote({ address: socket.remoteAddress, port: socket.remotePort })
  response.once('close', () => {
    if (response.headersSent) span.tag('http.status_code', response.statusCode)
    if (!response.writableFinished) span.tag('error', 'the connection ended before the answer was sent')
    else if (response.statusCode >= 500) span.tag('error', String(response.statusCode))
    span.end()
  })
}

/** Without what is asked for: queries hold what should be in no trace. */
export function pathOf(url: string): string {
  const end = url.search(/[?#]/)
  return end < 0 ? url : url.slice(0, end)
}

export const httpServer: Subscribers = { httpServerRequest: serve }
