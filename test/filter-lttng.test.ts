// test/filter-lttng.test.ts: expressions that LTTng reads as we do, over the same values: LTTng-UST records just the events
// that a filter of ours keeps. Left out is what LTTng 2.13 reads otherwise: the order of what `~`, `-` and `>>` give, and
// an integer field against a written double.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { condition } from '../lib/filter/condition.js'
import { compileFilter } from '../lib/filter/filter.js'
import { type Evaluation, functionForm } from '../lib/filter/forms.js'
import { type FieldType, t } from '../lib/types.js'
import { folder, program } from './support/run.js'
import { describeWith } from './support/tools.js'
import { printed } from './support/trace.js'

const types = { b: t.u8, u: t.u32, i: t.i64, w: t.u64, d: t.f64, name: t.string }
const fields = Object.entries(types).map(([name, type]) => ({ name, ...(type as FieldType<unknown>) }))
type Row = [b: number, u: number, i: bigint, w: bigint, d: number, name: string]

const integers = [0n, 1n, 2n, 4n, 7n, 255n, 4096n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n + 1n, 2n ** 62n]
const names = ['read', 'write', 'write_zeroes', 'r', 'vol-9', 'vol-0123-9', 'a*b', 'x"y', 'é', 'a']

/** Every value at least twice, and beside different ones. */
const rows = Array.from({ length: 110 }, (_, n): Row => {
  const one = (step: number) => integers[(n * step) % integers.length] as bigint
  const signed = n % 3 === 0 ? -one(3) : one(3)
  return [
    Number(one(1) & 255n),
    Number(one(5) & 0xffffffffn),
    ...([signed, one(7)] as const),
    ...([[0, 0.5, -2.25, 1e10][n % 4] as number, names[n % names.length] as string] as const),
  ]
})

const filters = [
  'u == 4', 'u != 4', 'u > 2 && u <= 255', 'u < 2 || b >= 7', '!(u == 4)', '!u', 'u', 'i < 0', 'i >= -7', 'i == -4096',
  'w == 4611686018427387904', 'w > 4096 && i > 0', 'u == 0x1000', 'b & 4', '(u & 4096) != 0', '(u | 1) == 5',
  '(w ^ 1) == 0', 'u & 4 == 4', 'd > 0.25', 'd == 0.5', 'd < u', '-i == 7', 'name == "read"', 'name != "read"',
  'name == "write*"', 'name == "*"', 'name == "a\\*b"', 'u == 4 && name == "r*" || d < 0', '(u == 4 || u == 1) && b < 255',
  'u < w', 'w >> 4 == 256', 'u << 1 == 8',
] // biome-ignore format: a list

function keeps(filter: string, row: Row): boolean {
  return condition<Evaluation>(compileFilter(filter).root, fields, [], functionForm).part(row) as boolean
}

describeWith(
  ['babeltrace2', 'gcc', 'lttng-sessiond', 'liblttng-ust-dev', 'unshare -m', 'setpriv'],
  'beside LTTng-UST',
  () => {
    test('a filter keeps the events that it keeps there', () => {
      const at = folder()
      const peer = join(at, 'values')
      const sources = ['-I', program('lttng'), program('lttng/values.c')]
      execFileSync('gcc', ['-O1', ...sources, '-o', peer, '-llttng-ust', '-ldl'], { stdio: 'pipe' })
      writeFileSync(join(at, 'events'), filters.map((filter, n) => `values:e${n}\t${filter}\n`).join(''))
      const before = ['-m', '--propagation', 'private', 'sh', program('lttng/session.sh'), at]
      const input = rows.map((row) => `${row.join(' ')}\n`).join('')
      execFileSync('unshare', [...before, peer], { input, stdio: ['pipe', 'pipe', 'pipe'] })
      const there = filters.map((): number[] => [])
      for (const { name, fields } of printed(join(at, 'lttng')))
        there[Number(name.slice('values:e'.length))]!.push(Number(fields.row))
      for (const [n, filter] of filters.entries()) {
        const here = rows.flatMap((row, number) => (keeps(filter, row) ? [number] : []))
        expect(here, filter).toEqual(there[n])
        expect(filter === 'name == "*"' || (here.length > 0 && here.length < rows.length), filter).toBe(true)
      }
    }, 60_000)
  },
)
