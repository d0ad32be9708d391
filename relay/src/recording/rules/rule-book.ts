// relay/src/recording/rules/rule-book.ts: the rules that the relay gives to processes, in their order, with a version.
// Fleet sessions change them, one change at a time; sessions of processes read them and wait for changes.
// They stand in one file of the output folder, so that they and the version outlive the relay; a relay without an
// output folder keeps them as long as it runs. A change that cannot be written is no change.

import { refuse, storage } from '../../protocol/check/refuse.js'
import { checkPattern, checkRule, checkTarget, MAX_RULES } from '../../protocol/check/rule.js'
import { MOST_BYTES, readStruct, structBytes, writeStruct } from '../../protocol/struct-file.js'
import { big, i64, types } from '../../protocol/wire.js'
import { patternsOverlap, targetCovers, targetsOverlap } from './target.js'

export type Rule = InstanceType<typeof types.Rule>
type RuleSet = InstanceType<typeof types.RuleSet>

export class RuleBook {
  #version = 0
  #rules: readonly Rule[] = []
  #changing: Promise<unknown> = Promise.resolve()
  readonly #waiting = new Set<() => void>()

  private constructor(readonly path: string | undefined) {}

  /** @throws Error that begins with the path, where the file is not as written */
  static async open(path: string | undefined): Promise<RuleBook> {
    const book = new RuleBook(path)
    const found = path === undefined ? undefined : await readStruct(path, types.RuleSet)
    if (found === undefined) return book
    try {
      if (found.version === null || found.rules === null) throw new Error('it has no version or no rules')
      found.rules.forEach(checkRule)
      book.#version = Number(big(found.version))
      book.#rules = found.rules
    } catch (error) {
      throw new Error(`${path}: ${(error as Error).message}; move it away to start without rules`)
    }
    return book
  }

  get version(): number {
    return this.#version
  }

  /** All of them, in their order. */
  get rules(): Rule[] {
    return [...this.#rules]
  }

  for(program: string): RuleSet {
    return this.#set(this.#rules.filter((rule) => targetCovers(rule.target!, program)))
  }

  /** Calls back once, at the next change. @returns how to take that back */
  onChange(call: () => void): () => void {
    this.#waiting.add(call)
    return () => this.#waiting.delete(call)
  }

  /** The last rule that covers a tracepoint decides, so one that stands already goes to the end. */
  enable(asked: Rule | null): Promise<Rule[]> {
    checkRule(asked)
    const rule = new types.Rule({ ...asked!, origin: types.Origin.RELAY, id: 0 })
    return this.#change((rules) => {
      const at = rules.findIndex((one) => sameRule(one, rule))
      const stood = at < 0 ? undefined : rules[at]!
      if (stood && at === rules.length - 1) return rules
      return [...rules.filter((one) => one !== stood), stood ?? this.#named(rule)]
    })
  }

  /** Ends the rules of just this pattern and target; over others that may cover the same, one stands that says off. */
  disable(target: string | null, pattern: string | null): Promise<Rule[]> {
    checkTarget('target', target)
    checkPattern('pattern', pattern)
    return this.#change((rules) => {
      const left = rules.filter((one) => one.target !== target || one.pattern !== pattern)
      if (!left.some((one) => one.on)) return [] // rules that switch off have nothing to switch off
      const meets = (one: Rule) =>
        targetsOverlap(one.target!, target!) && patternsOverlap(one.pattern!, pattern!)
      if (!left.some((one) => one.on && meets(one))) return left
      const off = { on: false, pattern: pattern!, exclude: [], level: 14, exactly: false, target: target! }
      return [...left, this.#named(new types.Rule({ ...off, origin: types.Origin.RELAY, id: 0 }))]
    })
  }

  /** Each change brings at most one rule, so the version that it makes is a name no other rule has or had. */
  #named(rule: Rule): Rule {
    return new types.Rule({ ...rule, id: this.#version + 1 })
  }

  #change(make: (rules: readonly Rule[]) => readonly Rule[]): Promise<Rule[]> {
    const changed = this.#changing.then(async () => {
      const rules = make(this.#rules)
      if (rules.length === this.#rules.length && rules.every((rule, i) => rule === this.#rules[i]))
        return this.rules
      if (rules.length > MAX_RULES) refuse('LIMIT', `${MAX_RULES} rules stand already; disable some`)
      const bytes = structBytes(this.#set(rules, this.#version + 1))
      if (bytes.length > MOST_BYTES)
        refuse('LIMIT', `the rules take ${bytes.length} bytes; expected at most ${MOST_BYTES}: disable some`)
      if (this.path !== undefined)
        await writeStruct(this.path, bytes).catch((error) => storage(this.path!, error))
      this.#rules = rules
      this.#version++
      for (const call of [...this.#waiting]) call()
      this.#waiting.clear()
      return this.rules
    })
    this.#changing = changed.catch(() => {})
    return changed
  }

  #set(rules: readonly Rule[], version = this.#version): RuleSet {
    return new types.RuleSet({ version: i64(version), rules: [...rules] })
  }
}

/** Alike in all but their ids. */
function sameRule(one: Rule, two: Rule): boolean {
  if (one.pattern !== two.pattern || one.target !== two.target) return false
  return bytesWithoutId(one).equals(bytesWithoutId(two))
}

const bytesWithoutId = (rule: Rule): Buffer => structBytes(new types.Rule({ ...rule, id: 0 }))
