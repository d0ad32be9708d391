// lib/transform/exported.ts: where a module's export stands in its own source, for ES modules and CommonJS. Pure.
import type { AnyNode, AssignmentExpression } from 'acorn'
import { simple } from 'acorn-walk'
import { keyName, memberName, type Syntax } from './syntax.js'

export type Exported =
  /** An expression, or the name of a variable of the module. */
  | { readonly kind: 'node'; readonly node: AnyNode }
  /** What `module.exports` is given, whose property it is. */
  | { readonly kind: 'whole'; readonly node: AnyNode }
  /** Another module's export; without a name its namespace. */
  | { readonly kind: 'from'; readonly specifier: string; readonly name?: string }
  /** One of what these export: `export * from`. */
  | { readonly kind: 'any'; readonly specifiers: string[] }
  | undefined

export function exportedNode(syntax: Syntax, name: string): Exported {
  const all: string[] = []
  for (const statement of syntax.program.body) {
    switch (statement.type) {
      case 'ExportDefaultDeclaration':
        if (name === 'default') return { kind: 'node', node: statement.declaration }
        break
      case 'ExportAllDeclaration': {
        const specifier = String(statement.source.value)
        if (statement.exported === null || statement.exported === undefined) all.push(specifier)
        else if (keyName(statement.exported, false) === name) return { kind: 'from', specifier }
        break
      }
      case 'ExportNamedDeclaration': {
        const own = declaredName(statement.declaration, name)
        if (own) return { kind: 'node', node: own }
        const found = statement.specifiers.find((one) => keyName(one.exported, false) === name)
        if (found === undefined) break
        if (!statement.source) return { kind: 'node', node: found.local }
        const local = keyName(found.local, false)
        return { kind: 'from', specifier: String(statement.source.value), ...(local && { name: local }) }
      }
    }
  }
  if (all.length > 0 && name !== 'default') return { kind: 'any', specifiers: all }
  return commonExport(syntax, name)
}

/** The name in `export const name = ...`, or in a pattern there. */
function declaredName(declaration: AnyNode | null | undefined, name: string): AnyNode | undefined {
  if (declaration?.type !== 'VariableDeclaration') return undefined
  for (const { id } of declaration.declarations) {
    if (id.type === 'Identifier' && id.name === name) return id
    if (id.type !== 'ObjectPattern') continue
    for (const property of id.properties) {
      if (
        property.type === 'Property' &&
        property.value.type === 'Identifier' &&
        property.value.name === name
      )
        return property.value
    }
  }
  return undefined
}

const assignments = new WeakMap<Syntax, AssignmentExpression[]>()

/** CommonJS: `exports.name = ...` or `module.exports = { ... }`, where it is assigned once. */
function commonExport(syntax: Syntax, name: string): Exported {
  const given = assignments.get(syntax) ?? assignmentsOf(syntax)
  assignments.set(syntax, given)
  const named = given.filter(
    ({ left, right }) =>
      memberName(left) === name && isExports((left as { object?: AnyNode }).object, syntax) && !isVoid(right),
  )
  const whole = given.filter(({ left }) => isModuleExports(left, syntax))
  if (named.length + whole.length !== 1) return undefined
  return named[0] ? { kind: 'node', node: named[0].right } : { kind: 'whole', node: whole[0]!.right }
}

function assignmentsOf({ program }: Syntax): AssignmentExpression[] {
  const found: AssignmentExpression[] = []
  simple(program, { AssignmentExpression: (node) => void found.push(node) })
  return found
}

const isModuleExports = (node: AnyNode, syntax: Syntax): boolean =>
  memberName(node) === 'exports' && syntax.isGlobal((node as { object?: AnyNode }).object!, 'module')

const isExports = (node: AnyNode | undefined, syntax: Syntax): boolean =>
  node !== undefined && (syntax.isGlobal(node, 'exports') || isModuleExports(node, syntax))

/** `exports.one = exports.other = void 0`, which compilers write first. */
const isVoid = (node: AnyNode): boolean =>
  node.type === 'AssignmentExpression'
    ? isVoid(node.right)
    : node.type === 'UnaryExpression' && node.operator === 'void'
