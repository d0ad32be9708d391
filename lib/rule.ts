// lib/rule.ts: one rule: its parts checked, and its way into the addon. Called by rules.ts for the program and by
// environment.ts for its surroundings.
import { isLevel, type Level, levelNames, levels } from './levels.js'
import { native } from './native.js'

export interface RuleOptions {
  /** Only tracepoints at least as severe as this. Default: all. */
  readonly level?: Level | undefined
  /** Patterns of tracepoints to leave out. */
  readonly exclude?: string | readonly string[] | undefined
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

export function tooManyRules(): RangeError {
  return Object.assign(new RangeError('1024 rules stand already; end some by their disable()'), {
    code: 'ERR_BLKIN_RULES',
  })
}

export function addRule(pattern: string, options: RuleOptions = {}): Rule {
  const checked = checkPattern(pattern)
  const level = levels[checkLevel(options.level ?? 'debug')]
  const given = options.exclude ?? []
  const exclude = (typeof given === 'string' ? [given] : [...given]).map(checkPattern)
  const id = native?.enable({ pattern: checked, exclude, level }) ?? 0
  if (native !== undefined && id === 0) {
    throw tooManyRules()
  }
  return Object.freeze({ pattern: checked, disable: () => void native?.disable(id) })
}
