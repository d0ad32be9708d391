// lib/cli/overhead/costs.ts: `blkin overhead` without a program: what a tracepoint and a span cost on this machine in each state. Each
// state has a process of its own; slices of a millisecond and a half take turns, round after round, each in an order of its own, and from
// each its process's loop alone is taken away. The machine's speed drifts by more than what is compared: medians over rounds.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { note, print, printJson, styleFor } from '../print/print.js'
import { renderTable } from '../print/table.js'
import { requireNative } from '../relay/recover.js'
import type { Account } from './cost-process.js'
import { type CostRow, costRows, loop } from './cost-states.js'
import { readThreads, usedSince } from './cpu.js'
import type { OverheadFlags } from './flags.js'
import { type OwnRelay, startOwnRelay } from './own-relay.js'
import { type Spread, shuffled, spread } from './quantiles.js'
import { box, line, picture, text } from './svg.js'

interface Cost extends Spread {
  says: string
  state: string
  slice: string
}

interface Costs {
  rows: Cost[]
  /** Processor time of an event that goes live to a relay, beyond its emitter's: ns. */
  live: { consumer: number; relay: number }
}

const usualRounds = 40
const sliceNs = 1.5e6
const warmSlices = 25
const warmTurns = 30_000

export async function tellCosts(flags: OverheadFlags): Promise<void> {
  requireNative()
  const relay = await startOwnRelay(['cost:*'])
  try {
    const costs = await measureCosts(relay, flags.rounds ?? usualRounds)
    const where = `${availableParallelism()} x ${cpus()[0]?.model ?? process.arch}, Node.js ${process.versions.node}`
    if (flags.svg !== undefined) await writeFile(flags.svg, costsSvg(where, costs))
    if (flags.json) return printJson({ measured: 'costs', node: process.versions.node, ...costs })
    print(`measured: ${where}; medians of ${flags.rounds ?? usualRounds} rounds`)
    print('')
    for (const line of costLines(costs)) print(line)
  } finally {
    await relay.close()
  }
}

/** A process that is measured; it answers a line to a line. */
class CostProcess {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(state: string, relay: OwnRelay) {
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^BLKIN_(?!PREBUILD)/.test(name)),
    )
    this.#child = spawn(
      process.execPath,
      [fileURLToPath(new URL('cost-process.js', import.meta.url)), state],
      {
        env: { ...env, ...(state === 'live' && { BLKIN_RELAY: relay.address, BLKIN_TOKEN: relay.token }) },
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    )
    this.#child.stdin!.on('error', () => {})
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]()
  }

  get pid(): number {
    return this.#child.pid!
  }

  async ask<T>(question: string): Promise<T> {
    this.#child.stdin!.write(`${question}\n`)
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('a process that was measured has ended')
    return JSON.parse(value) as T
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.stdin!.end()
    await ended
  }
}

interface Measured extends CostRow {
  count: number
  /** A number a round. */
  ns: number[]
}

async function measureCosts(relay: OwnRelay, rounds: number): Promise<Costs> {
  const states = [...new Set(costRows.map(({ state }) => state))]
  const processes = new Map(states.map((state) => [state, new CostProcess(state, relay)]))
  const slice = async ({ state, slice: name }: CostRow, count: number) =>
    (await processes.get(state)!.ask<number>(`${name} ${count}`)) / count
  const loops = new Map(states.map((state) => [state, { state, slice: loop, says: '' }]))
  try {
    const measured: Measured[] = []
    for (const row of [...loops.values(), ...costRows])
      measured.push({ ...row, ns: [], count: await warm(row, slice) })
    const alone = measured.filter((row) => row.slice === loop)
    const rows = measured.filter((row) => row.slice !== loop)
    const live = processes.get('live')!
    const [turns, emitter, own] = [await turnsOf(live), readThreads([live.pid]), readThreads([relay.pid])]
    for (let round = 0; round < rounds; round++)
      for (const row of shuffled(measured, Math.random)) row.ns.push(await slice(row, row.count))
    const events = (await turnsOf(live)) - turns
    const consumer = usedSince(emitter, readThreads([live.pid])).ownNs / events
    const relayNs = usedSince(own, readThreads([relay.pid])).ns / events
    for (const state of states) checkState(state, await processes.get(state)!.ask<Account>('account'))
    return {
      rows: rows.map(({ says, state, slice, ns }) => {
        const own = alone.find((one) => one.state === state)!.ns
        return { ...{ says, state, slice }, ...spread(ns.map((one, i) => one - own[i]!)) }
      }),
      live: { consumer, relay: relayNs },
    }
  } finally {
    await Promise.all([...processes.values()].map((one) => one.end()))
  }
}

const turnsOf = async (live: CostProcess): Promise<number> => (await live.ask<Account>('account')).turns

/** Until its code is compiled; returns the turns of a slice of usual length. */
async function warm(row: CostRow, slice: (row: CostRow, count: number) => Promise<number>): Promise<number> {
  const most = row.most ?? Infinity
  let best = 1000
  for (let i = 0; i < warmSlices; i++) {
    const took = await slice(row, Math.round(Math.max(20, Math.min(most, warmTurns, sliceNs / best))))
    best = Math.min(took, i === 0 ? Infinity : best)
  }
  return Math.floor(Math.max(20, Math.min(most, sliceNs / best)))
}

const recording = ['recorder', 'live', 'spans-on']
const leastBytes = 16

/** That each state is what it is called. @throws Error where it recorded what it should not, or did not what it should */
function checkState(state: string, { turns, written, acknowledged, lost }: Account): void {
  const perTurn = written / turns
  // A share of one in 1,000,000,000 keeps one now and then.
  const isWrong = recording.includes(state) ? perTurn < leastBytes : perTurn > leastBytes / 1000
  if (isWrong)
    throw new Error(`${state}: ${turns} turns wrote ${written} bytes; the times are of another state`)
  if (state === 'live' && acknowledged + lost !== turns)
    throw new Error(`live: of ${turns} events ${acknowledged} came to the relay and ${lost} were lost`)
  if (lost > 0) note(`${state}: ${lost} of ${turns} events were lost, and what is lost costs less`)
}

const barWidth = 30
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

function costLines({ rows, live }: Costs): string[] {
  const style = styleFor(process.stdout)
  const most = Math.max(...rows.map(({ median }) => median))
  const right = true
  const columns = [{ head: 'WHAT' }, { head: 'NS', right }, { head: 'P25 - P75', right }, { head: '' }]
  const cells = rows.map(({ says, median, p25, p75 }) => [
    ...[says, ns(median), `${ns(p25)} - ${ns(p75)}`],
    bar(median / most),
  ])
  const [head = '', ...lines] = renderTable(columns, cells)
  return [
    style.dim(head),
    ...lines,
    '',
    `Over the loop that each stands in. An event that goes live to a relay costs, beyond that, ${ns(live.consumer)} ns of the consumer's thread`,
    `and ${ns(live.relay)} ns of the relay, on whichever processor is free.`,
  ]
}

function bar(part: number): string {
  const eighth = Math.max(0, Math.round(part * barWidth * 8))
  return '█'.repeat(Math.floor(eighth / 8)) + eighths[eighth % 8]
}

const ns = (value: number): string => (Math.abs(value) < 10 ? value.toFixed(1) : value.toFixed(0))

const [left, plot, row, top] = [330, 380, 22, 40]

function costsSvg(where: string, { rows }: Costs): string {
  const most = Math.max(...rows.map(({ median }) => median))
  const bottom = top + rows.length * row
  const parts = [text(10, 20, `ns of one, over the loop alone: ${where}`), line(left, top - 6, left, bottom)]
  rows.forEach(({ says, median, state }, i) => {
    const y = top + i * row
    const length = (plot * Math.max(0, median)) / most
    parts.push(text(left - 8, y + 12, says, 'text-anchor="end"'))
    parts.push(box(left, y, length, row - 6, state === 'none' ? '#888' : '#1b7837'))
    parts.push(text(left + Math.round(length) + 5, y + 12, ns(median)))
  })
  return picture(left + plot + 60, bottom + 10, 'What tracepoints and spans cost', parts)
}
