// lib/rule.ts: one rule: its parts checked, and its way into the addon. Called by rules.ts for the program and by
// environment.ts for its surroundings.
import { type CompiledFilter, checkFilter, compileFilter } from './filter/filter.js'
import { isLevel, type Level, levelNames, levels } from './levels.js'
import { type NativeRule, native } from './native.js'
import { parseSample } from './sample.js'

export interface RuleOptions {
  /** Only tracepoints at least as severe as this. Default: all. */
  readonly level?: Level | undefined
  /** Only tracepoints of just this level. */
  readonly exactly?: Level | undefined
  /** Patterns of tracepoints to leave out. */
  readonly exclude?: string | readonly string[] | undefined
  /** Only events for which this holds, such as `length > 65536 && op == "write"`: docs/filter.md. */
  readonly filter?: string | undefined
  /** Only this share of the events, at random: 0.01, "1/100" or "1%". */
  readonly sample?: number | string | undefined
}

export interface Rule {
  readonly pattern: string
  /** Ends this rule; calling it again does nothing. */
  disable(): void
}

/** @throws TypeError (ERR_BLKIN_PATTERN) unless the pattern has the form provider:event, `*` standing for any part. */
export function checkPattern(pattern: unknown): string {
  if (
    typeof pattern === 'string' &&
    pattern.length <= 256 &&
    /^[A-Za-z0-9_.*-]+:[A-Za-z0-9_.*-]+$/.test(pattern)
  ) {
    return pattern
  }
  const error = new TypeError(
    `pattern ${JSON.stringify(pattern)}: expected provider:event, such as "blockstore:*"`,
  )
  throw Object.assign(error, { code: 'ERR_BLKIN_PATTERN' })
}

export function checkLevel(level: unknown): Level {
  if (isLevel(level)) return level
  const error = new TypeError(`level ${JSON.stringify(level)}: expected one of ${levelNames.join(', ')}`)
  throw Object.assign(error, { code: 'ERR_BLKIN_LEVEL' })
}

/** What the options ask for, checked. */
export function nativeRule(pattern: string, options: RuleOptions): NativeRule {
  const { level, exactly, exclude = [], filter, sample } = options
  if (level !== undefined && exactly !== undefined) {
    throw Object.assign(new TypeError('level and exactly are both given; expected one of them'), {
      code: 'ERR_BLKIN_LEVEL',
    })
  }
  const compiled = filter === undefined ? undefined : compileFilter(filter)
  const rule = {
    pattern: checkPattern(pattern),
    exclude: (typeof exclude === 'string' ? [exclude] : [...exclude]).map(checkPattern),
    level: levels[checkLevel(exactly ?? level ?? 'debug')],
    exactly: exactly !== undefined,
    ...(sample === undefined ? { keep: 1, of: 1 } : parseSample(sample)),
    filter: compiled?.text ?? '',
    unfit: [],
  }
  return compiled === undefined ? rule : { ...rule, unfit: misfits(rule, compiled) }
}

/** Tracepoints declared so far, in any thread. Those that come later their emitters look at: gates.ts. */
function misfits(rule: NativeRule, filter: CompiledFilter): [number, string][] {
  const contexts = native?.contexts()
  const covered = native?.covered(rule) ?? []
  return covered.flatMap((tracepoint): [number, string][] => {
    const why = checkFilter(filter, tracepoint, contexts)
    return why === undefined ? [] : [[tracepoint.id, why]]
  })
}

export function addRule(session: string, pattern: string, options: RuleOptions = {}): Rule {
  const rule = nativeRule(pattern, options)
  const added = native?.enable(session, rule)
  return Object.freeze({
    pattern: rule.pattern,
    disable: () => {
      if (added) native?.disable(session, added.rule)
    },
  })
}
