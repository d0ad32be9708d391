// lib/filter/check.ts: whether a filter's parts fit each other, and the tracepoint whose events it is to judge.
// condition.ts believes it. Pure.
import { matches } from '../glob.js'
import { nearest } from '../nearest.js'
import type { Schema } from '../schema.js'
import { type FieldDescription, Shape, Type } from '../types.js'
import { FilterError } from './error.js'
import type { Node } from './tree.js'

/** A context that a filter may ask for: its name without `$ctx.`, and a number of Type. */
export interface ContextDescription {
  readonly name: string
  readonly type: number
}

/** What of a declaration a filter asks for. */
export type Declaration = Pick<Schema, 'provider' | 'event' | 'fields'>

/** What an expression is. `unknown`: a field or context before it is known which. */
type Kind = 'integer' | 'float' | 'string' | 'pattern' | 'enum' | 'unknown'

/** What names stand for; throws the reason where they stand for nothing. */
interface Names {
  field(name: string, index: number | undefined): FieldDescription | undefined
  context(name: string): number | undefined
}

const typeNames = Object.keys(Type)
const anything: Names = { field: () => undefined, context: () => undefined }

function kindOf(type: number | undefined): Kind {
  if (type === undefined) return 'unknown'
  if (type === Type.string) return 'string'
  if (type === Type.enum) return 'enum'
  return type === Type.f32 || type === Type.f64 ? 'float' : 'integer'
}

const listed = (names: readonly string[]) =>
  names.length > 12 ? `${names.slice(0, 12).join(', ')} and ${names.length - 12} more` : names.join(', ')

function maybe(name: string, names: readonly string[]): string {
  const one = nearest(name, names)
  return one === undefined ? '' : ` (did you mean "${one}"?)`
}

function show(node: Node): string {
  if (node.kind === 'field') return node.index === undefined ? node.name : `${node.name}[${node.index}]`
  if (node.kind === 'context') return `$ctx.${node.name}`
  if (node.kind === 'text') return JSON.stringify(node.parts.join('*'))
  return node.kind === 'integer' || node.kind === 'float' ? `${node.value}` : 'this'
}

class Checker {
  constructor(
    private readonly filter: string,
    private readonly names: Names,
  ) {}

  fail(node: Node, what: string): never {
    throw new FilterError(this.filter, node.at, what)
  }

  truth(node: Node): void {
    const kind = this.kind(node)
    if (kind === 'string' || kind === 'pattern')
      this.fail(node, `${show(node)} is a string, which is neither true nor false; expected a comparison`)
  }

  private number(node: Node, operator: string): Kind {
    const kind = this.kind(node)
    if (kind === 'string' || kind === 'pattern')
      this.fail(node, `${show(node)} is a string; ${operator} takes numbers`)
    return kind
  }

  private integer(node: Node, operator: string): void {
    if (this.number(node, operator) === 'float')
      this.fail(node, `${show(node)} is a floating-point number; ${operator} takes integers`)
  }

  private field(node: Node & { kind: 'field' }): FieldDescription | undefined {
    try {
      return this.names.field(node.name, node.index)
    } catch (reason) {
      return this.fail(node, (reason as Error).message)
    }
  }

  private kind(node: Node): Kind {
    switch (node.kind) {
      case 'integer':
      case 'float':
        return node.kind
      case 'text':
        return 'pattern'
      case 'field': {
        const field = this.field(node)
        return field?.type === Type.bytes ? 'integer' : kindOf(field?.type)
      }
      case 'context':
        try {
          return kindOf(this.names.context(node.name))
        } catch (reason) {
          return this.fail(node, (reason as Error).message)
        }
      case 'unary':
        return this.unary(node)
      case 'joined':
        for (const operand of node.operands) {
          if (node.operator === '&&' || node.operator === '||') this.truth(operand)
          else this.integer(operand, node.operator)
        }
        return 'integer'
      case 'binary':
        if (node.operator === '<<' || node.operator === '>>') this.shift(node)
        else this.comparison(node)
        return 'integer'
    }
  }

  private unary(node: Node & { kind: 'unary' }): Kind {
    if (node.operator === '!') this.truth(node.operand)
    else if (node.operator === '~') this.integer(node.operand, '~')
    else {
      const kind = this.number(node.operand, node.operator)
      return kind === 'enum' ? 'integer' : kind
    }
    return 'integer'
  }

  private shift(node: Node & { kind: 'binary' }): void {
    this.integer(node.left, node.operator)
    this.integer(node.right, node.operator)
    const { right } = node
    if (right.kind === 'integer' && (right.value < 0n || right.value > 63n))
      this.fail(right, `a shift by ${right.value}; expected 0 to 63`)
  }

  private comparison(node: Node & { kind: 'binary' }): void {
    const ordering = node.operator !== '==' && node.operator !== '!='
    const left = this.kind(node.left)
    const right = this.kind(node.right)
    if (left === 'pattern' && right === 'pattern')
      this.fail(
        node,
        'compares two strings that are both written out; expected a field or context on one side',
      )
    const [pattern, other, otherKind] =
      left === 'pattern' ? [node.left, node.right, right] : [node.right, node.left, left]
    if (pattern.kind === 'text' && (left === 'pattern' || right === 'pattern')) {
      if (otherKind === 'integer' || otherKind === 'float')
        this.fail(node, `compares ${show(other)}, a number, with the string ${show(pattern)}`)
      if (ordering && pattern.parts.length > 1)
        this.fail(node, `${node.operator} takes no pattern; expected == or !=, or \\* for a star`)
      if (otherKind === 'enum') {
        if (ordering)
          this.fail(node, `${show(other)} is an enum: its labels have no order; expected == or !=`)
        this.label(other as Node & { kind: 'field' }, pattern)
      }
      return
    }
    if ((left === 'string') !== (right === 'string') && left !== 'unknown' && right !== 'unknown') {
      const [text, rest] = left === 'string' ? [node.left, node.right] : [node.right, node.left]
      this.fail(node, `compares ${show(text)}, a string, with ${show(rest)}, which is none`)
    }
  }

  private label(enumeration: Node & { kind: 'field' }, pattern: Node & { kind: 'text' }): void {
    const labels = this.field(enumeration)!.labels.map(([label]) => label)
    if (labels.some((label) => matches(pattern.parts, label))) return
    const given = pattern.parts.join('*')
    this.fail(
      pattern,
      `${enumeration.name} has no label ${JSON.stringify(given)}; it has ${listed(labels.map((one) => JSON.stringify(one)))}${maybe(given, labels)}`,
    )
  }
}

/** What no tracepoint could make right. @throws FilterError */
export function checkAlone(filter: string, root: Node): void {
  new Checker(filter, anything).truth(root)
}

/** The names of one tracepoint, and of the contexts there are; undefined where only the process knows those. */
function namesOf(tracepoint: Declaration, contexts: readonly ContextDescription[] | undefined): Names {
  const whose = `${tracepoint.provider}:${tracepoint.event}`
  const fields = tracepoint.fields.map(({ name }) => name)
  return {
    field(name, index) {
      const field = tracepoint.fields.find((one) => one.name === name)
      if (field === undefined)
        throw new Error(
          fields.length === 0
            ? `${whose} has no field "${name}"; it has no fields`
            : `${whose} has no field "${name}"; it has ${listed(fields)}${maybe(name, fields)}`,
        )
      const list = field.shape !== Shape.scalar || field.type === Type.bytes
      if (list && index === undefined)
        throw new Error(`${name} is a list of values; expected one of its elements, such as ${name}[0]`)
      if (!list && index !== undefined)
        throw new Error(`${name} has no elements: its type is ${typeNames[field.type - 1]}`)
      if (field.shape === Shape.array && index! >= field.length)
        throw new Error(
          `${name} has ${field.length} elements; expected an index from 0 to ${field.length - 1}`,
        )
      return field
    },
    context(name) {
      if (contexts === undefined) return undefined
      const all = contexts.map((one) => one.name)
      const type = contexts.find((one) => one.name === name)?.type
      if (type === undefined)
        throw new Error(`there is no context "${name}"; there are ${listed(all)}${maybe(name, all)}`)
      return type
    },
  }
}

/** Why the filter does not fit the tracepoint, in one line; undefined where it does. */
export function misfit(
  filter: string,
  root: Node,
  tracepoint: Declaration,
  contexts: readonly ContextDescription[] | undefined,
): string | undefined {
  try {
    new Checker(filter, namesOf(tracepoint, contexts)).truth(root)
    return undefined
  } catch (error) {
    if (error instanceof FilterError) return error.line
    throw error
  }
}
