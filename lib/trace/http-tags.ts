// lib/trace/http-tags.ts: what spans of HTTP say of a request: the names are those of OpenTelemetry's stable conventions.
// Neither queries nor credentials: they hold what should be in no trace.
import { wanted } from './records.js'
import type { Endpoint, SpanOptions, TagValue } from './span.js'

/** The options with which a request's span begins; its name is the method until the route is known. Undefined while nobody records spans. */
export function requestOptions(
  kind: 'client' | 'server',
  method: string,
  target: string,
  peer?: Endpoint,
): SpanOptions | undefined {
  if (!wanted()) return undefined
  const tags: Record<string, TagValue> = { 'http.request.method': method, 'url.path': pathOf(target) }
  if (kind === 'client' && peer?.service) tags['server.address'] = peer.service
  if (kind === 'client' && peer?.port) tags['server.port'] = peer.port
  return peer === undefined ? { kind, tags } : { kind, tags, remote: peer }
}

/** A request's target, which proxies get as a whole URL: http://user:password@host/path?query. */
export function pathOf(target: string): string {
  const path = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
  const end = path.search(/[?#]/)
  return (end < 0 ? path : path.slice(0, end)) || '/'
}

/** host:port as headers have it; [::1]:80 too. */
export function authorityPeer(authority: string, defaultPort: number): Endpoint {
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  const [, name = '', port] = /^(.*?)(?::(\d{1,5}))?$/.exec(host) ?? []
  return { service: name.replace(/^\[(.*)\]$/, '$1'), port: port === undefined ? defaultPort : Number(port) }
}
