// osd-history.ts: an object server of Ceph, followed: what it has done since it was asked last. osd-spans.ts asks.
//
// An OSD forgets what is older than some seconds, and the quickest where there are too many: both bounds are set so that all is
// asked for in time, and where it was not, that is told.

import { basename } from 'node:path'
import { isTrackedOp, type TrackedOp } from './osd-ops.js'
import { askDaemon } from './osd-socket.js'

/**
 * What an OSD shall remember. Of the last operations: how many, and for how many seconds from their beginning. Asked each
 * second, it tells of each operation about that many times, which is what it costs; an answer may be late by what is beyond
 * the one. Those that took longer than the threshold, in whole seconds, are remembered apart, since the others are
 * forgotten by then.
 */
const HISTORY = { size: 20_000, duration: 3, slow_op_size: 200, slow_op_threshold: 1 }

export class Followed {
  readonly name: string
  #known = new Set<string>()
  #ready = false
  /** When the last answer had been read. */
  #asked = 0
  /** Told last, and not told again while it stays so. */
  #trouble = ''

  constructor(
    readonly socket: string,
    readonly say: (text: string) => void,
  ) {
    // osd.0.asok, ceph-osd.0.asok
    this.name = /osd\.\w+/.exec(basename(socket))?.[0] ?? basename(socket, '.asok')
  }

  /** Operations that were not there the last time. An OSD that is away has none; it may come back. */
  async news(): Promise<TrackedOp[]> {
    try {
      if (!this.#ready) await this.#prepare()
      const [recent, slow] = [await this.#ask('dump_historic_ops'), await this.#ask('dump_historic_slow_ops')]
      const told = [...recent, ...slow]
      const ops = told.filter(isTrackedOp)
      const isLate = performance.now() - this.#asked > HISTORY.duration * 1000
      this.#asked = performance.now()
      if (ops.length < told.length)
        this.#tell(
          `operations that are not as those of Ceph 16: ${shown(told.find((op) => !isTrackedOp(op)))}`,
        )
      else if (recent.length >= HISTORY.size || this.#areAllNew(slow))
        this.#tell('there are more operations than it remembers')
      else this.#tell(isLate ? 'it was asked too late for some' : '')
      return this.#newOf(ops)
    } catch (error) {
      this.#ready = false
      this.#tell((error as Error).message)
      return []
    }
  }

  async #prepare(): Promise<void> {
    for (const [name, value] of Object.entries(HISTORY)) {
      const command = { prefix: 'config set', var: `osd_op_history_${name}`, val: [String(value)] }
      await askDaemon(this.socket, command)
    }
    this.#asked = performance.now()
    this.#ready = true
  }

  async #ask(prefix: string): Promise<unknown[]> {
    const answer = Object(await askDaemon(this.socket, { prefix, format: 'json' }))
    const ops: unknown = answer.ops ?? answer.Ops
    if (!Array.isArray(ops)) throw new Error(`${this.socket}: ${prefix}: no list of operations`)
    return ops
  }

  /** Slow ones are remembered until there are too many: where none of them is known, some may have gone untold. */
  #areAllNew(slow: unknown[]): boolean {
    return (
      slow.length >= HISTORY.slow_op_size &&
      this.#known.size > 0 &&
      !slow.some((op) => isTrackedOp(op) && this.#known.has(keyOf(op)))
    )
  }

  #newOf(ops: TrackedOp[]): TrackedOp[] {
    const keyed = new Map(ops.map((op) => [keyOf(op), op]))
    const fresh = [...keyed].filter(([key]) => !this.#known.has(key)).map(([, op]) => op)
    this.#known = new Set(keyed.keys())
    return fresh
  }

  #tell(trouble: string): void {
    if (trouble !== '' && trouble !== this.#trouble) this.say(`${this.name}: ${trouble}`)
    this.#trouble = trouble
  }
}

const shown = (what: unknown) => JSON.stringify(what).slice(0, 200)

const keyOf = (op: TrackedOp) => `${op.description} ${op.initiated_at}`
