// lib/filter/condition.ts: a filter's tree, which check.ts has found to fit, as a condition over the values of an event: for
// each part the operation that its operands' kinds need. Said once for both forms (forms.ts). docs/filter.md says what
// each part means.
import { matches } from '../glob.js'
import { type FieldDescription, Shape, Type } from '../types.js'
import type { Form } from './forms.js'
import type { OperationName } from './operations.js'
import type { Comparison, Joined, Node } from './tree.js'

/**
 * `word`: an integer of 32 bits that is not negative; `integer`: one whose number is exact; `wide`: one of 64 bits, a number
 * or a bigint. An enum is its number.
 */
type Kind = 'word' | 'integer' | 'wide' | 'float' | 'string' | 'enum'

interface Operand<Part> {
  readonly kind: Kind
  readonly part: Part
  readonly field?: FieldDescription
}

/** A context of this process: its place in the block of them, and its type. */
export interface ContextPlace {
  readonly name: string
  readonly type: number
  readonly slot: number
}

export interface Condition<Part> {
  /** Whether the event is kept. */
  readonly part: Part
  /** A bit each slot that has to be filled before. */
  readonly slots: number
}

/** How a scalar field of the type is read, and what it is then. */
const stored: Partial<Record<number, readonly [Kind, OperationName?]>> = {
  [Type.u8]: ['word', 'u8'], [Type.u16]: ['word', 'u16'], [Type.u32]: ['word', 'u32'], [Type.u64]: ['wide', 'u64'],
  [Type.i8]: ['integer', 'i8'], [Type.i16]: ['integer', 'i16'], [Type.i32]: ['integer', 'i32'],
  [Type.i64]: ['wide', 'i64'], [Type.f32]: ['float', 'f32'], [Type.f64]: ['float'], [Type.bool]: ['word', 'flag'],
  [Type.string]: ['string'], [Type.enum]: ['enum'], [Type.bytes]: ['word'],
} // biome-ignore format: a table

/** A context is read as 64 bits, a double or a text, whichever its type. */
function contextual(type: number): readonly [Kind, OperationName] {
  if (type === Type.string) return ['string', 'textContext']
  if (type === Type.f32 || type === Type.f64) return ['float', 'floatContext']
  const isSigned = type === Type.i8 || type === Type.i16 || type === Type.i32 || type === Type.i64
  return ['wide', isSigned ? 'signedContext' : 'unsignedContext']
}

const exact = 2n ** 53n
/** These stand in a record for what else they are: a string that is compared with them is looked at as it is stored. */
const replacements = /[\u2400\ufffd]/

export function condition<Part>(
  root: Node,
  fields: readonly FieldDescription[],
  contexts: readonly ContextPlace[],
  form: Form<Part>,
): Condition<Part> {
  let slots = 0
  let canMiss = false
  const holds = truth(root)
  return { part: canMiss ? form.apply('present', form.apply('begin'), holds) : holds, slots }

  function truth(node: Node): Part {
    if (node.kind === 'joined' && node.operator === '&&') return form.all(node.operands.map(truth))
    if (node.kind === 'joined' && node.operator === '||') return form.any(node.operands.map(truth))
    if (node.kind === 'unary' && node.operator === '!') return form.apply('not', truth(node.operand))
    if (node.kind === 'binary' && node.operator !== '<<' && node.operator !== '>>')
      return comparison(node.operator, node.left, node.right)
    const { kind, part } = operand(node)
    return form.apply(kind === 'wide' ? 'isWideSet' : 'isSet', part)
  }

  function comparison(operator: Comparison, left: Node, right: Node): Part {
    if (operator === '!=') return form.apply('not', comparison('==', left, right))
    if (operator === '>') return comparison('<', right, left)
    if (operator === '>=') return comparison('<=', right, left)
    const text = left.kind === 'text' ? left : right.kind === 'text' ? right : undefined
    if (text !== undefined && operator === '==')
      return isText(operand(text === left ? right : left), text.parts)
    const [a, b] = [operand(left), operand(right)]
    if (a.kind === 'string')
      return form.apply(
        operator === '==' ? 'same' : operator === '<' ? 'less' : 'lessEqual',
        operator === '==' ? asStored(a, left) : form.apply('order', asStored(a, left), asStored(b, right)),
        operator === '==' ? asStored(b, right) : form.constant(0),
      )
    const isFloat = a.kind === 'float' || b.kind === 'float'
    const isWide = !isFloat && (a.kind === 'wide' || b.kind === 'wide')
    const name = operator === '<' ? 'less' : operator === '<=' ? 'lessEqual' : isWide ? 'equal' : 'same'
    return form.apply(name, isFloat ? asFloat(a) : a.part, isFloat ? asFloat(b) : b.part)
  }

  function asStored({ part }: Operand<Part>, node: Node): Part {
    return node.kind === 'field' ? form.apply('asStored', part) : part
  }

  function asFloat({ kind, part }: Operand<Part>): Part {
    return kind === 'wide' ? form.apply('toFloat', part) : part
  }

  function isText({ kind, part, field }: Operand<Part>, parts: readonly string[]): Part {
    if (kind === 'enum') return isLabel(part, field as FieldDescription, parts)
    const text = parts.some((one) => replacements.test(one)) ? form.apply('asStored', part) : part
    const [first = '', last] = parts
    if (last === undefined) return form.apply('same', text, form.constant(first))
    if (parts.length === 2 && last === '') return form.apply('startsWith', text, form.constant(first))
    return form.apply('matches', form.constant(parts), text)
  }

  /** Labels whose numbers follow each other are one test. */
  function isLabel(part: Part, field: FieldDescription, parts: readonly string[]): Part {
    const numbers = field.labels.filter(([label]) => matches(parts, label)).map(([, value]) => value)
    const runs: [number, number][] = []
    for (const value of numbers.sort((a, b) => a - b)) {
      const last = runs.at(-1)
      if (last !== undefined && value <= last[1] + 1) last[1] = value
      else runs.push([value, value])
    }
    return form.any(
      runs.map(([low, high]) =>
        low === high
          ? form.apply('same', part, form.constant(low))
          : form.all([
              form.apply('lessEqual', form.constant(low), part),
              form.apply('lessEqual', part, form.constant(high)),
            ]),
      ),
    )
  }

  function operand(node: Node): Operand<Part> {
    switch (node.kind) {
      case 'integer': {
        const { value } = node
        if (value <= -exact || value >= exact) return { kind: 'wide', part: form.constant(value) }
        const kind = value >= 0n && value < 2n ** 32n ? 'word' : 'integer'
        return { kind, part: form.constant(Number(value)) }
      }
      case 'float':
        return { kind: 'float', part: form.constant(node.value) }
      case 'text':
        return { kind: 'string', part: form.constant(node.parts.join('*')) }
      case 'field':
        return field(node.name, node.index)
      case 'context': {
        const { slot, type } = contexts.find(({ name }) => name === node.name) as ContextPlace
        slots |= 1 << slot
        const [kind, read] = contextual(type)
        return { kind, part: form.apply(read, form.constant(slot)) }
      }
      case 'unary':
        return unary(node)
      case 'joined':
        if (node.operator === '&&' || node.operator === '||') return flag(truth(node))
        return node.operands.map(operand).reduce((a, b) => bits(node.operator, a, b))
      case 'binary': {
        if (node.operator !== '<<' && node.operator !== '>>') return flag(truth(node))
        canMiss = true
        const name = node.operator === '<<' ? 'shiftLeft' : 'shiftRight'
        return { kind: 'wide', part: form.apply(name, operand(node.left).part, operand(node.right).part) }
      }
    }
  }

  function field(name: string, index: number | undefined): Operand<Part> {
    const at = fields.findIndex((one) => one.name === name)
    const field = fields[at] as FieldDescription
    const [kind, read] = stored[field.type] as readonly [Kind, OperationName?]
    if (index !== undefined) {
      canMiss ||= field.shape !== Shape.array
      return { kind, part: form.apply('element', form.value(at), form.constant(index)) }
    }
    return { kind, part: read === undefined ? form.value(at) : form.apply(read, form.value(at)), field }
  }

  function flag(part: Part): Operand<Part> {
    return { kind: 'word', part: form.apply('flag', part) }
  }

  function unary(node: Node & { kind: 'unary' }): Operand<Part> {
    if (node.operator === '!') return flag(truth(node))
    const { kind, part } = operand(node.operand)
    if (node.operator === '~') return { kind: 'wide', part: form.apply('complement', part) }
    if (node.operator === '+') return { kind: kind === 'enum' ? 'integer' : kind, part }
    if (kind === 'wide') return { kind, part: form.apply('negativeWide', part) }
    return { kind: kind === 'float' ? kind : 'integer', part: form.apply('negative', part) }
  }

  function bits(operator: Joined, a: Operand<Part>, b: Operand<Part>): Operand<Part> {
    const name = operator === '&' ? 'and' : operator === '|' ? 'or' : 'xor'
    const words = Number(a.kind === 'word') + Number(b.kind === 'word')
    if (words < (operator === '&' ? 1 : 2))
      return { kind: 'wide', part: form.apply(`${name}64`, a.part, b.part) }
    const low = ({ kind, part }: Operand<Part>) => (kind === 'wide' ? form.apply('low32', part) : part)
    return { kind: 'word', part: form.apply(`${name}32`, low(a), low(b)) }
  }
}
