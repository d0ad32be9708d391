// lib/cli/trace/trace-candidates.ts: what the Tab key offers for traces: services, names and ids that the server has at that
// moment. completion.ts calls it and hears of no failure. Names are anybody's and land on a shell's line, so only those
// that mean nothing to a shell are offered.
import { breadthFirst, treeOf } from '@blkin/relay'
import { parseBase, usualBase } from '../options/base-url.js'
import { localTime } from '../print/amounts.js'
import { ask, type Parameters } from '../relay/zipkin.js'
import { summaryOf } from './trace-summary.js'
import { tracesIn } from './traces-query.js'

type Candidate = readonly [word: string, description: string]

/** Longer than this nobody waits behind the Tab key. */
const timeoutMs = 1000
const harmless = /^[A-Za-z0-9_.:/@%+,-]+$/

/** For the value of --service, --span, --remote or --tag. */
export async function traceNames(flag: string, before: readonly string[]): Promise<Candidate[]> {
  if (flag === '--service') return names(before, 'services')
  if (flag === '--tag') return names(before, 'autocompleteKeys')
  const serviceName = flagOf(before, '--service')
  const path = flag === '--span' ? 'spans' : 'remoteServices'
  return serviceName === undefined ? [] : names(before, path, { serviceName })
}

/** The last traces, by id, with their root and time. */
export async function traceIds(before: readonly string[]): Promise<Candidate[]> {
  const base = baseOf(before)
  const traces = await tracesIn(base, await ask(base, 'traces', { limit: 20 }, timeoutMs))
  return traces.map((spans) => {
    const root = treeOf(spans)
    const {
      traceId,
      timestamp = 0,
      root: { service = '', name = '' } = {},
    } = summaryOf(root, breadthFirst(root))
    return [
      traceId,
      [localTime(timestamp), ...[service, name].filter((one) => harmless.test(one))].join(' '),
    ] as const
  })
}

async function names(
  before: readonly string[],
  path: string,
  parameters: Parameters = {},
): Promise<Candidate[]> {
  const given = await ask(baseOf(before), path, parameters, timeoutMs)
  if (!Array.isArray(given)) return []
  return given
    .filter((name) => typeof name === 'string' && harmless.test(name))
    .map((name) => [name, ''] as const)
}

const baseOf = (before: readonly string[]): string => parseBase(flagOf(before, '--http') ?? usualBase)

/** What the line says of a flag so far. */
function flagOf(before: readonly string[], flag: string): string | undefined {
  const at = before.lastIndexOf(flag)
  return at < 0 ? undefined : before[at + 1]
}
