// relay/src/spans/merge.ts: the spans of one trace, cleaned: what was sent in pieces is one span again. Pure.
// links.ts needs it before it can make a tree. The rules are Zipkin's: pieces have one id, one side of the call and
// endpoints that do not contradict each other; a server's span under its client's id is shared, said or not.

import { compare, type Draft, type Endpoint, makeEndpoint, makeSpan, type Span, setTag } from './span.js'

export function mergeTrace(spans: Span[]): Span[] {
  if (spans.length < 2) return spans
  const traceId = spans.reduce(
    (longest, span) => (span.traceId.length > longest.length ? span.traceId : longest),
    '',
  )
  const merged: Span[] = []
  let pieces: SpanPieces | undefined
  for (const one of [...spans].sort(byIdThenClient)) {
    const span = one.traceId === traceId ? one : { ...one, traceId }
    if (pieces?.takes(span)) continue
    const before = pieces?.joined()
    if (before) merged.push(before)
    pieces = new SpanPieces(before?.id === span.id ? asServerOf(before, span) : span)
  }
  if (pieces) merged.push(pieces.joined())
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

/** What is one span, collected first and joined at once: joined piece by piece, thousands would take minutes. */
class SpanPieces {
  readonly #pieces: Span[]
  #local: Endpoint | undefined

  constructor(readonly first: Span) {
    this.#pieces = [first]
    this.#local = first.localEndpoint
  }

  /** False where the span is another. */
  takes(span: Span): boolean {
    const { first } = this
    if (first.id !== span.id || first.shared !== span.shared || !agree(this.#local, span.localEndpoint))
      return false
    this.#pieces.push(span)
    this.#local = { ...span.localEndpoint, ...this.#local }
    return true
  }

  /** Of what only one span can have, the first counts; of tags the last. */
  joined(): Span {
    const { first } = this
    if (this.#pieces.length === 1) return first
    const { traceId, id } = first
    const all: Draft = { traceId, id, annotations: [], tags: {}, remoteEndpoint: {} }
    for (const { annotations = [], tags = {}, ...one } of this.#pieces) {
      all.parentId ??= one.parentId
      all.kind ??= one.kind
      if (all.name === undefined || all.name === 'unknown') all.name = one.name ?? all.name
      all.timestamp = least(all.timestamp, one.timestamp)
      all.duration = Math.max(all.duration ?? 0, one.duration ?? 0)
      all.remoteEndpoint = { ...one.remoteEndpoint, ...all.remoteEndpoint }
      for (const annotation of annotations) all.annotations!.push(annotation)
      for (const key in tags) setTag(all.tags!, key, tags[key]!)
      all.debug ||= one.debug
      all.shared ||= one.shared
    }
    return makeSpan(all, makeEndpoint(this.#local))
  }
}

const least = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b)

function asServerOf(client: Span, span: Span): Span {
  const isServer = client.kind === 'CLIENT' && span.kind === 'SERVER'
  const made = isServer && !span.shared ? { ...span, shared: true as const } : span
  if (!made.shared || made.parentId !== undefined || client.parentId === undefined) return made
  return { ...made, parentId: client.parentId }
}
