// lib/cli/filter.ts: --filter: compiled, and compared with what the processes declare before they are asked, so that a
// slip of the pen is shown where it stands.
import type { RuleRequest } from '@blkin/relay'
import { UsageError } from './exit.js'
import type { Target } from './find.js'

export function filterOf(text: string): { text: string; program: Buffer } {
  throw new UsageError(`--filter ${text}: not there yet`)
}

export async function checkFilter(_text: string, _rules: RuleRequest[], _targets: Target[]): Promise<void> {}

const shown = 5

/** What the process says of the tracepoints that the filter does not fit, the first few. */
export function misfits(unfit: readonly string[]): string[] {
  const lines = unfit.slice(0, shown).map((line) => `the filter does not fit ${line}; no event of it is kept`)
  return unfit.length > shown
    ? [...lines, `... and ${unfit.length - shown} more that it does not fit`]
    : lines
}
