// lib/transform/known.ts: what an expression certainly is, as far as tracepoints go: followed from the import of blkin
// through constants, destructuring, exports and imports of other modules. What is not certain is undefined.
//
//   import { provider as p } from 'blkin'           p                declare
//   export const disk = p('disk', { ... })          disk             provider "disk"
//   import * as own from './disk.js'                own              module ./disk.js
//   const { io: read } = own.disk                   read             tracepoint "disk:io"
//
// Other modules are asked for by yielding where they would be imported from; who drives the generator finds and reads
// them, now (finder.ts) or later (plugin.ts).
import type { AnyNode, ObjectExpression, Pattern, VariableDeclarator } from 'acorn'
import type { Variable } from 'eslint-scope'
import { exportedNode } from './exported.js'
import { keyName, memberName, type Source, Syntax } from './syntax.js'

export interface Import {
  readonly specifier: string
  readonly from: string
}

/** Yields an import; is given the module that it means: this package, one with source, or one that does not matter. */
export type Following<T> = Generator<Import, T, 'blkin' | Source | undefined>

export type Known =
  | { readonly kind: 'blkin' | 'declare' }
  | { readonly kind: 'provider' | 'tracepoint' | 'text'; readonly name: string }
  | { readonly kind: 'module'; readonly syntax: Syntax }
  | { readonly kind: 'record'; readonly syntax: Syntax; readonly node: ObjectExpression }
  | undefined

type AnyDefinition = { type: string; node: AnyNode; parent?: AnyNode | null }

export class Modules {
  /** By file. A tree is many times its text: it stays while it is in use, or until the next collection. */
  readonly #syntax = new Map<string, WeakRef<Syntax>>()
  /** What is being followed: a circle leads nowhere. */
  readonly #followed = new Set<object>()

  /** Parsed again only where its code has changed, or its tree was collected. */
  syntaxOf(source: Source): Syntax | undefined {
    const known = this.#syntax.get(source.file)?.deref()
    if (known?.source.code === source.code) return known
    const syntax = Syntax.of(source)
    if (syntax !== undefined) this.#syntax.set(source.file, new WeakRef(syntax))
    return syntax
  }

  *evaluate(node: AnyNode, syntax: Syntax): Following<Known> {
    switch (node.type) {
      case 'Identifier': {
        const variable = syntax.variable(node)
        return variable && (yield* this.#once(variable, () => this.#ofVariable(variable, syntax)))
      }
      case 'Literal':
        return typeof node.value === 'string' ? { kind: 'text', name: node.value } : undefined
      case 'TemplateLiteral': {
        const [only, more] = node.quasis
        return only && !more ? { kind: 'text', name: only.value.cooked ?? '' } : undefined
      }
      case 'SequenceExpression': // (0, blkin_1.provider)(...)
        return yield* this.evaluate(node.expressions.at(-1)!, syntax)
      case 'AwaitExpression': {
        const { argument } = node
        if (argument.type !== 'ImportExpression' || argument.source.type !== 'Literal') return undefined
        return yield* this.#imported(String(argument.source.value), syntax)
      }
      case 'MemberExpression': {
        const name = memberName(node)
        if (name === undefined) return undefined
        if (syntax.isGlobal(node.object, 'exports'))
          return yield* this.#once(node, () => this.#exported(syntax, name))
        return yield* this.#property(yield* this.evaluate(node.object, syntax), name)
      }
      case 'CallExpression': {
        const [first] = node.arguments
        if (first === undefined || node.optional) return undefined
        if (syntax.isGlobal(node.callee, 'require'))
          return first.type === 'Literal' ? yield* this.#imported(String(first.value), syntax) : undefined
        if (memberName(node.callee) === 'freeze' && first.type === 'ObjectExpression') {
          const { object } = node.callee as { object: AnyNode } & AnyNode
          return syntax.isGlobal(object, 'Object') ? { kind: 'record', syntax, node: first } : undefined
        }
        if ((yield* this.evaluate(node.callee, syntax))?.kind !== 'declare') return undefined
        const name = yield* this.evaluate(first, syntax)
        return name?.kind === 'text' ? { kind: 'provider', name: name.name } : undefined
      }
      default:
        return undefined
    }
  }

  *#once(what: object, follow: () => Following<Known>): Following<Known> {
    if (this.#followed.has(what)) return undefined
    this.#followed.add(what)
    try {
      return yield* follow()
    } finally {
      this.#followed.delete(what)
    }
  }

  *#imported(specifier: string, { source }: Syntax): Following<Known> {
    const found = yield { specifier, from: source.file }
    if (found === 'blkin') return { kind: 'blkin' }
    const syntax = found && this.syntaxOf(found)
    return syntax && { kind: 'module', syntax }
  }

  *#ofVariable(variable: Variable, syntax: Syntax): Following<Known> {
    const [definition, another] = variable.defs as unknown as AnyDefinition[]
    if (definition === undefined || another !== undefined) return undefined
    const { type, node, parent } = definition
    if (type === 'ImportBinding' && parent?.type === 'ImportDeclaration') {
      const module = yield* this.#imported(String(parent.source.value), syntax)
      if (node.type === 'ImportNamespaceSpecifier') return module
      if (node.type === 'ImportDefaultSpecifier') return yield* this.#property(module, 'default')
      if (node.type !== 'ImportSpecifier') return undefined
      return yield* this.#property(module, keyName(node.imported, false) ?? '')
    }
    if (type !== 'Variable' || variable.references.some((one) => one.isWrite() && !one.init)) return undefined
    const { id, init } = node as VariableDeclarator
    return init ? yield* this.#destructured(id, variable, yield* this.evaluate(init, syntax)) : undefined
  }

  /** What the variable gets where the pattern takes a value apart. */
  *#destructured(pattern: Pattern, variable: Variable, value: Known): Following<Known> {
    if (value === undefined) return undefined
    if (pattern.type === 'Identifier')
      return (variable.identifiers as object[]).includes(pattern) ? value : undefined
    if (pattern.type !== 'ObjectPattern') return undefined
    for (const property of pattern.properties) {
      if (property.type !== 'Property') continue
      const name = keyName(property.key, property.computed)
      if (name === undefined) continue
      const found = yield* this.#destructured(property.value, variable, yield* this.#property(value, name))
      if (found) return found
    }
    return undefined
  }

  *#property(value: Known, name: string): Following<Known> {
    switch (value?.kind) {
      case 'blkin':
        return name === 'provider' ? { kind: 'declare' } : name === 'default' ? value : undefined
      case 'provider':
        return { kind: 'tracepoint', name: `${value.name}:${name}` }
      case 'module':
        return yield* this.#exported(value.syntax, name)
      case 'record': {
        const { syntax, node } = value
        const named = node.properties.filter(
          (one) => one.type !== 'Property' || keyName(one.key, one.computed) === name,
        )
        const [only, more] = named
        if (only?.type !== 'Property' || only.kind !== 'init' || more) return undefined
        return yield* this.evaluate(only.value, syntax)
      }
      default:
        return undefined
    }
  }

  /** What a module exports by that name. */
  *#exported(syntax: Syntax, name: string): Following<Known> {
    const found = exportedNode(syntax, name)
    switch (found?.kind) {
      case 'node':
        return yield* this.#once(found.node, () => this.evaluate(found.node, syntax))
      case 'whole': {
        const { node } = found
        const whole: Known =
          node.type === 'ObjectExpression'
            ? { kind: 'record', syntax, node }
            : yield* this.#once(node, () => this.evaluate(node, syntax))
        return name === 'default' ? whole : yield* this.#property(whole, name)
      }
      case 'from': {
        const module = yield* this.#imported(found.specifier, syntax)
        return found.name === undefined ? module : yield* this.#property(module, found.name)
      }
      case 'any':
        for (const specifier of found.specifiers) {
          const value = yield* this.#once(syntax, () => this.#from(specifier, name, syntax))
          if (value) return value
        }
    }
    return undefined
  }

  *#from(specifier: string, name: string, syntax: Syntax): Following<Known> {
    return yield* this.#property(yield* this.#imported(specifier, syntax), name)
  }
}
