// lib/gates.ts: what sessions ask of an event before they take it, shares and filters, as a function of the fields' values.
// Emitters call it behind the flag, before anything is staged: an event that all refuse never leaves JavaScript. Made
// anew, in the thread that emits, when the tracepoint's generation has moved, so it needs no event loop.
import { canGenerate } from './code-generation.js'
import { gather, wantedContexts } from './context.js'
import { type ContextPlace, condition } from './filter/condition.js'
import { FilterError } from './filter/error.js'
import { checkFilter, compileFilter } from './filter/filter.js'
import { type Evaluation, ExpressionForm, functionForm } from './filter/forms.js'
import { operations } from './filter/operations.js'
import type { Node } from './filter/tree.js'
import { type NativeGate, native } from './native.js'
import { gapBefore } from './sample.js'
import type { Schema } from './schema.js'
import { askedAt, generations, stagedAsked, staging } from './staging.js'

/**
 * Answers with a word for control::Asked of native/control/registry.hpp: the generation's lower half, the sessions that take
 * the event and those that refuse it.
 */
type Ask = (...values: unknown[]) => number

/** What is asked of a tracepoint's events since `generation`. */
interface Gate {
  readonly generation: number
  readonly ask: Ask
  /** Contexts that its filters read, a bit each slot. */
  readonly slots: number
}

/** A rule that decides in its session; `root`: its filter's. */
interface Rule extends NativeGate {
  readonly root: Node | undefined
}

interface Rules {
  readonly generation: number
  readonly rules: readonly Rule[]
  readonly contexts: readonly ContextPlace[]
}

/** Those that decide now. A filter that turns out not to fit is told, and what its rule stood over decides. */
export function fittingRules(id: number, schema: Schema): Rules {
  for (;;) {
    const { generation, gates } = native!.gates(id)
    const contexts = native!.contexts().map((one, slot) => ({ ...one, slot }))
    let fit = true
    const rules = gates.map((gate): Rule => {
      const { root, why } = gate.filter === '' ? {} : filterFor(gate.filter, schema, contexts)
      if (why !== undefined) {
        fit = false
        native!.unfit(gate.session, gate.rule, id, why)
      }
      return { ...gate, root }
    })
    if (fit) return { generation, rules, contexts }
  }
}

function filterFor(
  text: string,
  schema: Schema,
  contexts: readonly ContextPlace[],
): { root?: Node; why?: string | undefined } {
  try {
    const filter = compileFilter(text)
    return { root: filter.root, why: checkFilter(filter, schema, contexts) }
  } catch (error) {
    if (error instanceof FilterError) return { why: error.line } // of a later version, say
    throw error
  }
}

const mostPassedOver = 2 ** 30 // V8 keeps it without allocating

const drawGap = (share: number): number => Math.min(gapBefore(share, Math.random()), mostPassedOver)

const bitsOf = (session: number) => ({ refused: 1 << session, taken: 256 << session })

function makeGate(id: number, schema: Schema): Gate {
  const { generation, rules, contexts } = fittingRules(id, schema)
  const asked = (generation & 0xffff) << 16
  return { generation, ...(canGenerate ? asText : asFunctions)(rules, asked, schema, contexts) }
}

function asText(
  rules: readonly Rule[],
  asked: number,
  { fields }: Schema,
  contexts: readonly ContextPlace[],
): Pick<Gate, 'ask' | 'slots'> {
  const form = new ExpressionForm()
  let slots = 0
  const statements = rules.map(({ session, keep, of, root }) => {
    const { refused, taken } = bitsOf(session)
    const holds = root && condition(root, fields, contexts, form)
    slots |= holds?.slots ?? 0
    const verdict = holds === undefined ? `out |= ${taken}` : `out |= ${holds.part} ? ${taken} : ${refused}`
    if (keep === of) return verdict
    return `if (gap${session} > 0) { gap${session}--; out |= ${refused} } else { gap${session} = drawGap(${keep / of}); ${verdict} }`
  })
  const source = [
    '"use strict"',
    ...rules.map(({ session, keep, of }) => `let gap${session} = drawGap(${keep / of})`),
    `return function ask(${fields.map((_, i) => `v${i}`).join(', ')}) {`,
    `let out = ${asked}`,
    ...statements,
    'return out',
    '}',
  ].join('\n')
  const make = new Function('drawGap', 'constants', ...Object.keys(operations), source)
  const runs = Object.values(operations).map(({ run }) => run)
  return { ask: make(drawGap, form.constants, ...runs) as Ask, slots }
}

/** The same where text may not become code. */
function asFunctions(
  rules: readonly Rule[],
  asked: number,
  { fields }: Schema,
  contexts: readonly ContextPlace[],
): Pick<Gate, 'ask' | 'slots'> {
  let slots = 0
  const asks = rules.map(({ session, keep, of, root }): ((values: readonly unknown[]) => number) => {
    const { refused, taken } = bitsOf(session)
    const holds = root && condition<Evaluation>(root, fields, contexts, functionForm)
    slots |= holds?.slots ?? 0
    let gap = drawGap(keep / of)
    return (values) => {
      if (gap > 0) {
        gap--
        return refused
      }
      gap = drawGap(keep / of)
      return holds === undefined || holds.part(values) ? taken : refused
    }
  })
  return { ask: (...values) => asks.reduce((out, ask) => out | ask(values), asked), slots }
}

/** Whether somebody takes an event with these values; then it is in staging what all said. Runs the program's code for contexts. */
export type Pass = (want: number, ...values: unknown[]) => boolean

/**
 * What an emitter calls for a tracepoint whose flag is `gated`, with the values in the order of the fields.
 *
 * @param head stagedHead() of the event
 * @param refuse counts the event as lost, where no gate could be made
 */
export function gateFor(id: number, schema: Schema, head: number, refuse: () => void): Pass {
  let gate: Gate | undefined

  /** The gate of this moment, whose contexts are in the block: each is read once, and none of the program's code comes behind. */
  function prepare(): Gate {
    for (let read = 0; ; ) {
      if (gate === undefined || generations[id] !== gate.generation) gate = makeGate(id, schema)
      const more = ((wantedContexts[0] as number) | gate.slots) & ~read
      if (more === 0) return gate
      gather(more)
      read |= more
    }
  }

  return (want, ...values) => {
    let asked: number
    try {
      asked = prepare().ask(...values)
    } catch {
      refuse() // no memory, say, or no stack, to make it anew
      return false
    }
    if ((want & 255 & ~asked) === 0) return false
    staging.setUint32(askedAt, asked, true)
    staging.setUint32(0, head + stagedAsked, true)
    return true
  }
}
