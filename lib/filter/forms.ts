// lib/filter/forms.ts: the two forms that a filter takes over the values of an event: an expression of JavaScript, and
// functions of functions where text may not become code. condition.ts builds either through one interface.
import { type Operation, type OperationName, operations } from './operations.js'

/** Makes the parts of a filter. */
export interface Form<Part> {
  /** The event's value of that place. */
  value(at: number): Part
  constant(value: unknown): Part
  apply(name: OperationName, ...operands: Part[]): Part
  /** Stops at the first that does not hold. */
  all(parts: readonly Part[]): Part
  /** Stops at the first that holds. */
  any(parts: readonly Part[]): Part
}

/** Over v0, v1, ..., the operations by their names, and `constants`. */
export class ExpressionForm implements Form<string> {
  readonly constants: unknown[] = []

  value(at: number): string {
    return `v${at}`
  }

  constant(value: unknown): string {
    if (typeof value === 'bigint') return `${value}n`
    if (typeof value === 'number') return `(${Object.is(value, -0) ? '-0' : value})`
    if (typeof value === 'string') return JSON.stringify(value)
    this.constants.push(value)
    return `constants[${this.constants.length - 1}]`
  }

  apply(name: OperationName, ...operands: string[]): string {
    const { text }: Operation = operations[name]
    if (text === undefined) return `${name}(${operands.join(', ')})`
    return text.replace(/\$(\d)/g, (_, digit) => operands[Number(digit) - 1] as string)
  }

  all(parts: readonly string[]): string {
    return `(${parts.join(' && ')})`
  }

  any(parts: readonly string[]): string {
    return `(${parts.join(' || ')})`
  }
}

export type Evaluation = (values: readonly unknown[]) => unknown

export const functionForm: Form<Evaluation> = {
  value: (at) => (values) => values[at],
  constant: (value) => () => value,
  apply(name, ...operands) {
    const run = operations[name].run as (...given: unknown[]) => unknown
    const [first, second] = operands
    if (first === undefined) return () => run()
    if (second === undefined) return (values) => run(first(values))
    return (values) => run(first(values), second(values))
  },
  all: (parts) => (values) => parts.every((part) => part(values)),
  any: (parts) => (values) => parts.some((part) => part(values)),
}
