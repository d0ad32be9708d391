// lib/filter/tokens.ts: cuts a filter's text into names, numbers, strings and operators, each with its place.
// Called by parse.ts; knows nothing of what may follow what.
import { FilterError } from './error.js'

export type Token =
  | { readonly kind: 'integer'; readonly at: number; readonly text: string; readonly value: bigint }
  | { readonly kind: 'float'; readonly at: number; readonly text: string; readonly value: number }
  | { readonly kind: 'text'; readonly at: number; readonly text: string; readonly parts: readonly string[] }
  | { readonly kind: 'name' | 'context' | 'operator' | 'end'; readonly at: number; readonly text: string }

const space = /[\s]*/y
const name = /[A-Za-z_][A-Za-z0-9_]*/y
const context = /\$ctx\.([A-Za-z_][A-Za-z0-9_]*)/y
const operator = /&&|\|\||==|!=|<=|>=|<<|>>|[<>!&|^~+\-()[\]]/y
/** Whatever begins like a number, with what sticks to it: `12kB` is one mistake, not a number and a name. */
const number = /(?:\.[0-9]|[0-9])(?:[eE][+-](?=[0-9])|[A-Za-z0-9_.])*/y
const integer = /^(?:0|[1-9][0-9]*|0[xX][0-9A-Fa-f]+|0[oO][0-7]+)$/
const float = /^(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][+-]?[0-9]+)?$/

const integerMax = 2n ** 64n - 1n

const escapes: Record<string, string> = { '"': '"', '\\': '\\', '*': '*', n: '\n', r: '\r', t: '\t' }
const escapeNames = '\\" \\\\ \\* \\n \\r \\t \\u{HEX}'

export function tokens(filter: string): Token[] {
  const fail = (at: number, what: string): never => {
    throw new FilterError(filter, at, what)
  }
  const match = (pattern: RegExp, at: number): RegExpExecArray | null => {
    pattern.lastIndex = at
    return pattern.exec(filter)
  }

  function numberAt(at: number, text: string): Token {
    if (integer.test(text)) {
      const value = BigInt(text)
      if (value > integerMax) fail(at, `${text} is too large; expected at most ${integerMax}`)
      return { kind: 'integer', at, text, value }
    }
    if (/^0[0-9]+$/.test(text)) {
      fail(
        at,
        `${text} could be octal or decimal; write ${text.replace(/^0+(?=.)/, '0o')} or ${text.replace(/^0+(?=.)/, '')}`,
      )
    }
    if (!float.test(text)) fail(at, `${text} is no number; expected one such as 42, 0x2a, 0o52, 1.5 or 1e6`)
    const value = Number(text)
    if (!Number.isFinite(value)) fail(at, `${text} is too large for a double`)
    return { kind: 'float', at, text, value }
  }

  function textAt(at: number): Token {
    const parts = ['']
    const add = (more: string) => {
      parts[parts.length - 1] += more
    }
    let i = at + 1
    for (;;) {
      const one = filter[i]
      if (one === undefined) fail(at, 'this string has no end; expected "')
      if (one === '"') break
      if (one === '*') {
        parts.push('')
        i++
      } else if (one !== '\\') {
        const whole = String.fromCodePoint(filter.codePointAt(i)!)
        if (/[\0\p{Cs}]/u.test(whole)) fail(i, 'a string holds no NUL and no half of a surrogate pair')
        add(whole)
        i += whole.length
      } else {
        const mark = filter[i + 1] ?? ''
        const hex = /\\u\{([0-9A-Fa-f]{1,6})\}/y
        hex.lastIndex = i
        const code = hex.exec(filter)
        if (mark in escapes) {
          add(escapes[mark]!)
          i += 2
        } else if (code) {
          const point = Number.parseInt(code[1]!, 16)
          if (point === 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
            fail(
              i,
              `${code[0]} is no character; expected \\u{1} to \\u{10ffff} but for \\u{d800} to \\u{dfff}`,
            )
          add(String.fromCodePoint(point))
          i += code[0].length
        } else {
          fail(i, `\\${mark} is no escape; expected one of ${escapeNames}`)
        }
      }
    }
    return { kind: 'text', at, text: filter.slice(at, i + 1), parts }
  }

  const out: Token[] = []
  for (let at = 0; ; ) {
    at += match(space, at)![0].length
    const one = filter[at]
    if (one === undefined) {
      out.push({ kind: 'end', at, text: 'the end' })
      return out
    }
    const ctx = match(context, at)
    const found = match(name, at) ?? match(operator, at)
    const numeric = match(number, at)
    if (one === '"') out.push(textAt(at))
    else if (one === "'") fail(at, 'strings stand in double quotes: "…", not \'…\'')
    else if (ctx) out.push({ kind: 'context', at, text: ctx[0] })
    else if (one === '$') fail(at, 'expected a context after the $, such as $ctx.tid')
    else if (numeric) out.push(numberAt(at, numeric[0]))
    else if (one === '=' && !found) fail(at, 'a single = is no operator; expected == to compare')
    else if (/[*/%]/.test(one)) fail(at, `there is no arithmetic in filters: ${one} joins no two values`)
    else if (!found)
      fail(
        at,
        `${JSON.stringify(String.fromCodePoint(filter.codePointAt(at)!))} begins nothing that a filter knows`,
      )
    else out.push({ kind: /^[A-Za-z_]/.test(found[0]) ? 'name' : 'operator', at, text: found[0] })
    at += out.at(-1)!.text.length
  }
}
