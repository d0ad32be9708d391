// relay/src/spans/merge.ts: the spans of one trace, cleaned: what was sent in pieces is one span again. Pure.
// links.ts needs it before it can make a tree. The rules are Zipkin's: pieces have one id, one side of the call and
// endpoints that do not contradict each other; a server's span under its client's id is shared, said or not.

import { compare, type Endpoint, makeSpan, type Span } from './span.js'

export function mergeTrace(spans: Span[]): Span[] {
  if (spans.length < 2) return spans
  const traceId = spans.reduce(
    (longest, span) => (span.traceId.length > longest.length ? span.traceId : longest),
    '',
  )
  const sorted = [...spans].sort(byIdThenClient)
  const merged: Span[] = []
  for (const one of sorted) {
    const span = one.traceId === traceId ? one : { ...one, traceId }
    const last = merged.at(-1)
    if (last?.id !== span.id) merged.push(span)
    else if (last.shared === span.shared && agree(last.localEndpoint, span.localEndpoint))
      merged[merged.length - 1] = joined(last, span)
    else merged.push(asServerOf(last, span))
  }
  return merged
}

function byIdThenClient(a: Span, b: Span): number {
  return compare(a.id, b.id) || side(a) - side(b) || byEndpoint(a.localEndpoint, b.localEndpoint)
}

const side = ({ shared, kind }: Span): number => (shared ? 2 : kind === 'CLIENT' ? 0 : 1)

/** None first, so that what lacks one is joined to the first that has it. */
function byEndpoint(a: Endpoint | undefined, b: Endpoint | undefined): number {
  if (!a || !b) return (a ? 1 : 0) - (b ? 1 : 0)
  const last = '\uffff'
  return (
    compare(a.serviceName ?? last, b.serviceName ?? last) ||
    compare(a.ipv4 ?? last, b.ipv4 ?? last) ||
    compare(a.ipv6 ?? last, b.ipv6 ?? last)
  )
}

function agree(a: Endpoint = {}, b: Endpoint = {}): boolean {
  const keys = ['serviceName', 'ipv4', 'ipv6', 'port'] as const
  return keys.every((key) => a[key] === undefined || b[key] === undefined || a[key] === b[key])
}

function joined(a: Span, b: Span): Span {
  const starts = [a.timestamp, b.timestamp].filter((time) => time !== undefined)
  const takes = [a.duration, b.duration].filter((time) => time !== undefined)
  return makeSpan({
    traceId: a.traceId,
    parentId: a.parentId ?? b.parentId,
    id: a.id,
    kind: a.kind ?? b.kind,
    name: a.name === undefined || a.name === 'unknown' ? (b.name ?? a.name) : a.name,
    timestamp: starts.length > 0 ? Math.min(...starts) : undefined,
    duration: takes.length > 0 ? Math.max(...takes) : undefined,
    localEndpoint: { ...b.localEndpoint, ...a.localEndpoint },
    remoteEndpoint: { ...b.remoteEndpoint, ...a.remoteEndpoint },
    annotations: [...(a.annotations ?? []), ...(b.annotations ?? [])],
    tags: { ...a.tags, ...b.tags },
    debug: a.debug ?? b.debug,
    shared: a.shared ?? b.shared,
  })
}

function asServerOf(client: Span, span: Span): Span {
  const isServer = client.kind === 'CLIENT' && span.kind === 'SERVER'
  const made = isServer && !span.shared ? { ...span, shared: true as const } : span
  if (!made.shared || made.parentId !== undefined || client.parentId === undefined) return made
  return { ...made, parentId: client.parentId }
}
