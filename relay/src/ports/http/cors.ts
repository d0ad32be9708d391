// relay/src/ports/http/cors.ts: what pages of other origins may do: with what was allowed, read answers and post spans, as they may with
// Zipkin; without, nothing. A browser sends a page's post whether the page may read the answer or not, so it is refused
// here. Credentials that a browser adds by itself are never allowed. The server asks of each request. Pure.

import type { IncomingHttpHeaders } from 'node:http'

export class Cors {
  readonly #origins: Set<string>

  /** `*` is any. @throws TypeError */
  constructor(origins: readonly string[]) {
    for (const origin of origins) checkOrigin(origin)
    this.#origins = new Set(origins.map((origin) => origin.toLowerCase()))
  }

  /** Of a page that may not make the request, in words. A browser that hides the page's origin still says whether it is another site. */
  refusedOrigin(method: string, { origin, 'sec-fetch-site': site }: IncomingHttpHeaders): string | undefined {
    if (method === 'GET' || method === 'HEAD') return undefined
    if (this.#origins.has('*')) return undefined
    if (origin === undefined)
      return site === 'cross-site' || site === 'same-site' ? 'another site' : undefined
    return this.#allows(origin) ? undefined : origin
  }

  isPreflight(method: string, headers: IncomingHttpHeaders): boolean {
    const isAsked = headers['access-control-request-method'] !== undefined
    return method === 'OPTIONS' && isAsked && headers.origin !== undefined
  }

  /** Of every answer. */
  headers({ origin }: IncomingHttpHeaders, isPreflight: boolean): Record<string, string> {
    const isAny = this.#origins.has('*')
    if (origin === undefined || !this.#allows(origin)) return {}
    const allowed = { 'access-control-allow-origin': isAny ? '*' : origin }
    if (!isPreflight) return allowed
    return {
      ...allowed,
      'access-control-allow-methods': 'GET,POST',
      'access-control-allow-headers': 'content-type,authorization',
      'access-control-max-age': '600',
    }
  }

  /** Whether who asks makes a difference. */
  get varies(): boolean {
    return this.#origins.size > 0 && !this.#origins.has('*')
  }

  #allows(origin: string | undefined): boolean {
    return origin === undefined || this.#origins.has('*') || this.#origins.has(origin.toLowerCase())
  }
}

/** As a browser says it: no path, no port where it is the usual one. */
function checkOrigin(origin: string): void {
  if (origin === '*') return
  try {
    const { protocol, host } = new URL(origin)
    if (`${protocol}//${host}` === origin.toLowerCase()) return
  } catch {} // said below
  throw new TypeError(
    `an origin is ${JSON.stringify(origin)}; expected *, or one such as https://ui.example or http://127.0.0.1:3000`,
  )
}
