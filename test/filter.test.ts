// test/filter.test.ts: the filter language as a person meets it: what a text means, and what is said, and where, of a
// text that means nothing or does not fit. The evaluator that the differential test believes is checked here too.
import { describe, expect, test } from 'vitest'
import { caret, FilterError } from '../lib/filter/error.js'
import { checkFilter, compileFilter } from '../lib/filter/filter.js'
import type { Node } from '../lib/filter/tree.js'
import { t } from '../lib/index.js'
import { nearest } from '../lib/nearest.js'
import { Type } from '../lib/types.js'
import { type OracleEvent, oracle } from './support/filter-oracle.js'

/** A tree as a text with all its brackets. */
function spelled(node: Node): string {
  switch (node.kind) {
    case 'integer':
    case 'float':
      return `${node.value}`
    case 'text':
      return JSON.stringify(node.parts)
    case 'field':
      return node.index === undefined ? node.name : `${node.name}[${node.index}]`
    case 'context':
      return `$${node.name}`
    case 'unary':
      return `(${node.operator}${spelled(node.operand)})`
    case 'binary':
      return `(${spelled(node.left)} ${node.operator} ${spelled(node.right)})`
    case 'joined':
      return `(${node.operands.map(spelled).join(` ${node.operator} `)})`
  }
}

const tree = (text: string) => spelled(compileFilter(text).root)

function refusal(text: string): FilterError {
  try {
    compileFilter(text)
  } catch (error) {
    if (error instanceof FilterError) return error
    throw error
  }
  throw new Error(`${text} is a filter`)
}

describe('what binds tighter', () => {
  test.each([
    ['a || b && c', '(a || (b && c))'],
    ['a && b == c', '(a && (b == c))'],
    ['a == b < c', '(a == (b < c))'],
    ['flags & 4 == 4', '((flags & 4) == 4)'],
    ['a < b | c', '(a < (b | c))'],
    ['a | b ^ c & d << 1', '(a | (b ^ (c & (d << 1))))'],
    ['a << 1 >> 2', '((a << 1) >> 2)'],
    ['!a == b', '((!a) == b)'],
    ['~a & -b', '((~a) & (-b))'],
    ['- - a', '(-(-a))'],
    ['!(a || b)', '(!(a || b))'],
    ['a || b || c', '(a || b || c)'],
    ['(a || b) || c', '((a || b) || c)'],
    ['a && b && c || d', '((a && b && c) || d)'],
  ])('%s is %s', (text, expected) => {
    expect(tree(text)).toBe(expected)
  })

  test('a long row of one operator is not a deep tree', () => {
    expect(tree(Array(200).fill('a').join('||'))).toBe(`(${Array(200).fill('a').join(' || ')})`)
  })
})

describe('literals', () => {
  test.each([
    ['0', '0'],
    ['0x1F', '31'],
    ['0o17', '15'],
    ['18446744073709551615', '18446744073709551615'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['-(-5)', '5'],
    ['1.5', '1.5'],
    ['.5', '0.5'],
    ['1.', '1'],
    ['1e3', '1000'],
    ['2.5e-1', '0.25'],
    ['-1.5', '-1.5'],
    ['true', '1'],
    ['false', '0'],
  ])('%s is %s', (text, expected) => {
    expect(tree(text)).toBe(expected)
  })

  test.each([
    ['a', ['a']],
    ['', ['']],
    ['*', ['', '']],
    ['a*b', ['a', 'b']],
    [String.raw`a\*b`, ['a*b']],
    [String.raw`\"\\\n\r\t`, ['"\\\n\r\t']],
    [String.raw`\u{1F600}é`, ['😀é']],
    ["it's && || (", ["it's && || ("]],
  ])('the string "%s"', (text, parts) => {
    expect(compileFilter(`name == "${text}"`).root).toMatchObject({ right: { kind: 'text', parts } })
  })

  test('space of any kind stands between anything', () => {
    expect(tree(' \t\na\n==\r 1 ')).toBe('(a == 1)')
    expect(tree('a==1&&b[2]<-3')).toBe('((a == 1) && (b[2] < -3))')
  })
})

describe('a text that is no filter is refused, at its column, with what may come', () => {
  test.each([
    ['', 1, 'expected a value, found the end'],
    ['length >', 9, 'expected a value, found the end'],
    ['> 4', 1, 'expected a value, found ">"'],
    ['a b', 3, 'expected an operator or the end, found "b"'],
    ['a and b', 3, 'expected &&, found "and"'],
    ['a or b', 3, 'expected ||, found "or"'],
    ['((a)', 5, 'expected ) for the ( of column 1, found the end'],
    ['a)', 2, 'expected an operator or the end, found ")"'],
    ['a = 1', 3, 'a single = is no operator; expected == to compare'],
    ['a < b < c', 7, 'comparisons do not chain; expected && or ||, such as a < b && b < c, or ( )'],
    ['a == b != c', 8, 'comparisons do not chain; expected && or ||, such as a < b && b < c, or ( )'],
    ['a + 1', 3, 'there is no arithmetic in filters: + joins no two values'],
    ['a * 2', 3, 'there is no arithmetic in filters: * joins no two values'],
    ['017 == a', 1, '017 could be octal or decimal; write 0o17 or 17'],
    ['12kB', 1, '12kB is no number; expected one such as 42, 0x2a, 0o52, 1.5 or 1e6'],
    [
      'a == 18446744073709551616',
      6,
      '18446744073709551616 is too large; expected at most 18446744073709551615',
    ],
    [
      '-9223372036854775809',
      1,
      '-9223372036854775809 is out of range; expected -9223372036854775808 to 18446744073709551615',
    ],
    ['1e999', 1, '1e999 is too large for a double'],
    ['a == "b', 6, 'this string has no end; expected "'],
    [String.raw`a == "b\q"`, 8, String.raw`\q is no escape; expected one of \" \\ \* \n \r \t \u{HEX}`],
    [
      String.raw`a == "\u{d800}"`,
      7,
      String.raw`\u{d800} is no character; expected \u{1} to \u{10ffff} but for \u{d800} to \u{dfff}`,
    ],
    ['a == "\ud800"', 7, 'a string holds no NUL and no half of a surrogate pair'],
    ["a == 'b'", 6, 'strings stand in double quotes: "…", not \'…\''],
    ['$tid', 1, 'expected a context after the $, such as $ctx.tid'],
    ['a[-1]', 3, 'expected an index from 0 to 4294967295, found "-"'],
    ['a[4294967296]', 3, 'expected an index from 0 to 4294967295, found "4294967296"'],
    ['a[1', 4, 'expected ], found the end'],
    ['a # b', 3, '"#" begins nothing that a filter knows'],
    [`${'('.repeat(40)}1`, 33, 'nested too deep; expected at most 32 levels'],
    [`${'!'.repeat(40)}1`, 33, 'nested too deep; expected at most 32 levels'],
    [`a${' << 1'.repeat(40)}`, 198, 'nested 41 deep; expected at most 32 levels'],
    [' '.repeat(5000), 4097, 'the filter has 5000 characters; expected at most 4096'],
    ['a'.repeat(101), 1, 'the name is too long; expected at most 100 characters'],
    // These could fit no tracepoint.
    ['"abc"', 1, '"abc" is a string, which is neither true nor false; expected a comparison'],
    ['a && !"abc"', 7, '"abc" is a string, which is neither true nor false; expected a comparison'],
    [
      '"a" == "a"',
      5,
      'compares two strings that are both written out; expected a field or context on one side',
    ],
    ['a < "b*"', 3, String.raw`< takes no pattern; expected == or !=, or \* for a star`],
    ['"a" == 1', 5, 'compares 1, a number, with the string "a"'],
    ['a & 1.5', 5, '1.5 is a floating-point number; & takes integers'],
    ['a << 64', 6, 'a shift by 64; expected 0 to 63'],
    ['-"a" == 1', 2, '"a" is a string; - takes numbers'],
  ])('%s', (text, column, what) => {
    const error = refusal(text)
    expect(error).toMatchObject({ code: 'ERR_BLKIN_FILTER', filter: text, column })
    expect(error).toBeInstanceOf(TypeError)
    expect(error.line.slice(error.line.indexOf(`: column ${column}: `))).toBe(`: column ${column}: ${what}`)
  })

  test('what is no text at all', () => {
    expect(() => compileFilter(7)).toThrow('the filter is a number; expected a string')
    expect(() => compileFilter(null)).toThrow('the filter is null; expected a string')
  })
})

describe('the caret', () => {
  test('stands below the column', () => {
    expect(refusal('length > ').message).toBe(
      'filter "length > ": column 10: expected a value, found the end\n  length > \n           ^',
    )
    expect(caret('é😀 #', 5)).toBe('  é😀 #\n     ^')
  })

  test('a long filter is shown around the column', () => {
    const lines = caret(`${'a'.repeat(200)}#${'b'.repeat(200)}`, 201).split('\n')
    expect(lines[0]).toBe(`  …${'a'.repeat(36)}#${'b'.repeat(35)}…`)
    expect(lines[1]).toBe(`  ${' '.repeat(37)}^`)
  })
})

const blockstore = {
  provider: 'blockstore',
  event: 'request',
  fields: Object.entries({
    op: t.enum(['read', 'write', 'write_zeroes']),
    offset: t.u64,
    length: t.u32,
    name: t.string,
    latency: t.f64,
    ok: t.bool,
    data: t.sequence(t.u8),
    four: t.array(t.i16, 4),
    raw: t.bytes,
  }).map(([name, type]) => ({ name, ...type })),
}
const contexts = [
  { name: 'tid', type: Type.i32 },
  { name: 'thread', type: Type.string },
]
const misfit = (text: string) => checkFilter(compileFilter(text), blockstore, contexts)

describe('against a declaration', () => {
  test.each([
    'length > 65536 && op == "write"',
    'op != "write*" || op >= 1 || op == offset',
    'ok && ok == true && !ok && ok & 1',
    'name == "vol*" && name < "w" && name != $ctx.thread',
    'latency > 1 && -latency < offset && latency',
    'data[9] == 1 && four[3] < 0 && raw[0] & 0x80',
    '(length > 4) == (offset > 4)',
    '$ctx.tid == 4711 && $ctx.thread == "worker-*"',
  ])('%s fits', (text) => {
    expect(misfit(text)).toBeUndefined()
  })

  test.each([
    [
      'lenght > 4',
      1,
      'blockstore:request has no field "lenght"; it has op, offset, length, name, latency, ok, data, four, raw (did you mean "length"?)',
    ],
    [
      'op == "wirte"',
      7,
      'op has no label "wirte"; it has "read", "write", "write_zeroes" (did you mean "write"?)',
    ],
    ['op == "x*"', 7, 'op has no label "x*"; it has "read", "write", "write_zeroes"'],
    ['op < "read"', 4, 'op is an enum: its labels have no order; expected == or !='],
    ['length > 4 && name', 15, 'name is a string, which is neither true nor false; expected a comparison'],
    ['name == 1', 6, 'compares name, a string, with 1, which is none'],
    ['op == name', 4, 'compares name, a string, with op, which is none'],
    ['length == "4"', 8, 'compares length, a number, with the string "4"'],
    ['latency & 1', 1, 'latency is a floating-point number; & takes integers'],
    ['1 << latency', 6, 'latency is a floating-point number; << takes integers'],
    ['~name', 2, 'name is a string; ~ takes numbers'],
    ['data == 1', 1, 'data is a list of values; expected one of its elements, such as data[0]'],
    ['raw', 1, 'raw is a list of values; expected one of its elements, such as raw[0]'],
    ['four[4] == 1', 1, 'four has 4 elements; expected an index from 0 to 3'],
    ['length[0] == 1', 1, 'length has no elements: its type is u32'],
    ['$ctx.tip == 1', 1, 'there is no context "tip"; there are tid, thread (did you mean "tid"?)'],
  ])('%s does not', (text, column, what) => {
    expect(misfit(text)).toBe(`filter "${text}": column ${column}: ${what}`)
  })
})

test('a compiled filter tells what it asks for', () => {
  const {
    text,
    fields,
    contexts: asked,
  } = compileFilter('a > 1 && (b[2] == a || $ctx.tid == 1 && $ctx.tid != c)')
  expect({ text, fields, asked }).toEqual({
    text: 'a > 1 && (b[2] == a || $ctx.tid == 1 && $ctx.tid != c)',
    fields: ['a', 'b', 'c'],
    asked: ['tid'],
  })
})

test('the nearest name is near', () => {
  expect(nearest('lenght', ['op', 'length', 'offset'])).toBe('length')
  expect(nearest('Op', ['op', 'length'])).toBe('op')
  expect(nearest('x', ['op', 'length'])).toBeUndefined()
})

describe('the evaluator in JavaScript', () => {
  const event: OracleEvent = {
    field: (name, index) =>
      ({
        u: 2n ** 64n - 1n, i: -1n, d: 1.5, nan: Number.NaN, name: 'abc', op: { label: 'write', value: 2n },
        list: index === 0 ? 5n : undefined,
      })[name], // biome-ignore format: a table
    context: () => 7n,
  }
  test.each([
    ['u > i', true],
    ['u == -1', false],
    ['i < 0.5', true],
    ['d == 1.5', true],
    ['nan == nan', false],
    ['nan != nan', true],
    ['nan', true],
    ['op == "wr*" && op == 2', true],
    ['"read" == op', false],
    ['name == "a*c" && name != "a"', true],
    ['name > "ab" && "ab" < name', true],
    ['name == "*b"', false],
    ['(i & 0xff) == 255 && ~i == 0', true],
    ['i >> 63 == 1', true],
    ['u << 63 == 1 << 63', true],
    ['1 << i', false],
    ['list[0] == 5', true],
    ['list[1] == 5', false],
    ['list[1] != 5', false],
    ['!(list[1] == 5)', false],
    ['u || list[1]', true],
    ['-u == 1', true],
    ['$ctx.x == 7', true],
    ['(u > 1) == (d > 1)', true],
  ])('%s: %s', (text, expected) => {
    expect(oracle(compileFilter(text).root, event)).toBe(expected)
  })
})
