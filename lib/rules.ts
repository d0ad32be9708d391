// lib/rules.ts: switches tracepoints on and off in this process's default session. Rules stand for the whole process, its
// Workers and its later declarations; the last rule that covers a tracepoint decides.
import { applyEnvironment } from './environment.js'
import { native } from './native.js'
import { addRule, checkPattern, type Rule, type RuleOptions } from './rule.js'
import { defaultName } from './session-spec.js'
import { tellProgram } from './untraced.js'

/**
 * Switches on the tracepoints that the pattern covers, those declared now and those declared later.
 *
 * @param pattern provider:event; `*` stands for any run of characters on its side of the colon
 * @throws TypeError for a pattern, level, filter or sample that is none; RangeError when 1024 rules stand, or when the
 *   filter fits none of the tracepoints that the pattern covers now
 */
export function enable(pattern: string, options: RuleOptions = {}): Rule {
  applyEnvironment()
  const rule = addRule(defaultName, pattern, options)
  tellProgram()
  return rule
}

/**
 * Switches off the tracepoints that the pattern covers, whichever rules had switched them on.
 *
 * @throws TypeError for a pattern that is none; RangeError when 1024 rules stand and one more would be needed
 */
export function disable(pattern: string): void {
  applyEnvironment()
  native?.disable(defaultName, checkPattern(pattern))
}
