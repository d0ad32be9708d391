// test/matrix/fault.ts: what a row of the crash matrix is, and what several rows do.

import type { RunOptions } from '../support/run.js'
import type { Tool } from '../support/tools.js'
import type { Stage } from './stage.js'

export type Mode = 'discard' | 'overwrite'
export type Ring = 'cpu' | 'leased'
export type Ack = 'written' | 'synced'

export const MODES: readonly Mode[] = ['discard', 'overwrite']
export const RINGS: readonly Ring[] = ['cpu', 'leased']
export const ACKS: readonly Ack[] = ['written', 'synced']

export interface Fault {
  /** WHO: WHAT */
  name: string
  /** Of the product of modes, rings and acks the part in which it differs. All where missing. */
  modes?: readonly Mode[]
  rings?: readonly Ring[]
  acks?: readonly Ack[]
  tools?: readonly Tool[]
  /** Why it cannot be here, if so. */
  missing?: () => string | undefined
  /** It lasts longer than every time-out of the product. */
  isLong?: boolean
  /** How the program emits: all the time, or with pauses in which its consumer falls asleep. */
  pace?: 'pauses'
  /** Before anything is started. */
  before?: (stage: Stage) => Promise<void>
  relayEnv?: (stage: Stage) => Record<string, string>
  program?: (stage: Stage) => RunOptions
  /** The program is loaded, and has not traced yet. */
  begin?: (stage: Stage) => Promise<void> | void
  /** `at once`: when the program begins, which need not come far; else once events are stored. */
  strikes?: 'at once'
  /** Does it, and heals what can be healed. */
  strike?: (stage: Stage) => Promise<void>
  /** The time of day goes back, by which the trace is ordered: what came later is read earlier. */
  goesBack?: true
  /** How the program ends of it. Where missing it must live, and end when it is told. */
  ends?: { code?: number | null; signal?: NodeJS.Signals | null }
}

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Longer than 30 s for an answer, and than the minute after which a silent connection is closed. */
export const LONG_MS = 75_000
/** Long enough for rings to be full, and for many rounds of the consumer. */
export const SHORT_MS = 300

/** Stops whole processes, or what else can be taken away and given back. */
export async function during(milliseconds: number, begin: () => void, end: () => void): Promise<void> {
  begin()
  await sleep(milliseconds)
  end()
}

export function pause(stage: Stage, who: 'relay' | 'program', milliseconds: number): Promise<void> {
  const { child } = stage[who]
  return during(
    milliseconds,
    () => child.kill('SIGSTOP'),
    () => child.kill('SIGCONT'),
  )
}
