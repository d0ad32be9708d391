// lib/cli/trace/trace-rows.ts: the spans of a trace in the order in which they are drawn, each with the lines of the tree that
// stand before it. What hangs on nothing stands behind the tree, under a line that says why. Pure, and no recursion: how
// deep a trace goes is for others to say.
import type { Span, SpanNode } from '@blkin/relay'

export interface Row {
  /** Before the span. */
  lead: string
  /** Before what is told of it. */
  below: string
  /** A span, or a line that says what stands under it. */
  item: Span | string
}

interface Waiting {
  node: SpanNode
  /** What stands before its siblings. */
  before: string
  depth: number
  isLast: boolean
}

/** Spans that are deeper than `levels` stand there too, with the number of their level. */
export function* rowsOf(root: SpanNode, levels: number): Generator<Row> {
  const { below, strays } = partsOf(root)
  if (root.span !== undefined) yield* branch([root], 0, levels, new Map([[root, below]]))
  for (const [heading, nodes] of strays) {
    yield { lead: '', below: '', item: heading }
    yield* branch(nodes, 1, levels)
  }
}

function* branch(
  tops: SpanNode[],
  depth: number,
  levels: number,
  own = new Map<SpanNode, SpanNode[]>(),
): Generator<Row> {
  const waiting: Waiting[] = []
  const push = (nodes: SpanNode[], before: string, depth: number) => {
    const sorted = nodes.toSorted(byTime)
    for (let i = sorted.length - 1; i >= 0; i--)
      waiting.push({ node: sorted[i]!, before, depth, isLast: i === sorted.length - 1 })
  }
  push(tops, '', depth)
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, before, depth, isLast } = next
    const children = own.get(node) ?? node.children
    const [lead, after] = linesBefore(before, depth, levels, isLast)
    yield { lead, below: after + (children.length > 0 && depth < levels ? '│  ' : '   '), item: node.span! }
    push(children, after, depth + 1)
  }
}

/** What stands before a span, and before all that is below it. */
function linesBefore(before: string, depth: number, levels: number, isLast: boolean): [string, string] {
  if (depth === 0) return ['', '']
  if (depth > levels) return [`${before}┄${depth} `, before]
  return isLast ? [`${before}└─ `, `${before}   `] : [`${before}├─ `, `${before}│  `]
}

/** The tree hangs on its root whatever is without a parent; here that is told apart from the root's children. */
function partsOf(root: SpanNode): { below: SpanNode[]; strays: Map<string, SpanNode[]> } {
  const below: SpanNode[] = []
  const strays = new Map<string, SpanNode[]>()
  const ids = idsOf(root)
  for (const node of root.children.toSorted(byTime)) {
    const { id, parentId, shared } = node.span!
    const parent = shared ? id : parentId // a server under its client's id hangs on the client
    if (parent !== undefined && parent === root.span?.id) below.push(node)
    else {
      const heading = headingOf(parent, ids)
      const there = strays.get(heading)
      if (there) there.push(node)
      else strays.set(heading, [node])
    }
  }
  return { below, strays }
}

function headingOf(parent: string | undefined, ids: Set<string>): string {
  if (parent === undefined) return 'another root'
  return ids.has(parent) ? 'in a cycle of parents' : `missing parent ${parent}`
}

function idsOf(root: SpanNode): Set<string> {
  const ids = new Set<string>()
  const waiting = [root]
  for (const { span, children } of waiting) {
    if (span && !span.shared) ids.add(span.id)
    for (const child of children) waiting.push(child)
  }
  return ids
}

/** What says no time comes last. */
function byTime({ span: a }: SpanNode, { span: b }: SpanNode): number {
  const [at, bt] = [a?.timestamp ?? Infinity, b?.timestamp ?? Infinity]
  return at === bt ? 0 : at < bt ? -1 : 1
}
