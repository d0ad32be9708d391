// lib/cli/overhead/rounds.ts: rounds of two, one with the tracepoints on and one with them off, in an order that is drawn anew for
// each round; until they are done, the time is over, or somebody stops it.

/** Numbers by what they are of. */
export type Readings = Record<string, number>

export interface Round {
  off: Readings
  on: Readings
}

export const mostRounds = 1000

export interface Limits {
  rounds: number
  /** No round begins later than this. */
  ms?: number
}

/** @param run undefined: it was stopped, and the round does not count */
export async function inRounds(
  { rounds, ms = Infinity }: Limits,
  run: (state: 'off' | 'on') => Promise<Readings | undefined>,
): Promise<Round[]> {
  const done: Round[] = []
  const start = performance.now()
  while (done.length < rounds && performance.now() - start < ms) {
    const isOnFirst = Math.random() < 0.5
    const first = await run(isOnFirst ? 'on' : 'off')
    const second = first && (await run(isOnFirst ? 'off' : 'on'))
    if (first === undefined || second === undefined) break
    done.push(isOnFirst ? { on: first, off: second } : { off: first, on: second })
  }
  return done
}
