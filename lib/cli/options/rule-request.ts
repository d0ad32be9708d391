// lib/cli/options/rule-request.ts: the rule that the flags of a verb ask for, as a controller sends it. Pure.
import type { RuleRequest } from '@blkin/relay'
import { type CompiledFilter, compileFilter } from '../../filter/filter.js'
import { levelNames } from '../../levels.js'
import { checkFlag } from './exit.js'
import type { RuleFlags } from './flags.js'

/** @throws UsageError for a text that is no filter */
export const compile = (text: string): CompiledFilter => checkFlag('--filter', () => compileFilter(text))

/** @throws UsageError for a filter that is none */
export function ruleOf(pattern: string, flags: RuleFlags): RuleRequest {
  const { exclude, level, exactly, filter, sample } = flags
  if (filter !== undefined) compile(filter)
  return {
    ...{ pattern, exclude, level: levelNames.indexOf(exactly ?? level ?? 'debug') },
    exactly: exactly !== undefined,
    ...(sample === undefined ? {} : { sample }),
    ...(filter === undefined ? {} : { filter }),
  }
}
