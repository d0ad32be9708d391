// test/gates.test.ts: filters and shares as emitters ask them: what both forms of a filter say of values as their types store
// them, and what becomes of events while rules change under a blocked event loop.
import { expect, test } from 'vitest'
import { type Condition, condition } from '../lib/filter/condition.js'
import { compileFilter } from '../lib/filter/filter.js'
import { type Evaluation, ExpressionForm, type Form, functionForm } from '../lib/filter/forms.js'
import { operations } from '../lib/filter/operations.js'
import { type FieldType, t } from '../lib/types.js'
import { relay } from './support/relays.js'
import { result } from './support/run.js'
import { recorded } from './support/trace.js'

const types = {
  a: t.u8, b: t.u16, c: t.u32, d: t.u64, e: t.i8, f: t.i16, g: t.i32, h: t.i64,
  x: t.f32, y: t.f64, ok: t.bool, name: t.string, op: t.enum({ read: 1, write: 2, rest: 2 }),
  other: t.string, list: t.sequence(t.u8), big: t.sequence(t.i64), four: t.array(t.i16, 4),
} // biome-ignore format: a table
const fields = Object.entries(types).map(([name, type]) => ({ name, ...(type as FieldType<unknown>) }))

const compiled = <Part>(filter: string, form: Form<Part>): Condition<Part> =>
  condition(compileFilter(filter).root, fields, [], form)

/** What both forms say where these fields have these values, and the others 0. */
function says(filter: string, values: Record<string, unknown>): [boolean, boolean] {
  const given = { op: 1, name: '', other: '', ok: false, list: [], ...values } as Record<string, unknown>
  const all = fields.map(({ name }) => given[name] ?? 0)
  const form = new ExpressionForm()
  const text = compiled(filter, form).part
  const names = [...Object.keys(operations), 'constants', ...fields.map((_, i) => `v${i}`)]
  const runs = Object.values(operations).map(({ run }) => run)
  const expression = new Function(...names, `return ${text}`)
  return [
    expression(...runs, form.constants, ...all),
    compiled<Evaluation>(filter, functionForm).part(all) as boolean,
  ]
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
  ['list[1] == 7', { list: Uint8Array.of(1, 7) }],
  ['big[0] < -9007199254740993', { big: BigInt64Array.of(-(2n ** 62n)) }],
  ['four[3] == -2', { four: Int16Array.of(0, 0, 0, -2) }],
  ['name < "b"', { name: 'a\u{1f600}' }],
  ['name > "\u{ffff}"', { name: '\u{1f600}' }],
  ['name < "a\\u{10000}"', { name: 'a\uffff' }],
  ['name >= "ab" && "abc" >= name', { name: 'ab' }],
  ['name == other', { name: 'x\0', other: 'x\u2400' }],
  ['name < other', { name: '\ud800', other: '\u{10000}' }],
  ['name == "a*b*c"', { name: 'axbxbxc' }],
  ['name != "*a*a*"', { name: 'xay' }],
  ['name == "\\u{fffd}*"', { name: '\udc00!' }],
  ['name == "\\u{2400}"', { name: '\0' }],
  ['d == 1.5 || d > 1.5', { d: 2 }],
  ['d == 9007199254740992.0', { d: 2n ** 53n + 1n }],
  ['~a == 18446744073709551614', { a: 1 }],
  ['~h == 0', { h: -1 }],
  ['a << 1 == 2', { a: 1 }],
  ['d << 63 == 9223372036854775808', { d: 3 }],
  ['h >> 63 == 1', { h: -1 }],
  ['d >> 4 == 562949953421311', { d: 2 ** 53 - 1 }],
  ['(d & 4096) != 0', { d: 2n ** 63n + 4096n }],
  ['(d & 4096) != 0', { d: 2 ** 52 + 4096 }],
  ['(g & 1) == 1 && (g & 0xff) == 255', { g: -1 }],
  ['(g | 1) == 18446744073709551615', { g: -1 }],
  ['(d ^ h) == 1', { d: 2n ** 64n - 1n, h: -2 }],
  ['-d == 1', { d: 2n ** 64n - 1n }],
  ['-c == -4294967295', { c: -1 }],
] as [string, Record<string, unknown>][])('%s holds for %o', (filter, values) => {
  expect(says(filter, values)).toEqual([true, true])
  expect(says(`!(${filter})`, values)).toEqual([false, false])
})

test.each([
  ['list[2] == 7', { list: Uint8Array.of(1, 7) }],
  ['big[4294967295] != 1', { big: BigInt64Array.of(1n) }],
  ['1 << h', { h: 64 }],
  ['1 >> h', { h: -1 }],
])('what is not there refuses, whatever stands around it: %s', (filter, values) => {
  expect(says(filter, values)).toEqual([false, false])
  expect(says(`!(${filter})`, values)).toEqual([false, false])
  expect(says(`a == 1 && (${filter})`, { ...values, a: 1 })).toEqual([false, false])
  expect(says(`a == 1 || (${filter})`, { ...values, a: 1 })).toEqual([true, true])
})

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

test.each([
  ['as text', []],
  ['as functions', ['--disallow-code-generation-from-strings']],
])('each emit goes by the rules that stand, asked %s', async (_, flags) => {
  const { output, address } = await relay()
  expect(await result<boolean>(blocked, { flags, env: { BLKIN_RELAY: address } })).toBe(true)
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
