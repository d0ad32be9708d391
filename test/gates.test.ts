// test/gates.test.ts: filters and shares that emitters ask themselves: which filters those are, what they say of values as
// their types store them, and what becomes of events while rules change under a blocked event loop.
import { expect, test } from 'vitest'
import { compileFilter } from '../lib/filter/filter.js'
import { filterScript, helpers } from '../lib/filter/script.js'
import { type FieldType, t } from '../lib/types.js'
import { relay } from './support/relays.js'
import { result } from './support/run.js'
import { recorded } from './support/trace.js'

const types = {
  a: t.u8, b: t.u16, c: t.u32, d: t.u64, e: t.i8, f: t.i16, g: t.i32, h: t.i64,
  x: t.f32, y: t.f64, ok: t.bool, name: t.string, op: t.enum({ read: 1, write: 2, rest: 2 }),
  list: t.sequence(t.u8),
} // biome-ignore format: a table
const fields = Object.entries(types).map(([name, type]) => ({ name, ...(type as FieldType<unknown>) }))

const script = (filter: string) => filterScript(compileFilter(filter).root, fields)

/** What the expression says where these fields have these values, and the others 0. */
function says(filter: string, values: Record<string, unknown>): boolean {
  const given = { op: 1, name: '', ok: false, ...values } as Record<string, unknown>
  const parameters = [...Object.keys(helpers), ...fields.map((_, i) => `v${i}`)]
  const ask = new Function(...parameters, `return ${script(filter)}`)
  return ask(...Object.values(helpers), ...fields.map(({ name }) => given[name] ?? 0))
}

test.each([
  ['a == 44', { a: 300 }],
  ['b == 65535', { b: -1 }],
  ['c == 4294967295', { c: -1 }],
  ['c == 0', { c: Number.NaN }],
  ['e == -1', { e: 255 }],
  ['f == -32768', { f: 32768 }],
  ['g < 0', { g: 2 ** 31 }],
  ['d == 18446744073709551615', { d: -1 }],
  ['d == 18446744073709551615', { d: -1n }],
  ['d > 9007199254740993', { d: 9007199254740994n }],
  ['d == 1', { d: 2n ** 64n + 1n }],
  ['d == 0', { d: Number.POSITIVE_INFINITY }],
  ['h < 0', { h: 2n ** 63n }],
  ['h == -1', { h: -1 }],
  ['d > h', { d: 2n ** 63n, h: -1 }],
  ['x == 0.10000000149011612', { x: 0.1 }],
  ['y != y', { y: Number.NaN }],
  ['y', { y: Number.NaN }],
  ['ok && !(a == 1)', { ok: true }],
  ['op == "w*" && op == 2', { op: 2 }],
  ['op != "re*"', { op: 3 }],
  ['name == "vol-*9"', { name: 'vol-9' }],
  ['!(name == "aba*ab")', { name: 'abab' }],
  ['name == "*"', { name: '' }],
  ['(c & 4096) != 0', { c: 2 ** 31 + 4096 }],
  ['c & 0x80000000', { c: 2 ** 31 }],
  ['-e == 5', { e: -5 }],
  ['a < b', { a: 1, b: 2 }],
])('%s holds for %o', (filter, values) => {
  expect(says(filter, values)).toBe(true)
  expect(says(`!(${filter})`, values)).toBe(false)
})

test.each([
  '$ctx.tid == 1', 'list[0] == 1', 'name < "b"', 'name == "a*b*c"', 'name == "\\u{fffd}"', 'd == 1.5', '~a == 1',
  'a << 1 == 2', '(d & 1) == 1', 'g & 1',
])('%s is left to C++', (filter) => {
  expect(script(filter)).toBeUndefined()
}) // biome-ignore format: a list

// Rules change while the event loop is blocked: each emit goes by those that stand.
const blocked = `
import { enable, flush, provider, t } from 'blkin'
const one = provider('one', { e: { fields: { n: t.u32, phase: t.u8 } } })
const phase = (number, rule) => {
  for (let n = 0; n < 1000; n++) one.e({ n, phase: number })
  rule?.disable()
}
phase(0, enable('one:e', { filter: 'n >= 900' }))
phase(1, enable('one:e', { filter: '$ctx.tid != 0 && n < 10' }))
phase(2, enable('one:e', { filter: '(n & 1) == 0' }))
phase(3, enable('one:e', { sample: '1/1000000000' }))
phase(4, enable('one:e', { sample: '999999999/1000000000' }))
phase(5)
console.log(JSON.stringify(await flush(10_000)))
`

test('each emit goes by the rules that stand, whether JavaScript or C++ asks them', async () => {
  const { output, address } = await relay()
  expect(await result<boolean>(blocked, { env: { BLKIN_RELAY: address } })).toBe(true)
  const { events, lost } = await recorded(output)
  const kept = [0, 0, 0, 0, 0, 0]
  for (const { fields } of events) kept[Number(fields.phase)]!++
  expect(lost).toBe(0)
  expect(kept).toEqual([100, 10, 500, 0, 1000, 0])
})

const shares = `
import { enable, provider, t } from 'blkin'
const p = provider('p', { e: { fields: { n: t.u32 } } })
enable('p:e', { sample: '1/10' })
for (let n = 0; n < 100_000; n++) p.e({ n })
`

test('a share is one of all events', async () => {
  const { output, address } = await relay()
  await result<void>(`${shares}; console.log('0')`, { env: { BLKIN_RELAY: address } })
  const { events, lost } = await recorded(output)
  // Eight deviations to each side: sqrt(100000 * 0.1 * 0.9) is 95.
  expect(Math.abs(events.length + lost - 10_000)).toBeLessThan(760)
})
