// lib/trace/handle-class.ts: the class of one declaration's handles, and what begins them. Generated where that is allowed: V8
// makes objects fast by what it has seen a function make, and one that makes those of many declarations is slow for all.
import { canGenerate } from '../emitter.js'
import type { Form } from './form.js'
import { Recorded } from './recorded.js'

export type HandleClass = new (...given: ConstructorParameters<typeof Recorded>) => Recorded

/** @returns undefined where it was recorded, or nobody wants it; true where a value is not of its type; false where rules want it otherwise than the general one */
export type EmitBegin = (
  span: Recorded,
  flagBits: number,
  kind: number,
  name: string,
  values: unknown,
) => boolean | undefined

/** Records it where `EmitBegin` did not. */
export type BeginOtherwise = (span: Recorded, flagBits: number, values: unknown, isWrong: boolean) => void

const ids = ['traceHigh', 'traceLow', 'spanHigh', 'spanLow', 'parentHigh', 'parentLow'] as const
const given = ['traits', ...ids].join(', ')

/** `name` is a checked one. */
export function handleClass(name: string): HandleClass {
  if (!canGenerate) return class extends Recorded {}
  const source = [
    `return class { // ${name}`,
    `constructor(${given}) {`,
    'this.traits = traits',
    ...ids.map((id) => `this.${id} = ${id}`),
    'this.ended = false',
    'this.failed = false',
    '}',
    '}',
  ].join('\n')
  const Own = new Function(source)() as HandleClass
  Object.setPrototypeOf(Own.prototype, Recorded.prototype)
  return Own
}

export function beginner(
  Own: HandleClass,
  kind: number,
  name: string,
  emit: EmitBegin,
  otherwise: BeginOtherwise,
): Form<unknown>['begin'] {
  if (!canGenerate)
    return (traits, th, tl, sh, sl, ph, pl, flagBits, values, options) => {
      const span = new Own(traits, th, tl, sh, sl, ph, pl)
      const wrong = emit(span, flagBits, kind, name, values)
      if (wrong !== undefined) otherwise(span, flagBits, values, wrong)
      if (options?.remote !== undefined) span.remote(options.remote)
      return span
    }
  const source = [
    `return function begin(${given}, flagBits, values, options) { // ${name}`,
    `const span = new Own(${given})`,
    `const wrong = emit(span, flagBits, ${kind}, undefined, values)`,
    'if (wrong !== undefined) otherwise(span, flagBits, values, wrong)',
    'if (options !== undefined && options.remote !== undefined) span.remote(options.remote)',
    'return span',
    '}',
  ].join('\n')
  return new Function('Own', 'emit', 'otherwise', source)(Own, emit, otherwise) as Form<unknown>['begin']
}
