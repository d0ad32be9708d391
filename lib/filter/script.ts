// lib/filter/script.ts: a filter as an expression of JavaScript over an emitter's values, checked and not stored yet. What it
// says is what native/control/filter.hpp says of the stored event; where that would take more than an expression (strings
// by order, elements that may not be there, shifts, contexts) there is none, and C++ asks.
import { matches } from '../glob.js'
import { type FieldDescription, Shape, Type } from '../types.js'
import { operandsOf } from './parse.js'
import type { Node } from './tree.js'

/** An operand. `word`: an integer of 32 bits or fewer that is not negative; `wide`: one of 64, as number or bigint. */
interface Operand {
  readonly kind: 'word' | 'integer' | 'wide' | 'float' | 'string' | 'enum'
  readonly code: string
  readonly field?: FieldDescription
}

const safe = 2n ** 53n

const plain = <T extends (...given: never[]) => unknown>(method: T) =>
  Function.prototype.call.bind(method) as unknown as (self: string, ...given: Parameters<T>) => ReturnType<T>

/** What expressions call. Integers of 64 bits as they are stored: a number where it is exact. */
export const helpers = {
  // As they are now, whatever the program makes of strings later.
  startsWith: plain(String.prototype.startsWith),
  endsWith: plain(String.prototype.endsWith),
  u64(value: number | bigint): number | bigint {
    if (typeof value === 'bigint') return BigInt.asUintN(64, value)
    if (value >= 0 && value < 2 ** 53) return value
    return Number.isFinite(value) ? BigInt.asUintN(64, BigInt(value)) : 0
  },
  i64(value: number | bigint): number | bigint {
    if (typeof value === 'bigint') return BigInt.asIntN(64, value)
    if (value > -(2 ** 53) && value < 2 ** 53) return value
    return Number.isFinite(value) ? BigInt.asIntN(64, BigInt(value)) : 0
  },
}

/** A value as its type stores it. */
const stored: Partial<Record<number, (v: string) => Operand>> = {
  [Type.u8]: (v) => ({ kind: 'word', code: `(${v} & 255)` }),
  [Type.u16]: (v) => ({ kind: 'word', code: `(${v} & 65535)` }),
  [Type.u32]: (v) => ({ kind: 'word', code: `(${v} >>> 0)` }),
  [Type.u64]: (v) => ({ kind: 'wide', code: `u64(${v})` }),
  [Type.i8]: (v) => ({ kind: 'integer', code: `(${v} << 24 >> 24)` }),
  [Type.i16]: (v) => ({ kind: 'integer', code: `(${v} << 16 >> 16)` }),
  [Type.i32]: (v) => ({ kind: 'integer', code: `(${v} | 0)` }),
  [Type.i64]: (v) => ({ kind: 'wide', code: `i64(${v})` }),
  [Type.f32]: (v) => ({ kind: 'float', code: `Math.fround(${v})` }),
  [Type.f64]: (v) => ({ kind: 'float', code: v }),
  [Type.bool]: (v) => ({ kind: 'word', code: `(${v} ? 1 : 0)` }),
  [Type.enum]: (v) => ({ kind: 'enum', code: v }),
  [Type.string]: (v) => ({ kind: 'string', code: v }),
}

class NoScript extends Error {}

/** A condition over v0, v1, ..., the values of the fields in their order; undefined where C++ has to ask. */
export function filterScript(root: Node, fields: readonly FieldDescription[]): string | undefined {
  try {
    return `(${truth(root)})`
  } catch (error) {
    if (error instanceof NoScript) return undefined
    throw error
  }

  function truth(node: Node): string {
    if (node.kind === 'joined' && (node.operator === '&&' || node.operator === '||'))
      return `(${operandsOf(node).map(truth).join(` ${node.operator} `)})`
    if (node.kind === 'unary' && node.operator === '!') return `!${truth(node.operand)}`
    if (node.kind === 'binary' && node.operator !== '<<' && node.operator !== '>>') return comparison(node)
    const { kind, code } = operand(node)
    if (kind === 'string') throw new NoScript()
    return `(${code} ${kind === 'wide' ? '!=' : '!=='} 0)`
  }

  function comparison({ operator, left, right }: Node & { kind: 'binary' }): string {
    const text = left.kind === 'text' ? left : right.kind === 'text' ? right : undefined
    if (text !== undefined) {
      if (operator !== '==' && operator !== '!=') throw new NoScript()
      const holds = isText(operand(text === left ? right : left), text.parts)
      return operator === '==' ? holds : `!${holds}`
    }
    const [a, b] = [operand(left), operand(right)]
    const kinds = [a.kind, b.kind]
    if (kinds.includes('string') || (kinds.includes('wide') && kinds.includes('float'))) throw new NoScript()
    const same = operator === '==' || operator === '!='
    return `(${a.code} ${operator}${same && !kinds.includes('wide') ? '=' : ''} ${b.code})`
  }

  function isText({ kind, code, field }: Operand, parts: readonly string[]): string {
    if (kind === 'enum') {
      const numbers = field!.labels.filter(([label]) => matches(parts, label)).map(([, value]) => value)
      return `(${[...new Set(numbers)].map((value) => `${code} === ${value}`).join(' || ') || 'false'})`
    }
    // What stands for a NUL and for half a surrogate pair could have been given itself.
    if (kind !== 'string' || parts.some((part) => /[\0\u2400\ufffd\p{Cs}]/u.test(part))) throw new NoScript()
    const quoted = parts.map((part) => JSON.stringify(part))
    const [first = '', last] = quoted
    if (last === undefined) return `(${code} === ${first})`
    if (quoted.length > 2) throw new NoScript()
    const least = parts.join('').length
    return `(${code}.length >= ${least} && startsWith(${code}, ${first}) && endsWith(${code}, ${last}))`
  }

  function operand(node: Node): Operand {
    switch (node.kind) {
      case 'integer': {
        const { value } = node
        if (value <= -safe || value >= safe) return { kind: 'wide', code: `${value}n` }
        return { kind: value >= 0n && value < 2n ** 32n ? 'word' : 'integer', code: `(${value})` }
      }
      case 'float':
        return { kind: 'float', code: `(${node.value})` }
      case 'field': {
        const at = fields.findIndex(({ name }) => name === node.name)
        const field = fields[at]
        const made =
          field?.shape === Shape.scalar && node.index === undefined && stored[field.type]?.(`v${at}`)
        if (!made) throw new NoScript()
        return { ...made, field: field! }
      }
      case 'unary':
        return negated(node)
      case 'joined': {
        if (node.operator === '&&' || node.operator === '||')
          return { kind: 'word', code: `(${truth(node)} ? 1 : 0)` }
        const operands = operandsOf(node).map(operand)
        if (operands.some(({ kind }) => kind !== 'word')) throw new NoScript()
        return {
          kind: 'word',
          code: `((${operands.map(({ code }) => code).join(` ${node.operator} `)}) >>> 0)`,
        }
      }
      case 'binary':
        if (node.operator === '<<' || node.operator === '>>') throw new NoScript()
        return { kind: 'word', code: `(${comparison(node)} ? 1 : 0)` }
      default:
        throw new NoScript()
    }
  }

  function negated(node: Node & { kind: 'unary' }): Operand {
    if (node.operator === '!') return { kind: 'word', code: `(${truth(node)} ? 1 : 0)` }
    const { kind, code } = operand(node.operand)
    if (node.operator === '~' || kind === 'string' || kind === 'wide') throw new NoScript()
    if (node.operator === '+') return { kind: kind === 'enum' ? 'integer' : kind, code }
    return { kind: kind === 'float' ? kind : 'integer', code: `(-${code})` }
  }
}
