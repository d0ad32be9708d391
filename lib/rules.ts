// lib/rules.ts: switches tracepoints on and off in this process. Rules stand for the whole process, its Workers and
// its later declarations; the last rule that covers a tracepoint decides.
import { applyEnvironment } from './environment.js'
import { native } from './native.js'
import { addRule, checkPattern, type Rule, type RuleOptions, tooManyRules } from './rule.js'

/**
 * Switches on the tracepoints that the pattern covers, those declared now and those declared later.
 *
 * @param pattern provider:event; `*` stands for any run of characters on its side of the colon
 * @throws TypeError for a pattern or level that is none; RangeError when 1024 rules stand
 */
export function enable(pattern: string, options: RuleOptions = {}): Rule {
  applyEnvironment()
  return addRule(pattern, options)
}

/**
 * Switches off the tracepoints that the pattern covers, whichever rules had switched them on.
 *
 * @throws TypeError for a pattern that is none; RangeError when 1024 rules stand and one more would be needed
 */
export function disable(pattern: string): void {
  applyEnvironment()
  if (native?.disable(checkPattern(pattern)) === false) throw tooManyRules()
}
