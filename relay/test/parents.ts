// relay/test/parents.ts: which span is below which, by numbers that spans carry in a tag: to compare what became of a trace with the
// relay's own tree of it.

import type { Span } from '../src/spans/span.js'
import { breadthFirst, treeOf } from '../src/spans/tree.js'

/** The same spans, each with its number. */
export function numbered(spans: Span[]): Span[] {
  return spans.map((span, n) => ({ ...span, tags: { ...span.tags, n: `${n}` } }))
}

export type Placed = { n: string; id: string; parentId: string | undefined }

/** What is below another span than in the tree, of one trace; and what has an id that another has. */
export function misplaced(trace: Span[], placed: Placed[]): string[] {
  const wrong: string[] = []
  const numbers = new Map(placed.map(({ id, n }) => [id, n]))
  const parents = new Map(placed.map(({ n, parentId }) => [n, parentId && numbers.get(parentId)]))
  if (numbers.size !== trace.length) wrong.push(`${trace.length} spans have ${numbers.size} ids`)
  for (const { span, parent } of breadthFirst(treeOf(trace))) {
    const above = span.shared ? span.id : span.parentId
    const isThere = above !== undefined && parent?.span?.id === above // else it hangs on the root, for want of its parent
    const right = isThere ? parent!.span!.tags!.n : undefined
    const is = parents.get(span.tags!.n!)
    if (is !== right) wrong.push(`${span.tags!.n} is below ${is}, not ${right}`)
  }
  return wrong
}
