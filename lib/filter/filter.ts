// lib/filter/filter.ts: a filter's way from a person's text to a tree that is known to mean something. Called wherever a rule
// is given (enable(), the command line, the environment) and where one is asked (gates.ts). docs/filter.md is for its users.
import { type ContextDescription, checkAlone, type Declaration, misfit } from './check.js'
import { FilterError } from './error.js'
import { operandsOf, parse } from './parse.js'
import type { Node } from './tree.js'

export interface CompiledFilter {
  readonly text: string
  /** Names that it asks for, each once. */
  readonly fields: readonly string[]
  readonly contexts: readonly string[]
  readonly root: Node
}

function named(root: Node, kind: 'field' | 'context'): string[] {
  const names = new Set<string>()
  const visit = (node: Node): void => {
    if (node.kind === kind) names.add((node as Node & { kind: 'field' | 'context' }).name)
    operandsOf(node).forEach(visit)
  }
  visit(root)
  return [...names]
}

/** @throws TypeError (ERR_BLKIN_FILTER, with `filter` and `column`) for a text that is no filter. */
export function compileFilter(text: unknown): CompiledFilter {
  if (typeof text !== 'string')
    throw new FilterError(
      '',
      0,
      `the filter is ${text === null ? 'null' : `a ${typeof text}`}; expected a string`,
    )
  const root = parse(text)
  checkAlone(text, root)
  return Object.freeze({
    text,
    fields: named(root, 'field'),
    contexts: named(root, 'context'),
    root,
  })
}

/** Why the filter does not fit the tracepoint, in one line; undefined where it does. Unknown contexts always fit. */
export function checkFilter(
  filter: CompiledFilter,
  tracepoint: Declaration,
  contexts: readonly ContextDescription[] | undefined,
): string | undefined {
  return misfit(filter.text, filter.root, tracepoint, contexts)
}
