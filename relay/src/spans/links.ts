// relay/src/spans/links.ts: who calls whom, counted over traces, by the rules of Zipkin's dependency view. Pure.
// A call is told by the server; by the client where no server told of it, and then by what the client calls it.

import type { Span } from './span.js'
import { breadthFirst, type Node, treeOf } from './tree.js'

export interface Link {
  parent: string
  child: string
  callCount: number
  errorCount?: number
}

export class Links {
  readonly #links = new Map<string, Link>()

  /** All spans of one trace. */
  add(trace: Span[]): void {
    if (trace.length === 0) return
    const root = treeOf(trace)
    // Of each node the nearest span above it that has a kind; parents come first, so none is looked for twice.
    const callers = new Map<Node, Span | undefined>()
    for (const node of breadthFirst(root)) {
      const { parent } = node
      const caller = parent?.span?.kind ? parent.span : parent && callers.get(parent)
      callers.set(node, caller)
      this.#node(node, node === root, caller)
    }
  }

  all(): Link[] {
    return [...this.#links.values()]
  }

  #node(node: Node & { span: Span }, isRoot: boolean, caller: Span | undefined): void {
    const { span } = node
    const service = span.localEndpoint?.serviceName
    const remote = span.remoteEndpoint?.serviceName
    const kind = span.kind ?? (service && remote ? 'CLIENT' : undefined)
    if (kind === undefined || (span.kind === 'CLIENT' && node.children.length > 0)) return
    const isCallee = kind === 'SERVER' || kind === 'CONSUMER'
    let [parent, child] = isCallee ? [remote, service] : [service, remote]
    let isError = hasError(span)
    if (kind === 'PRODUCER' || kind === 'CONSUMER') {
      if (parent && child) this.#count(parent, child, isError)
      return
    }
    if (isRoot && kind === 'SERVER' && !parent) return
    const callerName = caller?.localEndpoint?.serviceName
    if (caller && callerName) {
      // a client whose own service is not the one that called it: the link between the two was not told
      if (kind === 'CLIENT' && service && callerName !== service) this.#count(callerName, service, false)
      if (kind === 'SERVER' || !parent) parent = callerName
      if (caller.kind === 'CLIENT' && span.parentId === caller.id) isError ||= hasError(caller)
    }
    if (parent && child) this.#count(parent, child, isError)
  }

  #count(parent: string, child: string, isError: boolean): void {
    const key = JSON.stringify([parent, child])
    let link = this.#links.get(key)
    if (link === undefined) {
      link = { parent, child, callCount: 0 }
      this.#links.set(key, link)
    }
    link.callCount++
    if (isError) link.errorCount = (link.errorCount ?? 0) + 1
  }
}

const hasError = ({ tags }: Span): boolean => tags !== undefined && Object.hasOwn(tags, 'error')
