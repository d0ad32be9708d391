// test/support/filters.ts: filters made at random for a declaration and for what its events hold, so that they keep
// some and refuse some. Most fit; some are wrong on purpose. Texts, as a person would write them. Pure.
import fc from 'fast-check'
import type { PrintedValue } from './babeltrace.js'
import { entries, type FieldSpec } from './schemas.js'

type Text = fc.Arbitrary<string>
type Row = Record<string, PrintedValue>

const maximum = 2n ** 64n - 1n
const minimum = -(2n ** 63n)

const isFloat = ({ type }: FieldSpec) => type === 'f32' || type === 'f64'
const isList = ({ type, shape }: FieldSpec) => type === 'bytes' || shape !== 'scalar'

const quote = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`
/** Stars of the text itself are escaped; those of a pattern stay. */
const literally = (text: string) => quote(text).replaceAll('*', String.raw`\*`)

function patternOf(text: string): Text {
  const points = [...text].slice(0, 12)
  const place = fc.nat(points.length)
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant(literally(text.length > 60 ? points.join('') : text)) },
    fc.constantFrom('"*"', '""', '"a*"', '"*a*"', '"**"'),
    fc.tuple(place, place).map(([a, b]) => {
      const piece = literally(points.slice(Math.min(a, b), Math.max(a, b)).join('')).slice(1, -1)
      return `"${a % 2 === 0 ? '*' : ''}${piece}${b % 3 === 0 ? '' : '*'}"`
    }),
  )
}

const spellInteger = (value: bigint) =>
  value < 0n || value % 3n === 0n
    ? `${value}`
    : value % 3n === 1n
      ? `0x${value.toString(16)}`
      : `0o${value.toString(8)}`

/** @param rows what the events hold, as it is stored */
export function anyFilter(fields: readonly FieldSpec[], rows: readonly Row[]): Text {
  const held = (name: string) => rows.map((row) => row[name]).filter((value) => value !== undefined)
  const numbers = fields.flatMap((field) => held(field.name).flat()).filter((v) => typeof v !== 'string')
  const integers = numbers.filter((v): v is bigint => typeof v === 'bigint')
  const floats = numbers.filter((v): v is number => typeof v === 'number' && Number.isFinite(v))

  const place = (field: FieldSpec): Text => {
    if (!isList(field)) return fc.constant(field.name)
    const most = field.shape === 'array' ? field.length - 1 : 3
    return fc.nat(most).map((i) => `${field.name}[${i}]`)
  }
  const places = (of: FieldSpec[]): Text[] => of.map(place)
  const integerPlaces = places(fields.filter((f) => f.type !== 'string' && !isFloat(f)))
  const numberPlaces = places(fields.filter((f) => f.type !== 'string'))

  const integer: Text = fc
    .tuple(
      fc.constantFrom(...integers.slice(0, 40), 0n, 1n, 2n, 255n, 2n ** 31n, 2n ** 63n, maximum, minimum),
      fc.constantFrom(0n, 0n, 1n, -1n),
    )
    .map(([value, by]) => value + by)
    .filter((value) => value >= minimum && value <= maximum)
    .map(spellInteger)
  const float: Text = fc.constantFrom(...floats.slice(0, 20), 0.5, -2.25, 1e10).map((value) => {
    const text = `${value}`
    return /[.e]/.test(text) ? text : `${text}.0`
  })

  const integral = (depth: number): Text => {
    const leaf = fc.oneof(...integerPlaces, ...integerPlaces, integer)
    if (depth === 0) return leaf
    const inner = integral(depth - 1)
    return fc.oneof(
      { weight: 4, arbitrary: leaf },
      {
        weight: 2,
        arbitrary: fc
          .tuple(inner, fc.constantFrom('&', '|', '^'), inner)
          .map(([a, op, b]) => `(${a} ${op} ${b})`),
      },
      { weight: 1, arbitrary: fc.tuple(inner, inner, inner).map(([a, b, c]) => `(${a} & ${b} & ${c})`) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(inner, fc.constantFrom('<<', '>>'), fc.nat(63))
          .map(([a, op, by]) => `(${a} ${op} ${by})`),
      },
      { weight: 1, arbitrary: fc.tuple(inner, inner).map(([a, by]) => `(${a} >> (${by} & 7))`) },
      {
        weight: 1,
        arbitrary: fc.tuple(fc.constantFrom('~', '-', '+', '!'), inner).map(([op, a]) => `${op}${a}`),
      },
      { weight: 1, arbitrary: condition(depth - 1).map((a) => `(${a})`) },
    )
  }
  const numeric = (depth: number): Text =>
    fc.oneof(
      { weight: 3, arbitrary: integral(depth) },
      { weight: 3, arbitrary: fc.oneof(...numberPlaces, float) },
      { weight: 1, arbitrary: fc.oneof(...numberPlaces, float).map((a) => `-${a}`) },
    )

  const texts = fields.filter(({ type }) => type === 'string')
  const textual: Text[] = texts.map((field) =>
    fc
      .tuple(
        fc.constantFrom('==', '!=', '==', '!=', '<', '<=', '>', '>='),
        fc.constantFrom(...(held(field.name) as string[]), 'm').chain(patternOf),
        fc.constantFrom(...texts.map(({ name }) => name)),
        fc.nat(5),
      )
      .map(([op, pattern, other, how]) => {
        const written = op === '==' || op === '!=' ? pattern : pattern.replace(/(?<!\\)\*/g, '')
        return how === 0
          ? `${field.name} ${op} ${other}`
          : how === 1
            ? `${written} ${op} ${field.name}`
            : `${field.name} ${op} ${written}`
      }),
  )
  const enums: Text[] = fields
    .filter(({ type }) => type === 'enum')
    .map((field) =>
      fc
        .tuple(
          fc.constantFrom('==', '!='),
          fc.constantFrom(...entries(field).map(([label]) => label)).chain(patternOf),
        )
        .map(([op, pattern]) => `${field.name} ${op} ${pattern}`),
    )
  const anything = fc.oneof(
    ...places([...fields]),
    integer,
    float,
    fc.constantFrom('"a"', '"*"', 'nothing', '$ctx.none'),
  )
  const wild: Text = fc
    .tuple(anything, fc.constantFrom('==', '<', '&', '&&', '>>'), anything)
    .map(([a, op, b]) => `${a} ${op} ${b}`)

  function condition(depth: number): Text {
    const compared = (down: number) =>
      fc
        .tuple(numeric(down), fc.constantFrom('==', '!=', '<', '<=', '>', '>='), numeric(down))
        .map(([a, op, b]) => `${a} ${op} ${b}`)
    const leaves = [...textual, ...textual, ...enums, ...enums, compared(0), compared(0), compared(0)]
    if (depth === 0) return fc.oneof(...leaves)
    const inner = condition(depth - 1)
    return fc.oneof(
      { weight: 3, arbitrary: fc.oneof(...leaves) },
      { weight: 2, arbitrary: compared(depth) },
      {
        weight: 2,
        arbitrary: fc.tuple(inner, fc.constantFrom('&&', '||'), inner).map(([a, op, b]) => `${a} ${op} ${b}`),
      },
      {
        weight: 1,
        arbitrary: fc.array(inner, { minLength: 3, maxLength: 4 }).map((all) => `(${all.join(' || ')})`),
      },
      { weight: 1, arbitrary: inner.map((a) => `!(${a})`) },
      { weight: 1, arbitrary: numeric(depth) },
    )
  }

  return fc
    .oneof({ weight: 12, arbitrary: condition(2) }, { weight: 1, arbitrary: wild })
    .filter((text) => text.length <= 4096)
}
