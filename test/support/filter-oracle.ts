// test/support/filter-oracle.ts: what a filter says of an event, worked out from its tree over plain values. It follows
// docs/filter.md and not the native code: integers are bigints, so every comparison is exact; nothing here knows of
// types, sizes or steps. Pure.
import { operandsOf } from '../../lib/filter/parse.js'
import type { Comparison, Joined, Node, Shift } from '../../lib/filter/tree.js'

/** An integer, a bool or an enum's number is a bigint; a float a number; lists are elements only. */
export type Value = bigint | number | string

export interface OracleEvent {
  /** Undefined: an element that is not there. Enums: label and number. */
  field(name: string, index: number | undefined): Value | { label: string; value: bigint } | undefined
  context(name: string): Value
}

/** The value is not there, and so the event is refused. */
class Absent extends Error {}

const u64 = (value: bigint) => BigInt.asUintN(64, value)
const truth = (value: Value) => value !== 0n && value !== 0
const bool = (value: boolean) => (value ? 1n : 0n)

function compared(operator: Comparison, sign: number): boolean {
  switch (operator) {
    case '==':
      return sign === 0
    case '!=':
      return sign !== 0 // also for a NaN
    case '<':
      return sign < 0
    case '<=':
      return sign <= 0
    case '>':
      return sign > 0
    case '>=':
      return sign >= 0
  }
}

/** Below, at or above 0; NaN where the two have no order. */
function order(left: Value, right: Value): number {
  if (typeof left === 'string') return Buffer.compare(Buffer.from(left), Buffer.from(right as string))
  if (typeof left === 'bigint' && typeof right === 'bigint') return left < right ? -1 : left > right ? 1 : 0
  const [a, b] = [Number(left), Number(right)]
  return a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.NaN
}

/** Each star becomes any run of characters; everything else stands for itself. */
function pattern(parts: readonly string[]): RegExp {
  return new RegExp(`^${parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('.*')}$`, 'su')
}

function shifted(operator: Shift, left: bigint, by: bigint): bigint {
  if (by < 0n || by > 63n) throw new Absent()
  return operator === '<<' ? u64(u64(left) << by) : u64(left) >> by
}

export function oracle(root: Node, event: OracleEvent): boolean {
  const labelled = (node: Node) => {
    const read = node.kind === 'field' ? event.field(node.name, node.index) : undefined
    return typeof read === 'object' ? read : undefined
  }

  function compare(operator: Comparison, left: Node, right: Node): boolean {
    const text = left.kind === 'text' ? left : right.kind === 'text' ? right : undefined
    if (text === undefined) return compared(operator, order(value(left), value(right)))
    const other = text === left ? right : left
    const given = labelled(other)?.label ?? (value(other) as string)
    if (operator === '==' || operator === '!=') return pattern(text.parts).test(given) === (operator === '==')
    const sign = order(given, text.parts.join('*'))
    return compared(operator, text === left ? -sign : sign)
  }

  function value(node: Node): Value {
    switch (node.kind) {
      case 'integer':
      case 'float':
        return node.value
      case 'text':
        throw new Error('a text has a value only where it is compared')
      case 'field': {
        const read = event.field(node.name, node.index)
        if (read === undefined) throw new Absent()
        return typeof read === 'object' ? read.value : read
      }
      case 'context':
        return event.context(node.name)
      case 'unary': {
        const operand = value(node.operand)
        if (node.operator === '!') return bool(!truth(operand))
        if (node.operator === '~') return u64(~(operand as bigint))
        if (node.operator === '+') return operand
        return typeof operand === 'bigint' ? BigInt.asIntN(64, -operand) : -(operand as number)
      }
      case 'binary':
        if (node.operator === '<<' || node.operator === '>>')
          return shifted(node.operator, value(node.left) as bigint, value(node.right) as bigint)
        return bool(compare(node.operator, node.left, node.right))
      case 'joined':
        return joined(node.operator, operandsOf(node))
    }
  }

  function joined(operator: Joined, operands: readonly Node[]): bigint {
    if (operator === '&&') return bool(operands.every((one) => truth(value(one))))
    if (operator === '||') return bool(operands.some((one) => truth(value(one))))
    const numbers = operands.map((one) => u64(value(one) as bigint))
    return numbers.reduce((a, b) => (operator === '&' ? a & b : operator === '|' ? a | b : a ^ b))
  }

  try {
    return truth(value(root))
  } catch (reason) {
    if (reason instanceof Absent) return false
    throw reason
  }
}
