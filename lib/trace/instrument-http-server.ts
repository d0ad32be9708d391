// lib/trace/instrument-http-server.ts: a server's span for each request that node:http serves, current in all its handlers.
import type { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { bindEvents, bindSharedEvents } from './bind-events.js'
import type { Subscribers } from './channels.js'
import { currentHandle } from './current.js'
import { endAtClose } from './end-at-close.js'
import { tellBroken, tellCancelled } from './failure.js'
import { requestOptions } from './http-tags.js'
import { peerLeft } from './peer-left.js'
import { extractAny } from './remote.js'
import { remember, Served, servedOf } from './served.js'
import { off } from './silent.js'

interface Started {
  request: IncomingMessage & { route?: { path?: unknown } | undefined; baseUrl?: unknown }
  response: ServerResponse
  server: EventEmitter
}

function serve({ request, response, server }: Started): void {
  const { method = '', url = '', headers, socket } = request
  const peer = { address: socket.remoteAddress, port: socket.remotePort }
  const span = extractAny(headers).start(method, requestOptions('server', method, url, peer))
  if (span === off && currentHandle() === undefined) return
  const served = new Served(span, method)
  remember(request, served)
  bindSharedEvents(server, servedOf)
  bindEvents(request, served.handle)
  bindEvents(response, served.handle)
  if (!span.enabled) return
  endAtClose(response, span, () => {
    const route = request.route?.path // Express and its like say it here
    if (route !== undefined) served.routeBelow(request.baseUrl, route)
    if (response.headersSent) served.status(response.statusCode)
    if (!response.writableFinished) {
      if (peerLeft(socket)) tellCancelled(span, 'the client closed the connection')
      else tellBroken(span, 'the connection ended before the answer was sent')
    }
  })
}

export const httpServer: Subscribers = { httpServerRequest: serve }
