// lib/filter/tree.ts: a filter as a tree, and its limits. parse.ts makes it; check.ts and condition.ts read it. `at` is
// where in the text a node's first character, or its operator, stands, counted from 0.

export const textMax = 4096 // characters
export const depthMax = 32

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>='
export type Shift = '<<' | '>>'
export type Unary = '!' | '-' | '+' | '~'
/** Those that take any number of operands, so that a long row of them is not a deep tree. */
export type Joined = '&&' | '||' | '&' | '|' | '^'

export type Node =
  | { readonly kind: 'integer'; readonly at: number; readonly value: bigint }
  | { readonly kind: 'float'; readonly at: number; readonly value: number }
  /** What stands before, between and behind the stars. */
  | { readonly kind: 'text'; readonly at: number; readonly parts: readonly string[] }
  | { readonly kind: 'field'; readonly at: number; readonly name: string; readonly index?: number }
  | { readonly kind: 'context'; readonly at: number; readonly name: string }
  | { readonly kind: 'unary'; readonly at: number; readonly operator: Unary; readonly operand: Node }
  | {
      readonly kind: 'binary'
      readonly at: number
      readonly operator: Comparison | Shift
      readonly left: Node
      readonly right: Node
    }
  | {
      readonly kind: 'joined'
      readonly at: number
      readonly operator: Joined
      readonly operands: readonly Node[]
    }
