// lib/cli/overhead/measures.ts: what is compared of runs and of blocks, as it is made of their readings. A table and nothing else, and
// the few lines that fill it. Pure.
import { type Change, changeOf, type Measure } from './change.js'
import type { Readings, Round } from './rounds.js'

type Made = Measure & {
  /** Undefined where the readings have it not. */
  of(readings: Readings): number | undefined
}

const percent = { by: 'percent', worse: 'more' } as const
const unit = { by: 'unit', worse: 'more' } as const
const own = "... without blkin's threads"

const per = (seconds: number | undefined, requests: number | undefined): number | undefined =>
  seconds === undefined || !requests ? undefined : (seconds / requests) * 1e6

export const ofRuns: readonly Made[] = [
  { name: 'time of a run', unit: 's', ...percent, of: ({ seconds }) => seconds },
  { name: 'processor time of a run', unit: 's', ...percent, of: ({ cpuSeconds }) => cpuSeconds },
]

const ofProcess: readonly Made[] = [
  { name: 'processor time a second', unit: 'ms', ...percent, of: ({ cpu }) => cpu && cpu * 1e3 },
  { name: own, unit: 'ms', ...percent, of: ({ cpu = 0, ownCpu = 0 }) => (cpu - ownCpu) * 1e3 },
]

const ofRequests: readonly Made[] = [
  { name: 'requests a second', unit: '', by: 'percent', worse: 'less', of: ({ rate }) => rate },
  { name: 'latency, p50', unit: 'ms', ...percent, of: ({ p50 }) => p50 },
  { name: 'latency, p99', unit: 'ms', ...percent, of: ({ p99 }) => p99 },
  {
    ...{ name: 'processor time a request', unit: 'us', ...percent },
    of: ({ cpu, rate }) => per(cpu, rate),
  },
  { name: own, unit: 'us', ...percent, of: ({ cpu = 0, ownCpu = 0, rate }) => per(cpu - ownCpu, rate) },
]

const ofAll: readonly Made[] = [
  { name: 'context switches a second', unit: '', ...unit, of: ({ switches }) => switches },
  { name: 'event loop delay, mean', unit: 'ms', ...unit, of: ({ delayMean }) => delayMean },
  { name: 'event loop delay, p99', unit: 'ms', ...unit, of: ({ delayP99 }) => delayP99 },
]

export const ofBlocks = (hasLoad: boolean): readonly Made[] => [
  ...(hasLoad ? ofRequests : ofProcess),
  ...ofAll,
]

/** Of each measure that any round has; a round counts for it where both of its halves have it. */
export function changesOf(measures: readonly Made[], rounds: readonly Round[]): Change[] {
  return measures.flatMap(({ of, ...measure }) => {
    const pairs = rounds
      .map(({ off, on }) => [of(off), of(on)] as const)
      .filter((pair): pair is [number, number] => pair.every((one) => one !== undefined))
    if (pairs.length === 0) return []
    return changeOf(
      measure,
      pairs.map(([off]) => off),
      pairs.map(([, on]) => on),
    )
  })
}
