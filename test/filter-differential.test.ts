// test/filter-differential.test.ts: generated filters over generated events, through enable(), the emitters, the ring and
// the relay: what was recorded is what the evaluator in support/filter-oracle.ts keeps, which shares nothing with them but
// the tree, and what was refused as not fitting is what checkFilter() refuses.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serialize } from 'node:v8'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkFilter, compileFilter } from '../lib/filter/filter.js'
import { type FieldType, t } from '../lib/types.js'
import type { PrintedValue } from './support/babeltrace.js'
import { type OracleEvent, oracle } from './support/filter-oracle.js'
import { anyFilter } from './support/filters.js'
import { relay } from './support/relays.js'
import { folder, program, result } from './support/run.js'
import {
  anyEvent,
  type EventSpec,
  entries,
  expectedEvent,
  type FieldSpec,
  normal,
} from './support/schemas.js'
import { recorded } from './support/trace.js'

const tracepoints = 150
const eventsEach = 12

interface Case {
  spec: EventSpec
  filter: string
}

const stored = ({ fields, values }: EventSpec) =>
  values.map((one) => expectedEvent(fields, one)).filter((one) => one !== undefined)

const anyCase = (event: string): fc.Arbitrary<Case> =>
  anyEvent(event, eventsEach).chain((spec) =>
    anyFilter(spec.fields, stored(spec)).map((filter) => ({ spec, filter })),
  )

function typeOf(field: FieldSpec): FieldType<unknown> {
  if (field.type === 'enum') return t.enum(field.labels as string[])
  const element = t[field.type] as FieldType<number>
  if (field.shape === 'array') return t.array(element, field.length)
  return field.shape === 'sequence' ? t.sequence(element) : element
}

function oracleEvent(fields: FieldSpec[], row: Record<string, PrintedValue>): OracleEvent {
  return {
    context: (name) => {
      throw new Error(`no filter that fits asks for $ctx.${name}`)
    },
    field(name, index) {
      const field = fields.find((one) => one.name === name)!
      const value = row[name]!
      if (index !== undefined) return (value as (bigint | number)[])[index]
      if (field.type === 'bool') return value === 'true' ? 1n : 0n
      if (field.type !== 'enum') return value as bigint | number | string
      const [label, number] = entries(field).find(([one]) => one === value)!
      return { label, value: BigInt(number) }
    },
  }
}

/** Strings as they are asked: as they would be stored, but for the cut. */
function wholeTexts(fields: FieldSpec[], values: Record<string, unknown>): Record<string, string> {
  const texts = fields.filter(({ type }) => type === 'string')
  return Object.fromEntries(
    texts.map(({ name }) => [name, Buffer.from((values[name] as string).replaceAll('\0', '␀')).toString()]),
  )
}

/** What a filter does to a tracepoint's events, by TypeScript alone. */
function expected({ spec, filter }: Case): { refused: boolean; kept: Record<string, PrintedValue>[] } {
  const compiled = compileFilter(filter)
  const fields = spec.fields.map((field) => ({ name: field.name, ...typeOf(field) }))
  const misfit = checkFilter(compiled, { provider: 'filtered', event: spec.event, fields }, [])
  if (misfit !== undefined) return { refused: true, kept: [] }
  return {
    refused: false,
    kept: spec.values.flatMap((values) => {
      const row = expectedEvent(spec.fields, values)
      if (row === undefined) return []
      const asked = oracleEvent(spec.fields, { ...row, ...wholeTexts(spec.fields, values) })
      return oracle(compiled.root, asked) ? [row] : []
    }),
  }
}

/** False for a text that no enable() would take: those are for test/filter.test.ts. */
function compiles({ filter }: Case): boolean {
  try {
    compileFilter(filter)
    return true
  } catch {
    return false
  }
}

test.each([
  ['text', []],
  ['functions', ['--disallow-code-generation-from-strings']],
])(
  'emitters that ask with %s keep what the evaluator keeps',
  async (_, flags) => {
    const seen = { kept: 0, refused: 0, misfits: 0 }
    const cases = fc.tuple(...Array.from({ length: tracepoints }, (_, i) => anyCase(`event${i}`)))
    await fc.assert(
      fc.asyncProperty(cases, async (all) => {
        const given = all.filter(compiles)
        const to = await relay()
        const file = join(folder(), 'cases')
        writeFileSync(
          file,
          serialize({ events: given.map(({ spec }) => spec), filters: given.map(({ filter }) => filter) }),
        )
        const { BLKIN_RELAY = '' } = to.env
        const answers = await result<(string | null)[]>(program('emit-filtered.mjs'), {
          args: [file],
          flags,
          env: { BLKIN_RELAY },
        })
        const { events } = await recorded(to.output)
        for (const [i, one] of given.entries()) {
          const { refused, kept } = expected(one)
          const { fields, event } = one.spec
          const where = `filter ${JSON.stringify(one.filter)} over ${JSON.stringify(fields)}`
          expect(answers[i] !== null, `${where}: ${answers[i]}`).toBe(refused)
          const got = events
            .filter(({ tracepoint }) => tracepoint.event === event)
            .map(({ fields: values }) =>
              Object.fromEntries(fields.map((field) => [field.name, normal(field, values[field.name])])),
            )
          expect(got, where).toStrictEqual(kept)
          seen.kept += kept.length
          seen.refused += refused ? 0 : stored(one.spec).length - kept.length
          seen.misfits += refused ? 1 : 0
        }
      }),
      { numRuns: 4, endOnFailure: true },
    )
    // Neither side of any verdict is rare, or the test would show little.
    expect(seen.kept).toBeGreaterThan(400)
    expect(seen.refused).toBeGreaterThan(400)
    expect(seen.misfits).toBeGreaterThan(10)
  },
  120_000,
)
