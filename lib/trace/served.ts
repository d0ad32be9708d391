// lib/trace/served.ts: the requests that are being served, and what is known of each: its span, the route it took, and what
// its handler threw. The servers of both HTTP versions put them here; frameworks and the program say more of them.
import { tellFailure, tellStatus } from './failure.js'
import type { Handle } from './handle.js'
import { off } from './silent.js'

export class Served {
  #exception: unknown
  /** Patterns under which routers are mounted, by the paths that they stood for. */
  #mounts: Map<string, string> | undefined

  constructor(
    readonly span: Handle,
    private readonly method: string,
  ) {}

  /** What is current in its handlers. */
  get handle(): Handle | undefined {
    return this.span === off ? undefined : this.span
  }

  route(route: string): void {
    this.span.rename(`${this.method} ${route}`)
    this.span.tag('http.route', route)
  }

  mount(path: string, pattern: string): void {
    if (path === '' || pattern === '/') return
    this.#mounts ??= new Map([['', '']])
    if (this.#mounts.has(path)) return
    for (const [outer, outerPattern] of this.#mounts) {
      if (path.startsWith(outer) && standsFor(pattern, path.slice(outer.length)))
        this.#mounts.set(path, `${outerPattern}${pattern}`)
    }
  }

  /** A route of a router that stands for that path: by the router's pattern, or the path where nobody told of one. */
  routeBelow(path: unknown, route: unknown): void {
    const base = typeof path === 'string' ? (this.#mounts?.get(path) ?? path) : ''
    this.route(base !== '' && route === '/' ? base : `${base}${route}`)
  }

  /** An exception that a framework answers. With less than 500 it is no failure of the server's. */
  caught(error: unknown): void {
    this.#exception = error
  }

  status(status: number): void {
    if (status >= 500 && this.#exception !== undefined) tellFailure(this.span, this.#exception)
    tellStatus(this.span, status)
  }
}

/** Segment by segment: what was mounted before may be beside it, and not around it. */
function standsFor(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split('/'), path.split('/')]
  const fits = (part: string, i: number) =>
    /[:*{(]/.test(part) || part.toLowerCase() === given[i]!.toLowerCase()
  return wanted.length === given.length && wanted.every(fits)
}

const served = Symbol('blkin.served')
type Request = { [served]?: Served; stream?: unknown }

/** On the request itself: a WeakMap costs more than all else that is done for one. */
export function remember(request: object, what: Served): void {
  ;(request as Request)[served] = what
}

/** By what stands for the request: node:http's message, node:http2's stream, or its message that has the stream. */
export function servedOf(request: object): Served | undefined {
  const { [served]: known, stream } = request as Request
  if (known !== undefined) return known
  return typeof stream === 'object' && stream !== null ? (stream as Request)[served] : undefined
}
