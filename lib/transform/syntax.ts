// lib/transform/syntax.ts: a module's source as a tree, with the variable that each name means. Pure.
import { type AnyNode, type Comment, type Identifier, type Program, parse } from 'acorn'
import { analyze, type Variable } from 'eslint-scope'

/** A module as it would run: JavaScript, types stripped, each thing where it stands in the file. */
export interface Source {
  readonly file: string
  readonly code: string
}

/** The comment that says where the source map of a file is. */
export interface MapComment {
  readonly start: number
  readonly end: number
  readonly url: string
}

export class Syntax {
  readonly program: Program
  /** The last one, which counts. */
  readonly mapComment: MapComment | undefined
  /** Whether `globalThis` means something else anywhere in it. */
  readonly hidesGlobal: boolean
  readonly #variables = new Map<object, Variable | null>()

  private constructor(
    readonly source: Source,
    type: 'module' | 'script',
  ) {
    const comments: Comment[] = []
    const options = { ecmaVersion: 'latest', ranges: true, allowReturnOutsideFunction: true } as const
    this.program = parse(source.code, { ...options, sourceType: type, onComment: comments })
    this.mapComment = comments.flatMap(mapCommentOf).at(-1)
    const manager = analyze(this.program as never, { ecmaVersion: 2022, sourceType: type })
    for (const scope of manager.scopes) {
      for (const { identifier, resolved, tainted } of scope.references)
        this.#variables.set(identifier, tainted ? null : resolved) // tainted: within a `with`
      for (const variable of scope.variables) {
        for (const identifier of variable.identifiers) this.#variables.set(identifier, variable)
      }
    }
    this.hidesGlobal = manager.scopes.some(({ set }) => set.has('globalThis'))
  }

  /** Undefined where it is no JavaScript. */
  static of(source: Source): Syntax | undefined {
    for (const type of ['module', 'script'] as const) {
      try {
        return new Syntax(source, type)
      } catch {} // what is only right in the other mode, or in neither
    }
    return undefined
  }

  /** The variable that a name means; undefined for a global one, or where only running it would tell. */
  variable(identifier: Identifier): Variable | undefined {
    return this.#variables.get(identifier) ?? undefined
  }

  /** True for a name that the module does not declare: `require`, `Object`. */
  isGlobal(node: AnyNode, name: string): boolean {
    return node.type === 'Identifier' && node.name === name && this.variable(node) === undefined
  }

  line(at: number): number {
    return this.source.code.slice(0, at).split('\n').length
  }
}

function mapCommentOf({ value, start, end }: Comment): MapComment[] {
  const [, url] = /^[#@]\s*sourceMappingURL=(\S+)[ \t\r]*$/.exec(value) ?? []
  return url === undefined ? [] : [{ start, end, url }]
}

/** The name that a member is asked by, where it stands in the source: `a.name` and `a["name"]`. */
export function memberName(node: AnyNode): string | undefined {
  if (node.type !== 'MemberExpression' || node.optional) return undefined
  return keyName(node.property, node.computed)
}

export function keyName(key: AnyNode, computed: boolean): string | undefined {
  if (!computed && key.type === 'Identifier') return key.name
  return key.type === 'Literal' && typeof key.value === 'string' ? key.value : undefined
}
