// lib/cli/process/filter.ts: --filter: compiled, and compared with what the processes declare before they are asked, so that a
// slip of the pen is shown where it stands. Which tracepoints it does not fit is said to a process with the rule.
import type { Control, Misfit, RuleRequest, TraceField, TraceTracepoint } from '@blkin/relay'
import { caret } from '../../filter/error.js'
import { checkFilter } from '../../filter/filter.js'
import { levels } from '../../levels.js'
import { type FieldDescription, Shape, Type } from '../../types.js'
import { compileGlob } from '../names/glob.js'
import { UsageError } from '../options/exit.js'
import { compile } from '../options/rule-request.js'
import type { Target } from './find.js'

/** A list a rule. A process that tells no contexts is one of an earlier version, which judges them itself. */
export async function misfitsOf(control: Control, rules: readonly RuleRequest[]): Promise<Misfit[][]> {
  if (rules.every(({ filter }) => filter === undefined)) return rules.map(() => [])
  const [{ contexts }, all] = await Promise.all([control.process(), control.tracepoints()])
  return rules.map((rule) => {
    if (rule.filter === undefined) return []
    const filter = compile(rule.filter)
    const covered = all.map(({ tracepoint }) => tracepoint).filter(coverOf(rule))
    return covered.flatMap((tracepoint): Misfit[] => {
      const why = checkFilter(filter, declaration(tracepoint), contexts)
      return why === undefined ? [] : [{ tracepoint: tracepoint.id, why }]
    })
  })
}

/**
 * Contexts differ from process to process, so a filter that asks for one that is missing is told process by process.
 * @throws UsageError where some tracepoint is covered and the filter fits none of them
 */
export async function requireFit(rules: readonly RuleRequest[], targets: readonly Target[]): Promise<void> {
  const text = rules[0]?.filter // the flags give all rules of a command the same one
  if (text === undefined) return
  const filter = compile(text)
  const covers = rules.map(coverOf)
  const all = (await Promise.all(targets.map(({ control }) => control.tracepoints()))).flat()
  const covered = all
    .map(({ tracepoint }) => tracepoint)
    .filter((tracepoint) => covers.some((covered) => covered(tracepoint)))
  const reasons = covered.map((tracepoint) => checkFilter(filter, declaration(tracepoint), undefined))
  const [first] = reasons
  if (first === undefined || reasons.some((reason) => reason === undefined)) return
  const column = Number(/: column (\d+): /.exec(first)?.[1] ?? 1)
  throw new UsageError(`--filter fits no tracepoint that is covered: ${first}\n${caret(text, column)}`)
}

/** Whether a rule covers a tracepoint, by its pattern, what it excludes and its level. */
function coverOf({ pattern, exclude = [], level = levels.debug, exactly }: RuleRequest) {
  const named = compileGlob(pattern)
  const excluded = exclude.map(compileGlob)
  return ({ provider, event, level: own }: TraceTracepoint): boolean => {
    const name = `${provider}:${event}`
    return named(name) && !excluded.some((one) => one(name)) && (exactly ? own === level : own <= level)
  }
}

function declaration({ provider, event, fields }: TraceTracepoint) {
  return { provider, event, fields: fields.map(description) }
}

function description({ name, type, labels, length }: TraceField): FieldDescription {
  const container = Type[type]
  const bool = labels?.length === 2 && labels[0]?.[0] === 'false' && labels[1]?.[0] === 'true'
  return {
    name,
    container,
    type: labels === undefined ? container : bool ? Type.bool : Type.enum,
    shape: length === undefined ? Shape.scalar : length === 'counted' ? Shape.sequence : Shape.array,
    length: typeof length === 'number' ? length : 0,
    labels: labels === undefined || bool ? [] : labels,
  }
}

const shown = 5

/** What the process says of the tracepoints that the filter does not fit, the first few. */
export function misfits(unfit: readonly string[]): string[] {
  const lines = unfit.slice(0, shown).map((line) => {
    const name = /^[^:]+:[^:]+(?=: )/.exec(line)?.[0] ?? ''
    const why = line.slice(name.length).replace(name, 'it')
    return `the filter does not fit ${name}${why}; no event of it is kept`
  })
  return unfit.length > shown
    ? [...lines, `... and ${unfit.length - shown} more that it does not fit`]
    : lines
}
