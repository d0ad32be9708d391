// lib/trace/instrument-frameworks.ts: routes, and exceptions that frameworks catch, as Fastify 5 and Express 5.3 tell them through
// diagnostics_channel. Nothing is loaded or looked for: where no such framework is, no channel speaks.
import type { Subscribers } from './channels.js'
import { servedOf } from './served.js'

interface FastifyHandler {
  readonly request: { readonly raw: object }
  readonly route?: { readonly url?: unknown }
  readonly error?: unknown
}
interface ExpressLayer {
  readonly req: { readonly baseUrl?: unknown }
  /** The pattern with which it was registered: of a router or middleware, of a route's handler. */
  readonly route?: unknown
  readonly error?: unknown
}

export const frameworks: Subscribers = {
  fastifyHandler({ request, route }: FastifyHandler) {
    if (typeof route?.url === 'string') servedOf(request.raw)?.route(route.url)
  },
  fastifyError({ request, error }: FastifyHandler) {
    servedOf(request.raw)?.caught(error)
  },
  expressLayer({ req, route }: ExpressLayer) {
    if (typeof req.baseUrl === 'string' && typeof route === 'string') servedOf(req)?.mount(req.baseUrl, route)
  },
  expressError({ req, error }: ExpressLayer) {
    servedOf(req)?.caught(error)
  },
}
