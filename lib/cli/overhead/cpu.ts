// lib/cli/overhead/cpu.ts: what processes used of the processor, thread by thread, as the kernel counts it: /proc/PID/task.
// Read from outside, so that whoever is measured does nothing for it.
import { readdirSync, readFileSync } from 'node:fs'

export interface Used {
  /** Nanoseconds of all threads. */
  ns: number
  /** ... of those that blkin started: its consumer and its agent. */
  ownNs: number
  /** How often a thread was taken from its processor, or left it. */
  switches: number
}

interface Thread extends Used {
  key: string
}

/** Of all threads of the processes that live now. */
export function readThreads(pids: readonly number[]): ReadonlyMap<string, Used> {
  const threads = pids.flatMap((pid) =>
    namesIn(`/proc/${pid}/task`).flatMap((tid) => readThread(`/proc/${pid}/task/${tid}`) ?? []),
  )
  return new Map(threads.map(({ key, ...used }) => [key, used]))
}

/** What was used since `before`. A thread that has ended meanwhile is not counted, one that began is. */
export function usedSince(before: ReadonlyMap<string, Used>, now: ReadonlyMap<string, Used>): Used {
  const sum: Used = { ns: 0, ownNs: 0, switches: 0 }
  for (const [key, used] of now) {
    const then = before.get(key)
    for (const what of ['ns', 'ownNs', 'switches'] as const) sum[what] += used[what] - (then?.[what] ?? 0)
  }
  return sum
}

function readThread(folder: string): Thread | undefined {
  try {
    const name = readFileSync(`${folder}/comm`, 'latin1').trim()
    const ns = nanoseconds(folder)
    const isOwn = name === 'blkin-consumer' || name === 'blkin-agent'
    return { key: folder, ns, ownNs: isOwn ? ns : 0, switches: switches(folder) }
  } catch {
    return undefined // it has ended
  }
}

const tickNs = 10_000_000 // USER_HZ is 100 on Linux, whatever the kernel's own

/** A kernel without schedstat counts ticks. */
function nanoseconds(folder: string): number {
  try {
    return Number(readFileSync(`${folder}/schedstat`, 'latin1').split(' ')[0])
  } catch {
    const words = readFileSync(`${folder}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')
    return (Number(words[11]) + Number(words[12])) * tickNs
  }
}

function switches(folder: string): number {
  const status = readFileSync(`${folder}/status`, 'latin1')
  return [...status.matchAll(/^(?:non)?voluntary_ctxt_switches:\s+(\d+)/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  )
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Seconds of this process's children that have ended, and of theirs, to 10 ms. */
export function endedChildrenSeconds(): number {
  const words = readFileSync('/proc/self/stat', 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ')
  return ((Number(words[13]) + Number(words[14])) * tickNs) / 1e9
}

/** The process and its descendants, as far as those between live. */
export function family(pid: number): Set<number> {
  const parents = new Map(
    namesIn('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name): [number, number][] => {
        try {
          const words = readFileSync(`/proc/${name}/stat`, 'latin1')
            .replace(/^.*\) /s, '')
            .split(' ')
          return [[Number(name), Number(words[1])]]
        } catch {
          return []
        }
      }),
  )
  const isOf = (one: number | undefined): boolean =>
    one !== undefined && one !== 0 && (one === pid || isOf(parents.get(one)))
  return new Set([...parents.keys()].filter(isOf))
}
