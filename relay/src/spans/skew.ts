// relay/src/spans/skew.ts: a trace's tree with the clocks of its hosts set against each other, for whoever draws it. Pure.
// A server cannot begin before the client that called it. Where it did, on another host, its clock is taken to lag, and it
// and what is below it on its host moves into the client's middle: Zipkin's rule, by which Lens draws too. So answers of
// the API stay as spans were told. The relay says which host a client's or server's span is from in the tag `blkin.host`.

import { compare, HOST_TAG, type Span } from './span.js'
import { breadthFirst, type Node, treeOf } from './tree.js'

interface Place {
  host: string | undefined
  /** What to add to the times of spans of which host, from here down. */
  skew: { host: string; micros: number } | undefined
}

/** Children come in the order of their times. Without a root, or with two, nobody's clock is the reference. */
export function correctedTree(trace: Span[]): Node {
  const root = treeOf(trace)
  const isAnother = ({ span }: Node) => span!.parentId === undefined && !span!.shared
  if (root.span && !root.children.some(isAnother)) {
    const places = new Map<Node, Place>()
    for (const node of breadthFirst(root))
      places.set(node, correct(node, node.parent && places.get(node.parent)))
  }
  const all = [root]
  for (const node of all) {
    node.children.sort(byTime)
    for (const child of node.children) all.push(child)
  }
  return root
}

function byTime({ span: a }: Node, { span: b }: Node): number {
  return (a!.timestamp ?? 0) - (b!.timestamp ?? 0) || compare(a!.id, b!.id)
}

/** Moves the node's span, by what its parent's place says and then by what it shows itself. */
function correct(node: Node & { span: Span }, above: Place | undefined): Place {
  const caller = node.parent?.span
  const inherits = caller?.localEndpoint?.serviceName === node.span.localEndpoint?.serviceName
  const host = hostOf(node.span) ?? (inherits ? above?.host : undefined)
  let skew = above?.skew
  if (skew && skew.host === host) node.span = moved(node.span, skew.micros)
  if (caller && host !== undefined && above?.host !== undefined && above.host !== host) {
    const micros = lag(caller, node.span)
    if (micros > 0) {
      node.span = moved(node.span, micros)
      // as well as it was moved already, what is below it has not been
      skew = { host, micros: micros + (skew?.host === host ? skew.micros : 0) }
    }
  }
  return { host, skew }
}

/** Undefined where the span does not tell. */
function hostOf({ tags, localEndpoint }: Span): string | undefined {
  if (tags && Object.hasOwn(tags, HOST_TAG)) return tags[HOST_TAG]
  return localEndpoint?.ipv4 ?? localEndpoint?.ipv6
}

/** Microseconds that the server's clock is behind its client's, at least; 0 where that does not show. */
function lag(client: Span, server: Span): number {
  if (client.kind !== 'CLIENT' || server.kind !== 'SERVER') return 0
  if (client.timestamp === undefined || server.timestamp === undefined) return 0
  const early = client.timestamp - server.timestamp
  if (early < 0) return 0
  const { duration: outer } = client
  const { duration: inner } = server
  // a server that went on after its client had its answer, or no durations: it began after the call, no more is known
  if (outer === undefined || inner === undefined || outer < inner) return early + 1
  return early + Math.floor((outer - inner) / 2)
}

function moved(span: Span, micros: number): Span {
  const annotations = span.annotations?.map(({ timestamp, value }) => ({
    timestamp: timestamp + micros,
    value,
  }))
  return {
    ...span,
    ...(span.timestamp === undefined ? {} : { timestamp: span.timestamp + micros }),
    ...(annotations ? { annotations } : {}),
  }
}
