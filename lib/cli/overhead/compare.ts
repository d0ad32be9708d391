// lib/cli/overhead/compare.ts: a program with its tracepoints on and off: a command that is run again and again, or processes that
// run and are switched. Says what was measured, and what came of it. Called by overhead.ts.
import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { exitCodes, NothingError, UsageError } from '../options/exit.js'
import { compile, ruleOf } from '../options/rule-request.js'
import { count, grouped } from '../print/amounts.js'
import { note, print, printJson, styleFor } from '../print/print.js'
import { errorFile } from '../process/error-file.js'
import { requireFit } from '../process/filter.js'
import { findProcesses, requireProcesses, type Target, using, whyNone } from '../process/find.js'
import { tracedEnvironment } from '../process/traced-environment.js'
import { untilEnd } from '../process/wait.js'
import { requireNative } from '../relay/recover.js'
import { type Blocks, measureBlocks } from './blocks.js'
import { alpha, type Change } from './change.js'
import { family } from './cpu.js'
import type { OverheadFlags } from './flags.js'
import { connections, Load, loadAutocannon } from './load.js'
import { changesOf, ofBlocks, ofRuns } from './measures.js'
import { type OwnRelay, startOwnRelay } from './own-relay.js'
import { quantile } from './quantiles.js'
import { changeJson, changeLines, changesSvg } from './report.js'
import { measureRuns } from './runs.js'
import { answers, type Server, startServer } from './server.js'

const usualRuns = 10
const usualBlocks = 20
const usualMs = 30_000
const leastBlockMs = 100
const warmMs = 1000

export async function compareRuns(command: string[], flags: OverheadFlags): Promise<void> {
  if (flags.filter !== undefined) compile(flags.filter)
  requireNative()
  const limits = { rounds: flags.rounds ?? usualRuns, ...(flags.time && { ms: flags.time }) }
  const errors = errorFile()
  const runs = await withRelay(flags, (relay) => {
    const traced = tracedEnvironment(relay, errors.path, flags)
    const how = { patterns: flags.enable, traced, untraced: { ...traced, BLKIN_ENABLE: '' } }
    return untilSignal((stop) => measureRuns(command, how, relay, limits, stop))
  }).catch((error: Error) => {
    const why = errors.take()
    throw error instanceof NothingError && why !== '' ? new NothingError(why) : error
  })
  const untraced = errors.take()
  if (untraced !== '') note(untraced)
  for (const [how, { off, on }] of runs.failures) {
    note(`ended with ${how}: ${count(on, 'run')} with them on, ${count(off, 'run')} with them off`)
    process.exitCode = exitCodes.failed
  }
  const what = `${patternsText(flags)}, ${count(runs.rounds.length, 'round')} of a run with them on and one with them off, ${where}`
  const came = emittedText(runs.events, 'a run with them on', runs.lost)
  await tell(flags, changesOf(ofRuns, runs.rounds), [what, came], {
    ...{ measured: 'runs', events: runs.events, lost: runs.lost },
    failures: [...runs.failures].map(([how, counts]) => ({ how, ...counts })),
  })
}

export async function compareBlocks(command: string[], flags: OverheadFlags): Promise<void> {
  const rules = flags.enable.map((pattern) => ruleOf(pattern, flags))
  const rounds = flags.rounds ?? usualBlocks
  const blockMs = Math.floor((flags.time ?? usualMs) / rounds / 2)
  if (blockMs < leastBlockMs)
    throw new UsageError(
      `${count(rounds, 'round')} take two blocks of ${leastBlockMs} ms each: expected a --time of ${(rounds * 2 * leastBlockMs) / 1000}s at least`,
    )
  requireNative()
  const { url } = flags
  const autocannon = url === undefined ? undefined : await loadAutocannon()
  const blocks = await untilSignal((stop) =>
    withRelay(flags, async (relay) => {
      const server = command.length > 0 ? await startServer(command, url!, stop) : undefined
      let load: Load | undefined
      try {
        if (autocannon !== undefined) load = await begin(() => new Load(autocannon, url!), url!, stop)
        const found = server === undefined ? await requireProcesses(flags.pid) : await processesOf(server)
        return await using(found, async (targets) => {
          await requireFit(rules, targets)
          const limits = { limits: { rounds }, blockMs }
          return measureBlocks(targets, rules, flags, { relay, load, server }, limits, stop)
        })
      } finally {
        await load?.stop()
        await server?.stop()
        if (load !== undefined && load.failed > 0)
          note(`${count(load.failed, 'request')} failed: no answer, or one that was no 2xx or 3xx`)
      }
    }),
  )
  if (blocks.isOver) {
    note('a process that was measured has ended, or answers no more')
    process.exitCode = exitCodes.failed
  }
  await tellBlocks(blocks, flags, blockMs)
}

async function tellBlocks({ rounds, eventsPerSecond, lost }: Blocks, flags: OverheadFlags, blockMs: number) {
  const hasLoad = flags.url !== undefined
  const load = hasLoad ? `, under autocannon's load of ${connections} connections` : ''
  const what = `${patternsText(flags)}, ${count(rounds.length, 'round')} of a block of ${blockMs} ms with them on and one with them off, ${where}${load}`
  const relayCpu = middle(rounds.map(({ on }) => on.relayCpu ?? 0))
  const came = `${emittedText(eventsPerSecond, 'a second while on', lost)}; the relay took ${(relayCpu * 100).toFixed(1)} % of a processor`
  const cpuOf = (state: 'off' | 'on') => middle(rounds.map((round) => round[state].cpu ?? 0))
  const isBusy = !hasLoad && Math.min(cpuOf('off'), cpuOf('on')) > 0.95
  await tell(flags, changesOf(ofBlocks(hasLoad), rounds), [what, came], {
    ...{ measured: 'blocks', blockMs, eventsPerSecond, lost, relayCpu },
  })
  if (isBusy)
    note('it uses a whole processor in both states: whether it does less while on, only --url can tell')
}

const middle = (values: number[]): number => (values.length === 0 ? 0 : quantile(values, 0.5))

/** What was compared, what changed, what came of it. */
async function tell(
  flags: OverheadFlags,
  changes: readonly Change[],
  [what, came]: readonly [string, string],
  json: object,
): Promise<void> {
  if (flags.svg !== undefined) await writeFile(flags.svg, changesSvg(what, changes))
  if (flags.json) {
    printJson({ ...json, patterns: flags.enable, confidence: 1 - alpha, changes: changes.map(changeJson) })
    return
  }
  print(`measured: ${what}`)
  print(`emitted: ${came}`)
  if (changes.length === 0) {
    note('no round was finished: nothing can be said')
    process.exitCode ??= exitCodes.failed
    return
  }
  print('')
  for (const line of changeLines(changes, styleFor(process.stdout))) print(line)
}

function emittedText(events: number, per: string, lost: number): string {
  if (events === 0) return 'nothing: no tracepoint that is covered was hit'
  const losses =
    lost === 0 ? 'none lost' : `${grouped(lost)} lost in all, which cost less than those that are kept`
  return `${count(Math.round(events), 'event')} ${per}, ${losses}`
}

const where = `live to a relay of its own; all on ${count(availableParallelism(), 'processor')}`

const patternsText = ({ enable }: OverheadFlags): string => enable.join(', ')

async function withRelay<T>(flags: OverheadFlags, work: (relay: OwnRelay) => Promise<T>): Promise<T> {
  const relay = await startOwnRelay(flags.enable)
  try {
    return await work(relay)
  } finally {
    await relay.close()
  }
}

/** A signal stops it, and what it has measured by then counts. */
async function untilSignal<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController()
  const done = work(stop.signal)
  const reason = await untilEnd(done.catch(() => {}))
  if (reason === 'signal') stop.abort()
  return done
}

/** The load, once the server answers; its code is warm then, and all of its processes are there. */
async function begin(load: () => Load, url: string, stop: AbortSignal): Promise<Load> {
  const why = await answers(url, stop)
  if (why !== undefined) throw new Error(why)
  const begun = load()
  await sleep(warmMs, undefined, { signal: stop }).catch(() => {}) // whoever is next sees that it was stopped
  return begun
}

/** Those of the server that are traced: itself, or what it started. */
async function processesOf({ pid }: Server): Promise<Target[]> {
  const all = await findProcesses()
  const own = family(pid)
  const [found, others] = [
    all.filter(({ state }) => own.has(state.pid)),
    all.filter(({ state }) => !own.has(state.pid)),
  ]
  for (const { control } of others) control.close()
  if (found.length === 0) throw new NothingError(await whyNone(String(pid)))
  return found
}
