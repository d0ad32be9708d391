// lib/trace/instrument-http2.ts: spans of the requests that node:http2 serves and sends, from the Nodes on that tell of them:
// 22.17 and 24.2. A server's span is current in all that its stream calls. No header can be added to what a client sends,
// so that the program puts the context there; a request that has one has its client's span already.
import type { ClientHttp2Stream, Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { bindEvents, bindSharedEvents } from './bind-events.js'
import type { Subscribers } from './channels.js'
import { currentHandle } from './current.js'
import { endAtClose } from './end-at-close.js'
import { tellBroken, tellCancelled, tellFailure, tellStatus } from './failure.js'
import type { Handle } from './handle.js'
import { authorityPeer, requestOptions } from './http-tags.js'
import { contextHeaders } from './propagation.js'
import { extractAny } from './remote.js'
import { remember, Served, servedOf } from './served.js'
import { off } from './silent.js'
import { start } from './start.js'

type Stream = (ServerHttp2Stream | ClientHttp2Stream) & { errored?: unknown }
interface Told<S extends Stream = Stream> {
  stream: S
  headers: IncomingHttpHeaders
}

const cancel = 8 // RST_STREAM's code, with which either side gives a request up

/** What a server pushes is nobody's request. */
const isPushed = ({ id }: Stream): boolean => id !== undefined && id % 2 === 0

function serve({ stream, headers }: Told<ServerHttp2Stream>): void {
  if (isPushed(stream)) return
  const session = stream.session as Http2Session
  const method = String(headers[':method'])
  const { remoteAddress, remotePort } = session.socket as Socket
  const peer = { address: remoteAddress, port: remotePort }
  const options = requestOptions('server', method, String(headers[':path'] ?? ''), peer)
  const span = extractAny(headers).start(method, options)
  if (span === off && currentHandle() === undefined) return
  const served = new Served(span, method)
  remember(stream, served)
  bindSharedEvents(session, servedOf)
  bindEvents(stream, served.handle)
  if (!span.enabled) return
  endAtClose(stream, span, () => {
    const status = stream.sentHeaders?.[':status']
    if (status !== undefined) served.status(Number(status))
    if (status === undefined && !stream.errored && stream.rstCode !== cancel)
      tellBroken(span, 'the stream ended before the answer was sent')
    tellClose(span, stream)
  })
}

const sent = new WeakMap<Stream, Handle>()

function send({ stream, headers }: Told<ClientHttp2Stream>): void {
  if (isPushed(stream) || contextHeaders.some((name) => headers[name] !== undefined)) return
  const method = String(headers[':method'])
  const peer = authorityPeer(String(headers[':authority'] ?? ''), headers[':scheme'] === 'http' ? 80 : 443)
  const span = start(method, requestOptions('client', method, String(headers[':path'] ?? ''), peer))
  if (!span.enabled) return
  sent.set(stream, span)
  endAtClose(stream, span, () => tellClose(span, stream))
}

function tellClose(span: Handle, { errored, rstCode }: Stream): void {
  if (errored) tellFailure(span, errored)
  else if (rstCode === cancel) tellCancelled(span)
}

export const http2: Subscribers = {
  http2ServerCreated: serve,
  http2ClientCreated: send,
  http2ClientResponse({ stream, headers }: Told<ClientHttp2Stream>) {
    const span = sent.get(stream)
    if (span?.enabled) tellStatus(span, Number(headers[':status']))
  },
}
