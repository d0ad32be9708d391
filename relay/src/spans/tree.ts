// relay/src/spans/tree.ts: the spans of one trace as a tree, whatever is missing from it. Pure.
// A span under its client's id is a child of the client; children of that server are those on its endpoint. What has
// no parent here hangs on the root, and where there is no root, on a node without a span. Cycles are cut.

import { mergeTrace } from './merge.js'
import type { Span } from './span.js'

export interface Node {
  /** Absent only in a root that stands for one that is missing. */
  span?: Span
  parent?: Node
  children: Node[]
}

export function treeOf(trace: Span[]): Node {
  const nodes = mergeTrace(trace).map((span): Node & { span: Span } => ({ span, children: [] }))
  const byId = new Map<string, Node>()
  const shared = new Map<string, Node>()
  for (const node of nodes) {
    const { span } = node
    if (!span.shared) byId.set(span.id, node)
    else shared.set(sharedKey(span.id, span), node)
  }
  const first = nodes.find(({ span }) => span.parentId === undefined && !span.shared)
  const root: Node = first ?? { children: [] }
  const rest = nodes.filter((node) => node !== root)
  for (const node of rest) hang(node, parentOf(node.span, byId, shared) ?? root)
  const reached = new Set<Node>()
  reach(root, reached)
  for (const node of rest) {
    if (reached.has(node)) continue
    const cut = inCycleAbove(node)
    cut.parent!.children = cut.parent!.children.filter((child) => child !== cut)
    hang(cut, root)
    reach(cut, reached)
  }
  return root
}

function hang(node: Node, parent: Node): void {
  node.parent = parent
  parent.children.push(node)
}

/** All that is not reached is in a cycle or below one; cut once, the cycle and all below it are. */
function inCycleAbove(node: Node): Node {
  const seen = new Set<Node>()
  let at = node
  while (!seen.has(at)) {
    seen.add(at)
    at = at.parent!
  }
  return at
}

function reach(from: Node, reached: Set<Node>): void {
  const waiting = [from]
  for (const node of waiting) {
    reached.add(node)
    for (const child of node.children) if (!reached.has(child)) waiting.push(child)
  }
}

/** Breadth first, without the node that stands for a missing root. */
export function* breadthFirst(root: Node): Generator<Node & { span: Span }> {
  const queue = [root]
  for (const node of queue) {
    if (node.span) yield node as Node & { span: Span }
    for (const child of node.children) queue.push(child)
  }
}

function parentOf(span: Span, byId: Map<string, Node>, shared: Map<string, Node>): Node | undefined {
  if (span.shared) return byId.get(span.id)
  if (span.parentId === undefined) return undefined
  return shared.get(sharedKey(span.parentId, span)) ?? byId.get(span.parentId)
}

/** Of a server under its client's id, and of what is below that server. */
export function sharedKey(id: string, { localEndpoint }: Span): string {
  const { serviceName = '', ipv4 = '', ipv6 = '', port = 0 } = localEndpoint ?? {}
  return `${id} ${serviceName} ${ipv4} ${ipv6} ${port}`
}
