// lib/cli/names/tracepoints.ts: what a tracepoint is called, and what is said of a pattern that covers none. Pure.
import type { TracepointState } from '@blkin/relay'
import { visible } from '../print/visible.js'
import { nearest } from './nearest.js'

export const nameOf = ({ tracepoint }: TracepointState): string =>
  `${tracepoint.provider}:${tracepoint.event}`

/** Says which names are near, for a pattern that covers none of them. */
export function nothingText(pattern: string, names: string[]): string {
  const near = nearest(pattern, names)
  const instead =
    near.length > 0
      ? `nearest: ${visible(near.join(', '))}`
      : names.length > 0
        ? `there are ${visible([...new Set(names.map((name) => `${name.split(':')[0]}:*`))].join(', '))}`
        : 'none is declared'
  return `no tracepoint matches ${pattern}; ${instead}`
}
