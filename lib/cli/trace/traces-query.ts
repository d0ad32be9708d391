// lib/cli/trace/traces-query.ts: what `blkin traces` may ask for, as the parameters of Zipkin's API, and the check of what
// comes back: a server may be anybody's.
import type { Span } from '@blkin/relay'
import { UsageError } from '../options/exit.js'
import { duration } from '../print/amounts.js'
import { loadRelay } from '../relay/load-relay.js'
import type { Parameters } from '../relay/zipkin.js'

export interface QueryFlags {
  service?: string
  span?: string
  remote?: string
  /** Microseconds. */
  min?: number
  max?: number
  tag: string[]
  /** Milliseconds. */
  last: number
  limit: number
}

/** @throws UsageError */
export function parametersOf({ service, span, remote, min, max, tag, last, limit }: QueryFlags): Parameters {
  if (max !== undefined && min !== undefined && max < min)
    throw new UsageError(
      `--max is ${duration(max * 1000)}; expected no less than --min, ${duration(min * 1000)}`,
    )
  return {
    ...{ serviceName: service, spanName: span, remoteServiceName: remote },
    minDuration: min ?? (max === undefined ? undefined : 1), // Zipkin takes no longest without a shortest
    maxDuration: max,
    annotationQuery: tag.length === 0 ? undefined : tag.join(' and '),
    ...{ lookback: last, limit },
  }
}

export const mostTraces = 10_000

/** @throws RangeError naming what was given */
export function parseLimit(text: string): number {
  const limit = Number(text)
  if (/^\d+$/.test(text) && limit >= 1 && limit <= mostTraces) return limit
  throw new RangeError(`${JSON.stringify(text)}: expected a whole number from 1 to ${mostTraces}`)
}

/** @throws TypeError naming what was given */
export function parseTag(text: string): string {
  const key = text.split('=')[0]!.trim()
  if (key !== '') return text
  throw new TypeError(`${JSON.stringify(text)}: expected KEY=VALUE, or KEY for any value`)
}

/** The spans of a trace; `path` is where it stands in the answer. @throws Error where they are none */
export async function spansIn(base: string, given: unknown, path: string): Promise<Span[]> {
  const { spansFrom } = await loadRelay()
  try {
    return spansFrom(given, path)
  } catch (error) {
    throw wrongAnswer(base, (error as Error).message)
  }
}

/** @throws Error */
export async function tracesIn(base: string, given: unknown): Promise<Span[][]> {
  if (!Array.isArray(given)) throw wrongAnswer(base, 'Expected an array at path $')
  const traces: Span[][] = []
  for (const [i, one] of given.entries()) traces.push(await spansIn(base, one, `$[${i}]`))
  return traces.filter((spans) => spans.length > 0)
}

const wrongAnswer = (base: string, why: string): Error =>
  new Error(`${base} answers with what is no trace of Zipkin's: ${why}`)
