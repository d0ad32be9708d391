// lib/gates.ts: what sessions ask of an event before they take it, shares and filters, as a function of the fields' values.
// The emitter calls it behind the flag, before anything is staged: an event that all refuse never leaves JavaScript. Made
// anew, in the thread that emits, when the tracepoint's generation has moved; what cannot be asked here C++ asks.
import { compileFilter } from './filter/filter.js'
import { filterScript, helpers } from './filter/script.js'
import { type NativeGate, native } from './native.js'
import { gapBefore } from './sample.js'
import type { Schema } from './schema.js'

export interface Gate {
  /** The generation that it was made from. */
  readonly known: number
  /**
   * A word for control::Asked of native/control/registry.hpp: the generation's lower half, the sessions that take the event
   * and those that refuse it.
   */
  readonly ask: (...values: unknown[]) => number
}

const mostPassedOver = 2 ** 30 // V8 keeps it without allocating

const drawGap = (share: number): number => Math.min(gapBefore(share, Math.random()), mostPassedOver)

/** What asks one session, as a statement; undefined where only C++ can. */
function statement({ session, keep, of, filter }: NativeGate, schema: Schema): string | undefined {
  const [refused, taken] = [1 << session, 256 << session]
  let holds = ''
  if (filter !== '') {
    const script = filterScript(compileFilter(filter).root, schema.fields)
    if (script === undefined) return undefined
    holds = script
  }
  const verdict = holds === '' ? `out |= ${taken}` : `out |= ${holds} ? ${taken} : ${refused}`
  if (keep === of) return verdict
  return `if (gap${session} > 0) { gap${session}--; out |= ${refused} } else { gap${session} = drawGap(${keep / of}); ${verdict} }`
}

export function gateOf(id: number, schema: Schema): Gate {
  const { generation, gates } = native!.gates(id)
  const asked = (generation & 0xffff) << 16
  try {
    const statements = gates.map((gate) => statement(gate, schema))
    const gaps = gates.map(({ session, keep, of }) => `let gap${session} = drawGap(${keep / of})`)
    const values = schema.fields.map((_, i) => `v${i}`)
    const source = [
      '"use strict"',
      ...gaps,
      `return function ask(${values.join(', ')}) {`,
      `let out = ${asked}`,
      ...statements.map((one) => one ?? ''),
      'return out',
      '}',
    ].join('\n')
    const names = { ...helpers, drawGap }
    const make = new Function(...Object.keys(names), source)
    return { known: generation, ask: make(...Object.values(names)) as Gate['ask'] }
  } catch {
    return { known: generation, ask: () => asked } // a filter of a later version, say: C++ asks
  }
}
