// relay/src/pipeline/alerts/missing.ts: rules about spans that have none of another kind below them, which a trace can be asked once
// it is whole: gathering.ts says when. alerts.ts feeds it. A trace is judged once; what comes later is counted as late, and
// a trace that had to go for want of room is not judged, but counted: it would look as if something were missing.

import { RecentMap } from '../../common/recent-map.js'
import { Gathered, Gathering, type GatheringLimits } from '../../spans/assembly/gathering.js'
import { lowTraceId, type Span } from '../../spans/span.js'
import { breadthFirst, type Node, treeOf } from '../../spans/tree.js'
import { compileSelection } from './select.js'
import type { Watch } from './watch.js'

const JUDGED = 100_000

interface Asked {
  watch: Watch
  isBelow: (span: Span) => boolean
}

export class Missing {
  judged = 0
  givenUp = 0
  /** Spans. */
  late = 0
  readonly #asked: Asked[]
  readonly #waiting: Gathering<Gathered>
  readonly #done = new RecentMap<true>(JUDGED)

  constructor(watches: readonly Watch[], limits: GatheringLimits) {
    this.#asked = watches.flatMap((watch) =>
      watch.rule.kind === 'missing' ? [{ watch, isBelow: compileSelection(watch.rule.below) }] : [],
    )
    this.#waiting = new Gathering(limits, Gathered)
  }

  get waiting(): number {
    return this.#waiting.held
  }

  add(span: Span, now: number): void {
    if (this.#asked.length === 0) return
    const low = lowTraceId(span.traceId)
    let trace = this.#waiting.find(low)
    if (trace === undefined) {
      if (this.#done.get(low)) {
        this.late++
        return
      }
      trace = this.#waiting.open(low, now)
    }
    this.#waiting.add(trace, span, now)
    for (let old = this.#waiting.surplus(); old; old = this.#waiting.surplus()) {
      this.givenUp++
      this.#done.set(old.low, true)
    }
  }

  due(now: number): void {
    for (let trace = this.#waiting.settled(now); trace; trace = this.#waiting.settled(now)) {
      this.judged++
      this.#done.set(trace.low, true)
      this.#judge(trace.spans, now)
    }
  }

  #judge(spans: Span[], now: number): void {
    let nodes: (Node & { span: Span })[] | undefined
    for (const { watch, isBelow } of this.#asked) {
      if (!spans.some(watch.covers)) continue
      nodes ??= [...breadthFirst(treeOf(spans))]
      const above = ancestorsOf(nodes.filter(({ span }) => isBelow(span)))
      for (const node of nodes) {
        if (watch.covers(node.span)) watch.judge(node.span, !above.has(node), now)
      }
    }
  }
}

function ancestorsOf(nodes: readonly Node[]): Set<Node> {
  const found = new Set<Node>()
  for (const node of nodes) {
    for (let at = node.parent; at !== undefined && !found.has(at); at = at.parent) found.add(at)
  }
  return found
}
