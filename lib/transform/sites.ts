// lib/transform/sites.ts: where a module calls tracepoints, and what is written there instead.
//
//   disk.io({ bytes: size() })            globalThis["blkin:disk:io"]?.[0] !== 0 && disk.io({ bytes: size() })
//   x => disk.io({ bytes: x })            x => (globalThis["blkin:disk:io"]?.[0] !== 0 ? disk.io({ bytes: x }) : void 0)
//   if (disk.io.on[0]) ...                if ((globalThis["blkin:disk:io"] ?? disk.io.on)[0]) ...
//
// provider() makes the global (word.ts). Where it is not there, the call is made as it would have been.
import type { AnyNode, CallExpression, MemberExpression } from 'acorn'
import { fullAncestor } from 'acorn-walk'
import type { Following, Modules } from './known.js'
import { memberName, type Syntax } from './syntax.js'

export interface Edit {
  readonly at: number
  readonly text: string
}

export interface Sites {
  readonly edits: Edit[]
  /** How many calls and tests were found and changed. */
  changed: number
  /** What was found and left as it was, with the reason: `12 disk.io: its arguments change something`. */
  readonly left: string[]
}

const word = (name: string) => `globalThis[${JSON.stringify(`blkin:${name}`)}]`

export function* findSites(modules: Modules, syntax: Syntax): Following<Sites> {
  const found: Sites = { edits: [], changed: 0, left: [] }
  /** Those around tracepoints' calls that are known: inner ones come first. */
  const around = new Set<AnyNode>()
  for (const { node, parents } of candidates(syntax)) {
    const target = node.type === 'CallExpression' ? node.callee : testedBy(node)
    const known = yield* modules.evaluate(target, syntax)
    if (known?.kind !== 'tracepoint') continue
    const reason = reasonToLeave(node, parents, syntax, around)
    if (node.type === 'CallExpression') addEvaluating(parents, around)
    if (reason !== undefined) {
      found.left.push(`${syntax.line(node.start)} ${known.name}: ${reason}`)
      continue
    }
    found.changed++
    found.edits.push(...editsFor(node, parents, known.name))
  }
  return found
}

/** All that would evaluate it: those around it up to the function that it is in. */
function addEvaluating(parents: AnyNode[], around: Set<AnyNode>): void {
  for (const parent of parents.toReversed()) {
    if (/^(Arrow)?Function/.test(parent.type)) return
    around.add(parent)
  }
}

/** Calls and tests that could be a tracepoint's. */
function candidates(syntax: Syntax): { node: CallExpression | MemberExpression; parents: AnyNode[] }[] {
  const out: { node: CallExpression | MemberExpression; parents: AnyNode[] }[] = []
  fullAncestor(syntax.program, (node, _state, ancestors) => {
    const isCall = node.type === 'CallExpression' && !node.optional && isNamed(node.callee)
    const parents = ancestors.slice(0, -1)
    if (isCall || (node.type === 'MemberExpression' && isWord(node))) out.push({ node, parents })
  })
  return out
}

const isNamed = (node: AnyNode): boolean => node.type === 'Identifier' || memberName(node) !== undefined

/** `x.on[0]`. */
const isWord = ({ object, property, computed, optional }: MemberExpression): boolean =>
  computed && !optional && property.type === 'Literal' && property.value === 0 && memberName(object) === 'on'

const testedBy = (node: MemberExpression): AnyNode => (node.object as MemberExpression).object

function reasonToLeave(
  node: CallExpression | MemberExpression,
  parents: AnyNode[],
  { hidesGlobal }: Syntax,
  around: Set<AnyNode>,
): string | undefined {
  if (hidesGlobal) return 'the module has a globalThis of its own'
  if (around.has(node)) return 'another is called in its arguments'
  if (node.type === 'CallExpression' && node.arguments.some(changesSomething))
    return 'its arguments change something'
  const statement = parents.findLast(({ type }) => type === 'ExpressionStatement')
  const isWhole = parents.at(-1) === statement
  if (!isWhole && statement?.start === node.start) return 'it begins a longer statement'
  return undefined
}

/** What would be missed where the arguments are not evaluated; functions in them are not called by that. */
function changesSomething(node: AnyNode): boolean {
  switch (node.type) {
    case 'AssignmentExpression':
    case 'UpdateExpression':
    case 'AwaitExpression':
    case 'YieldExpression':
      return true
    case 'UnaryExpression':
      return node.operator === 'delete' || changesSomething(node.argument)
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return false
    default:
      return Object.values(node).some((part) =>
        Array.isArray(part)
          ? part.some((one) => isNode(one) && changesSomething(one))
          : isNode(part) && changesSomething(part),
      )
  }
}

const isNode = (part: unknown): part is AnyNode =>
  typeof part === 'object' && part !== null && typeof (part as { type?: unknown }).type === 'string'

function editsFor(node: CallExpression | MemberExpression, parents: AnyNode[], name: string): Edit[] {
  if (node.type === 'MemberExpression')
    return [
      { at: node.start, text: `(${word(name)} ?? ` },
      { at: node.object.end, text: ')' },
    ]
  const test = `${word(name)}?.[0] !== 0`
  if (parents.at(-1)?.type === 'ExpressionStatement') return [{ at: node.start, text: `${test} && ` }]
  return [
    { at: node.start, text: `(${test} ? ` },
    { at: node.end, text: ' : void 0)' },
  ]
}
