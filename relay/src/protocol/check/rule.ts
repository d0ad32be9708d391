// relay/src/protocol/check/rule.ts: is this rule one that a process can take? For rules that came over the wire or from a file.
// The same as lib/rule.ts asks of a rule made in the program. A filter is only measured: the traced process reads
// it. Pure: no I/O, no state.

import type { types } from '../wire.js'
import { int, malformed, plainText } from './refuse.js'

type Rule = InstanceType<typeof types.Rule>

export const MAX_RULES = 1024
const MAX_EXCLUDE = 64
const MAX_FILTER_TEXT = 4096
const PATTERN = /^[A-Za-z0-9_.*-]+:[A-Za-z0-9_.*-]+$/
const PATTERN_LENGTH = 256

export function checkPattern(where: string, pattern: string | null): string {
  if (pattern === null || pattern.length > PATTERN_LENGTH || !PATTERN.test(pattern)) {
    return malformed(where, pattern, `provider:event, such as "blockstore:*", at most ${PATTERN_LENGTH} long`)
  }
  return pattern
}

/** Names of programs, `*` for any run of characters. */
export function checkTarget(where: string, target: string | null): string {
  return plainText(where, target, 1, 255)
}

/** With its target, which a rule for more than one process must have. */
export function checkRule(rule: Rule | null): void {
  if (rule === null) malformed('rule', null, 'a Rule')
  checkTarget('rule.target', rule.target ?? null)
  checkProcessRule(rule)
}

/** A rule in one process, which needs no target. */
export function checkProcessRule(rule: Rule | null): void {
  if (rule === null) malformed('rule', null, 'a Rule')
  checkPattern('rule.pattern', rule.pattern)
  if (typeof rule.on !== 'boolean') malformed('rule.on', rule.on, 'true or false')
  if (typeof rule.exactly !== 'boolean') malformed('rule.exactly', rule.exactly, 'true or false')
  int('rule.level', rule.level, 0, 14)
  const { exclude, sample, filter } = rule
  if (exclude === null || exclude.length > MAX_EXCLUDE)
    malformed('rule.exclude', exclude && `${exclude.length} long`, `at most ${MAX_EXCLUDE}`)
  for (const pattern of exclude) checkPattern('rule.exclude', pattern)
  if (sample) {
    int('rule.sample.of', sample.of, 1, 1_000_000_000)
    int('rule.sample.keep', sample.keep, 1, sample.of)
  }
  if (filter) {
    const { text } = filter
    const bytes = text === null ? 0 : Buffer.byteLength(text)
    if (bytes < 1 || bytes > MAX_FILTER_TEXT)
      malformed('rule.filter.text', text && `${bytes} bytes`, `1 to ${MAX_FILTER_TEXT} bytes`)
  }
}
