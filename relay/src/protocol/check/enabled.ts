// relay/src/protocol/check/enabled.ts: is this what a session can have on? For what a traced process tells, so that a controller who
// asks the relay is told nothing else. Pure.

import type { types } from '../wire.js'
import { int, malformed } from './refuse.js'
import { checkProcessRule, MAX_RULES } from './rule.js'
import { MAX_TRACEPOINTS } from './tracepoint.js'

export type Enabled = InstanceType<typeof types.Enabled>

export function checkEnabled(enabled: Enabled | null): Enabled {
  if (enabled === null) return malformed('enabled', null, 'an Enabled')
  const { rules, tracepoints } = enabled
  if (rules === null || rules.length > MAX_RULES)
    malformed('enabled.rules', rules && `${rules.length} long`, `at most ${MAX_RULES}`)
  for (const rule of rules) checkProcessRule(rule)
  if (tracepoints === null || tracepoints.length > MAX_TRACEPOINTS)
    malformed(
      'enabled.tracepoints',
      tracepoints && `${tracepoints.length} long`,
      `at most ${MAX_TRACEPOINTS}`,
    )
  for (const { tracepoint, rule } of tracepoints) {
    int('enabled.tracepoints.tracepoint', tracepoint, 0, MAX_TRACEPOINTS - 1)
    int('enabled.tracepoints.rule', rule, 1, 2 ** 31 - 1)
  }
  return enabled
}
