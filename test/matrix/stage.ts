// test/matrix/stage.ts: one cell of the crash matrix from start to verdict: a relay, a traced program that sends to it, a fault between them,
// and what is left. Faults (faults*.ts) get the stage in their hands; cells.ts calls play().
import { spawnSync } from 'node:child_process'
import { chmodSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { recover } from '../support/recover.js'
import { freeAddress, until } from '../support/relays.js'
import {
  type Ended,
  folder,
  lastJson,
  program,
  type Running,
  type RunOptions,
  run,
  start,
} from '../support/run.js'
import { recorded } from '../support/trace.js'
import type { Cell } from './cells.js'
import { LONG_MS } from './fault.js'
import { judge, type Noted, readNotes, THREADS } from './oracle.js'

/** No process here lives as long; what hangs is ended, and so is a failure of its cell alone. */
const HANGS_MS = 150_000 + 2 * LONG_MS
/** Of the traced program, with V8's heaps of three threads: what an endless queue would pass at once. */
const MOST_BYTES = 400 * 2 ** 20

export interface Verdict {
  emitted: number
  recorded: number
  lost: number
}

export class Stage {
  readonly output = folder()
  readonly oracle = join(folder(), 'oracle')
  /** Where the relay listens, and where the program sends to: a link may be between. */
  address = ''
  target = ''
  relay!: Running
  program!: Running
  /** Threads that a fault has ended, with the program alive. */
  readonly ended = new Set<number>()

  private constructor(readonly cell: Cell) {
    writeFileSync(this.oracle, Buffer.alloc(THREADS * 8))
    chmodSync(this.oracle, 0o666)
  }

  static async open(cell: Cell): Promise<Stage> {
    const stage = new Stage(cell)
    stage.address = stage.target = await freeAddress()
    return stage
  }

  async startRelay(env: Record<string, string> = {}): Promise<void> {
    const args = [this.address, this.output, join(folder(), 'relay')]
    this.relay = start(program('relay.mjs'), {
      args,
      timeout: HANGS_MS,
      env: { UV_USE_IO_URING: '0', ...env },
    })
    await this.relay.says('listening')
  }

  /**
   * A relay that ends by itself, at a call that it was told of, is replaced by another once it has. Half a write alone makes a trace that
   * cannot be read until then.
   */
  async replaceRelay(isReadable: boolean): Promise<void> {
    expect((await this.relay.ended).signal, 'the relay died where it was told to').toBe('SIGKILL')
    if (isReadable) this.look()
    await this.startRelay()
  }

  async killRelay(): Promise<void> {
    this.relay.child.kill('SIGKILL')
    await this.relay.ended
    this.look()
  }

  async startProgram(options: RunOptions): Promise<void> {
    const { mode, ring, ack, fault } = this.cell
    const matrix = { oracle: this.oracle, relay: this.target, mode, ack, pace: fault.pace }
    const env = { MATRIX: JSON.stringify(matrix), ...(ring === 'leased' ? { BLKIN_RING: 'thread' } : {}) }
    this.program = start(join(import.meta.dirname, 'program.mjs'), {
      ...{ ...options, stdin: 'pipe', timeout: HANGS_MS, env: { ...env, ...options.env } },
    })
    this.program.child.stdin!.on('error', () => {}) // it may be dead by then
    await this.program.says('loaded')
  }

  tell(order: string): void {
    this.program.child.stdin!.write(`${order}\n`)
  }

  async obeyed(order: string): Promise<void> {
    this.tell(order)
    await this.program.says(`done: ${order}`)
  }

  notes(): Noted[] {
    return readNotes(this.oracle)
  }

  /** Until each living thread has emitted so many more. */
  async emits(more = 200): Promise<void> {
    const from = this.notes()
    const { child } = this.program
    await until(() => {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended: ${this.said()}`)
      return this.notes().every(({ ended }, i) => this.ended.has(i) || ended >= from[i]!.ended + more)
    })
  }

  /** Until the relay has a trace with events. */
  async stores(): Promise<void> {
    await until(async () => (await recorded(this.output)).events.length > 0)
  }

  said(): string {
    return JSON.stringify(this.program.output())
  }

  /** What babeltrace2 reads at this moment; it must read it. */
  look(): number {
    if (!readdirSync(this.output).some((name) => !name.startsWith('.'))) return 0
    const args = [this.output, '-c', 'sink.utils.counter']
    const { status, stdout, stderr } = spawnSync('babeltrace2', args, { encoding: 'utf8' })
    expect(status, `babeltrace2: ${stderr}`).toBe(0)
    const events = Number([...stdout.matchAll(/(\d+) Event messages/g)].at(-1)?.[1] ?? 0) // it counts on the way, too
    const begun = this.notes().reduce((sum, one) => sum + one.begun, 0)
    expect(events, 'no more than was emitted').toBeLessThanOrEqual(begun)
    return events
  }

  async play(): Promise<Verdict> {
    const { fault } = this.cell
    await fault.before?.(this)
    await this.startRelay(fault.relayEnv?.(this))
    await this.startProgram(fault.program?.(this) ?? {})
    await fault.begin?.(this)
    this.tell('go')
    if (fault.strikes !== 'at once') {
      await this.emits(100)
      await this.stores()
    }
    await fault.strike?.(this)
    const ended = await this.end()
    await this.killRelay()
    return await this.verdict(ended)
  }

  /** The program's own end, or what it left brought to the relay. */
  private async end(): Promise<Ended> {
    const { fault } = this.cell
    if (fault.ends === undefined) {
      await this.emits(100)
      this.tell('stop')
    }
    const ended = await this.program.ended
    const { code, signal } = ended
    expect({ code, signal }, ended.stderr).toEqual({ code: 0, signal: null, ...fault.ends })
    if (fault.ends !== undefined) await this.recover()
    return ended
  }

  async recover(): Promise<void> {
    await until(async () => {
      const done = await run(recover, { env: { BLKIN_RELAY: this.target }, timeout: HANGS_MS })
      return lastJson<{ delivered: boolean }[]>(done).every(({ delivered }) => delivered)
    })
  }

  private async verdict(ended: Ended): Promise<Verdict> {
    const { fault } = this.cell
    const { events, lost } = await recorded(this.output)
    const numbered = events.map(({ fields }) => ({ thread: Number(fields.thread), n: Number(fields.n) }))
    if (fault.goesBack) numbered.sort((a, b) => a.n - b.n)
    const noted = this.notes()
    const told =
      fault.ends === undefined ? lastJson<{ lost: Record<string, number>; bytes: number }>(ended) : undefined
    const sum = told && Object.values(told.lost).reduce((all, one) => all + one, 0)
    expect(judge({ noted, events: numbered, lost, told: sum }).join('; '), 'the account').toBe('')
    expect(this.look(), 'what babeltrace2 reads').toBe(events.length)
    if (told !== undefined) {
      expect(told.bytes, 'memory').toBeLessThan(MOST_BYTES)
      const unsure = noted.filter(({ begun, ended }, i) => begun !== ended && !this.ended.has(i))
      expect(unsure, 'emits that did not return').toHaveLength(0)
    }
    const emitted = noted.reduce((all, one) => all + one.ended, 0)
    return { emitted, recorded: events.length, lost }
  }
}
