// lib/filter/parse.ts: from a filter's text to its tree. Precedence is LTTng's, in which, other than in C, & ^ and |
// bind tighter than comparisons: flags & 4 == 4 means (flags & 4) == 4. docs/filter.md has the table. Pure.
import { FilterError } from './error.js'
import { type Token, tokens } from './tokens.js'
import { type Comparison, depthMax, type Joined, type Node, type Shift, textMax, type Unary } from './tree.js'

/** From the loosest to the tightest. */
const levels: readonly (readonly string[])[] = [
  ['||'], ['&&'], ['==', '!='], ['<', '<=', '>', '>='], ['|'], ['^'], ['&'], ['<<', '>>'],
] // biome-ignore format: a table
const joining = new Set(['||', '&&', '|', '^', '&'])
const shifting = new Set(['<<', '>>'])
const words: Record<string, string> = { and: '&&', or: '||', not: '!' }

const integerMin = -(2n ** 63n)
const integerMax = 2n ** 64n - 1n
const indexMax = 0xffffffffn

/** @throws FilterError at the first thing that cannot stand where it stands. */
export function parse(filter: string): Node {
  if (filter.length > textMax)
    throw new FilterError(
      filter,
      textMax,
      `the filter has ${filter.length} characters; expected at most ${textMax}`,
    )
  const all = tokens(filter)
  let next = 0
  const peek = () => all[next] as Token
  const fail = (token: { at: number }, what: string): never => {
    throw new FilterError(filter, token.at, what)
  }
  const take = (text: string, what: string): Token => {
    const token = peek()
    if (token.kind !== 'operator' || token.text !== text)
      fail(token, `expected ${what}, found ${shown(token)}`)
    next++
    return token
  }

  function binary(level: number, depth: number): Node {
    const operators = levels[level]
    if (operators === undefined) return unary(depth)
    let left = binary(level + 1, depth)
    for (let count = 1; ; count++) {
      const token = peek()
      if (token.kind !== 'operator' || !operators.includes(token.text)) return left
      next++
      const right = binary(level + 1, depth)
      if (joining.has(token.text)) {
        const operands = count > 1 && left.kind === 'joined' ? [...left.operands, right] : [left, right]
        left = { kind: 'joined', at: token.at, operator: token.text as Joined, operands }
      } else if (count > 1 && !shifting.has(token.text)) {
        fail(token, `comparisons do not chain; expected && or ||, such as a < b && b < c, or ( )`)
      } else {
        left = { kind: 'binary', at: token.at, operator: token.text as Comparison | Shift, left, right }
      }
    }
  }

  function unary(depth: number): Node {
    const token = peek()
    if (depth > depthMax) fail(token, `nested too deep; expected at most ${depthMax} levels`)
    if (token.kind !== 'operator' || !/^[!+~-]$/.test(token.text)) return primary(depth)
    next++
    const operand = unary(depth + 1)
    if (token.text === '-' && operand.kind === 'integer') {
      const value = -operand.value
      if (value < integerMin || value > integerMax)
        fail(token, `${value} is out of range; expected ${integerMin} to ${integerMax}`)
      return { kind: 'integer', at: token.at, value }
    }
    if (token.text === '-' && operand.kind === 'float')
      return { kind: 'float', at: token.at, value: -operand.value }
    return { kind: 'unary', at: token.at, operator: token.text as Unary, operand }
  }

  function primary(depth: number): Node {
    const token = peek()
    const { at } = token
    next++
    switch (token.kind) {
      case 'integer':
        return { kind: 'integer', at, value: token.value }
      case 'float':
        return { kind: 'float', at, value: token.value }
      case 'text':
        return { kind: 'text', at, parts: token.parts }
      case 'context':
        return { kind: 'context', at, name: token.text.slice('$ctx.'.length) }
      case 'name':
        if (token.text === 'true' || token.text === 'false')
          return { kind: 'integer', at, value: token.text === 'true' ? 1n : 0n }
        if (token.text.length > 100) fail(token, 'the name is too long; expected at most 100 characters')
        if (peek().text !== '[') return { kind: 'field', at, name: token.text }
        next++
        return { kind: 'field', at, name: token.text, index: index() }
      default:
        if (token.text !== '(') return fail(token, `expected a value, found ${shown(token)}`)
    }
    const inner = binary(0, depth + 1)
    take(')', `) for the ( of column ${at + 1}`)
    return inner
  }

  function index(): number {
    const token = peek()
    if (token.kind !== 'integer' || token.value > indexMax)
      return fail(token, `expected an index from 0 to ${indexMax}, found ${shown(token)}`)
    next++
    take(']', ']')
    return Number(token.value)
  }

  const root = binary(0, 1)
  const left = peek()
  if (left.kind !== 'end') {
    const word = words[left.text]
    const how = word ?? 'an operator or the end'
    fail(
      left,
      /^[+-]$/.test(left.text)
        ? `there is no arithmetic in filters: ${left.text} joins no two values`
        : `expected ${how}, found ${shown(left)}`,
    )
  }
  const depth = depthOf(root)
  if (depth > depthMax) fail(root, `nested ${depth} deep; expected at most ${depthMax} levels`)
  return root
}

function shown(token: Token): string {
  return token.kind === 'end' || token.kind === 'text' ? token.text : `"${token.text}"`
}

export function operandsOf(node: Node): readonly Node[] {
  if (node.kind === 'unary') return [node.operand]
  if (node.kind === 'binary') return [node.left, node.right]
  return node.kind === 'joined' ? node.operands : []
}

/** Shifts lean to the left without a bracket, so a tree can be deeper than its text looks. */
function depthOf(root: Node): number {
  let depth = 0
  for (let row: readonly Node[] = [root]; row.length > 0; row = row.flatMap(operandsOf)) depth++
  return depth
}
