// lib/trace/channels.ts: the diagnostics_channel channels that spans are made from, in one table, and their subscription.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'

export const channels = {
  httpServerRequest: 'http.server.request.start',
  /** Node 22.12 and later: while headers can still be set. */
  httpClientCreated: 'http.client.request.created',
  httpClientStart: 'http.client.request.start',
  httpClientResponse: 'http.client.response.finish',
  httpClientError: 'http.client.request.error',
  undiciCreate: 'undici:request:create',
  undiciHeaders: 'undici:request:headers',
  undiciTrailers: 'undici:request:trailers',
  undiciError: 'undici:request:error',
  http2ServerCreated: 'http2.server.stream.created',
  http2ClientCreated: 'http2.client.stream.created',
  http2ClientResponse: 'http2.client.stream.finish',
  fastifyHandler: 'tracing:fastify.request.handler:start',
  fastifyError: 'tracing:fastify.request.handler:error',
  expressLayer: 'tracing:express.router.request:start',
  expressError: 'tracing:express.router.request:error',
  netClient: 'net.client.socket',
  netServer: 'net.server.socket',
} as const

/** Called with what the channel tells; its type is the subscriber's business. */
export type Subscribers = Partial<Record<keyof typeof channels, (message: never) => void>>

/** @returns what ends all the subscriptions */
export function listen(subscribers: Subscribers): () => void {
  const made = Object.entries(subscribers).map(([channel, hear]) => {
    const name = channels[channel as keyof typeof channels]
    const guarded = (message: unknown) => {
      try {
        hear(message as never)
      } catch {} // a message that is not what it was when this was written costs a span and not the program
    }
    subscribe(name, guarded)
    return () => unsubscribe(name, guarded)
  })
  return () => {
    for (const end of made) end()
  }
}
