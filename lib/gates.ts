// lib/gates.ts: what sessions ask of an event before they take it, shares and filters, as a function of the fields' values.
// Emitters call it behind the flag, before anything is staged: an event that all refuse never leaves JavaScript. Made
// anew, in the thread that emits, when the tracepoint's generation has moved, so it needs no event loop.
import { canGenerate } from './code-generation.js'
import { constantContexts, gather } from './context.js'
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

/** Answers with a word for control::Asked of native/rules/registry.hpp: the generation's lower half, and who takes the event. */
type Ask = (...values: unknown[]) => number

/** What is asked of a tracepoint's events. */
interface Gate {
  /** The generation that it was made from; NaN where it reads contexts, and so has to be prepared for each event. */
  readonly known: number
  readonly ask: Ask
}

interface MadeGate extends Gate {
  readonly generation: number
  /** Contexts that its filters read and that the events of its sessions carry, a bit each slot. */
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

function makeGate(id: number, schema: Schema): MadeGate {
  const { generation, rules, contexts } = fittingRules(id, schema)
  const asked = (generation & 0xffff) << 16
  const made = (canGenerate ? asText : asFunctions)(rules, asked, schema, contexts)
  const slots = rules.reduce((all, rule) => all | rule.contexts, made.slots & ~constantContexts)
  return { ...made, generation, slots, known: slots === 0 ? generation : Number.NaN }
}

function asText(
  rules: readonly Rule[],
  asked: number,
  { fields }: Schema,
  contexts: readonly ContextPlace[],
): Pick<MadeGate, 'ask' | 'slots'> {
  const form = new ExpressionForm()
  let slots = 0
  const statements = rules.map((rule) => {
    const { session, keep, of, root } = rule
    const holds = root && condition(root, fields, contexts, form)
    slots |= holds?.slots ?? 0
    const verdict = `${holds === undefined ? '' : `if (${holds.part}) `}out |= ${1 << session}`
    if (keep === of) return verdict
    return `if (gap${session} > 0) gap${session}--; else { gap${session} = drawGap(${keep / of}); ${verdict} }`
  })
  const source = [
    '"use strict"',
    ...rules.flatMap(({ session, keep, of }) =>
      keep === of ? [] : `let gap${session} = drawGap(${keep / of})`,
    ),
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
): Pick<MadeGate, 'ask' | 'slots'> {
  let slots = 0
  const asks = rules.map((rule): ((values: readonly unknown[]) => number) => {
    const { session, keep, of, root } = rule
    const takes = 1 << session
    const holds = root && condition<Evaluation>(root, fields, contexts, functionForm)
    slots |= holds?.slots ?? 0
    const take = (values: readonly unknown[]) => (holds === undefined || holds.part(values) ? takes : 0)
    if (keep === of) return take
    let gap = drawGap(keep / of)
    return (values) => {
      if (gap > 0) {
        gap--
        return 0
      }
      gap = drawGap(keep / of)
      return take(values)
    }
  })
  return { ask: (...values) => asks.reduce((out, ask) => out | ask(values), asked), slots }
}

/**
 * Gives the gate of this moment, with what its filters and the sessions' events need of contexts in the block. Each is read
 * once, which may run the program's code; none comes behind. May throw, for want of memory or stack.
 */
export function gateKeeper(id: number, schema: Schema): () => Gate {
  let gate: MadeGate | undefined
  return () => {
    for (let read = 0; ; ) {
      if (gate === undefined || generations[id] !== gate.generation) gate = makeGate(id, schema)
      const more = gate.slots & ~read
      if (more === 0) return gate
      gather(more)
      read |= more
    }
  }
}

/**
 * What an emitter calls for a tracepoint whose flag is `gated`: whether somebody takes an event of these values, in the
 * order of the fields. What all said is in staging then. emitter.ts has the same as text, for as many fields as there are.
 *
 * @param head stagedHead() of the event
 */
export function gateFor(
  id: number,
  schema: Schema,
  head: number,
): (want: number, ...values: unknown[]) => boolean {
  const prepare = gateKeeper(id, schema)
  return (want, ...values) => {
    let asked: number
    try {
      asked = prepare().ask(...values)
    } catch {
      native!.refuse(id)
      return false
    }
    if ((((want & ~(want >> 8)) | asked) & 255) === 0) return false
    staging.setUint32(askedAt, asked, true)
    staging.setUint32(0, head + stagedAsked, true)
    return true
  }
}
