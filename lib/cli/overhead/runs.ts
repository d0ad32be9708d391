// lib/cli/overhead/runs.ts: a program that is run again and again, with the tracepoints on and off: its time and what it used of
// the processor. On and off differ by BLKIN_ENABLE alone.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { compileGlob } from '../names/glob.js'
import { nothingText } from '../names/tracepoints.js'
import { NothingError } from '../options/exit.js'
import { endedChildrenSeconds } from './cpu.js'
import type { OwnRelay } from './own-relay.js'
import { inRounds, type Limits, type Readings, type Round } from './rounds.js'

export interface Runs {
  rounds: Round[]
  /** Recorded and lost, of a run with them on. */
  events: number
  /** In all of them. */
  lost: number
  /** How runs ended that did not end with 0, and how many of which state. */
  failures: ReadonlyMap<string, { off: number; on: number }>
}

/** @param traced the environment that makes Node.js processes trace what the patterns cover */
export async function measureRuns(
  [program = '', ...args]: readonly string[],
  {
    patterns,
    traced,
    untraced,
  }: { patterns: string[]; traced: NodeJS.ProcessEnv; untraced: NodeJS.ProcessEnv },
  relay: OwnRelay,
  limits: Limits,
  stop: AbortSignal,
): Promise<Runs> {
  const failures = new Map<string, { off: number; on: number }>()
  const run = async (state: 'off' | 'on', isShown = false): Promise<Readings | undefined> => {
    const cpu = endedChildrenSeconds()
    const start = performance.now()
    const child = spawn(program, args, {
      env: state === 'on' ? traced : untraced,
      stdio: ['ignore', ...(isShown ? ([2, 2] as const) : (['ignore', 'ignore'] as const))],
    })
    const how = await ended(child, program, stop)
    const seconds = (performance.now() - start) / 1000
    const cpuSeconds = endedChildrenSeconds() - cpu
    await relay.counts() // its trace goes
    if (stop.aborted) return undefined
    if (how !== '') {
      const counts = failures.get(how) ?? { off: 0, on: 0 }
      counts[state]++
      failures.set(how, counts)
    }
    return { seconds, cpuSeconds }
  }
  await run('on', true) // not counted: files come into the caches
  const { tracepoints } = await relay.counts()
  if (!stop.aborted) requireCovered(patterns, tracepoints)
  await run('off')
  const rounds = stop.aborted ? [] : await inRounds(limits, run)
  const { events, lost } = await relay.counts()
  return { rounds, events: (events + lost) / (rounds.length + 1), lost, failures }
}

function requireCovered(patterns: readonly string[], names: string[]): void {
  const covered = patterns.some((pattern) => names.some(compileGlob(pattern)))
  if (!covered) throw new NothingError(nothingText(patterns.join(', '), names))
}

/** Empty where it ended with 0. */
async function ended(child: ChildProcess, program: string, stop: AbortSignal): Promise<string> {
  const kill = () => void child.kill('SIGTERM')
  stop.addEventListener('abort', kill)
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return code === 0 ? '' : signal === null ? `exit code ${code}` : signal
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new Error(`${program}: ${code === 'ENOENT' ? 'no such command' : message}`)
  } finally {
    stop.removeEventListener('abort', kill)
  }
}
