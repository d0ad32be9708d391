// lib/cli/print/rule-text.ts: a rule in words, for tables and notes. Pure.
import type { Rule } from '@blkin/relay'
import { levelNames } from '../../levels.js'
import { cutTo } from './table.js'

/** 14 -> "" (all levels); 6 -> "info"; exactly 6 -> "= info" */
export function levelText({ level, exactly }: Pick<Rule, 'level' | 'exactly'>): string {
  const name = levelNames[level] ?? String(level)
  return exactly ? `= ${name}` : level >= levelNames.length - 1 ? '' : name
}

export const sampleText = ({ sample }: Pick<Rule, 'sample'>): string =>
  sample === undefined ? '' : `${sample.keep}/${sample.of}`

const mostFilter = 60

/** On one line, and no more than its beginning: --json has it whole. */
export const filterText = ({ filter }: Pick<Rule, 'filter'>): string =>
  cutTo((filter ?? '').replace(/\p{Cc}+/gu, ' ').trim(), mostFilter)

/** What a rule asks beside its pattern: "info and above, 1/100, not *:mapped, if length > 4". */
export function conditionsText(
  rule: Pick<Rule, 'level' | 'exactly' | 'sample' | 'exclude' | 'filter'>,
): string {
  const level = levelText(rule)
  return [
    level,
    sampleText(rule),
    rule.exclude.length > 0 ? `not ${rule.exclude.join(',')}` : '',
    rule.filter === undefined ? '' : `if ${filterText(rule)}`,
  ]
    .filter((part) => part !== '')
    .join(', ')
}

/** As --json gives it: what is not asked for is not there. */
export function ruleJson(rule: Rule) {
  const { id, on, pattern, exclude, level, exactly, sample, filter, origin, target } = rule
  return {
    ...{ id, on, pattern, exclude, level: levelNames[level], exactly },
    ...(sample === undefined ? {} : { sample: sampleText(rule) }),
    ...(filter === undefined ? {} : { filter }),
    ...(target === undefined ? {} : { target }),
    origin,
  }
}
