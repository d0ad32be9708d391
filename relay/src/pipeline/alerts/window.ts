// relay/src/pipeline/alerts/window.ts: what the spans of the last while were: how many, how many of them bad, how long they took,
// and which were worst. A watch has one for each of its alerts. Time goes in SLICES: a window of 30 s holds what came in
// the last 27 to 30 s. It holds a bounded amount whatever comes, and no clock: who calls says what time it is.

import type { Steps } from './steps.js'

const SLICES = 10
const EXAMPLES = 5

interface Example {
  traceId: string
  /** The worst has the most. */
  weight: number
}

interface Slice {
  count: number
  bad: number
  /** By step; there once a span came. */
  took: Uint32Array | undefined
  examples: Example[]
}

export class Window {
  count = 0
  bad = 0
  readonly #sliceMs: number
  readonly #took: Uint32Array | undefined
  readonly #slices: Slice[]
  /** Slices since the epoch of the clock; the current one. */
  #turn = Number.NEGATIVE_INFINITY

  constructor(
    windowMs: number,
    readonly steps: Steps | undefined,
  ) {
    this.#sliceMs = windowMs / SLICES
    this.#took = steps && new Uint32Array(steps.count)
    this.#slices = Array.from({ length: SLICES }, () => ({ count: 0, bad: 0, took: undefined, examples: [] }))
  }

  /** What is older than the window goes. */
  pass(now: number): void {
    const turn = Math.floor(now / this.#sliceMs)
    for (let at = Math.max(this.#turn + 1, turn - SLICES + 1); at <= turn; at++) this.#drop(this.#slice(at))
    if (turn > this.#turn) this.#turn = turn
  }

  /** Only where there are no steps. */
  add(isBad: boolean, now: number): void {
    this.pass(now)
    this.#add(this.#slice(this.#turn), isBad)
  }

  /** Only where there are. Whether it was above their threshold. */
  addDuration(duration: number, now: number): boolean {
    this.pass(now)
    const slice = this.#slice(this.#turn)
    const step = this.steps!.of(duration)
    slice.took ??= new Uint32Array(this.steps!.count)
    slice.took[step]!++
    this.#took![step]!++
    const isBad = step >= this.steps!.above
    this.#add(slice, isBad)
    return isBad
  }

  /** One that was bad and was just added; kept while it is among the worst. `isThere` says whether its trace can be looked at. */
  addExample(traceId: string, weight: number, isThere: () => boolean): void {
    const { examples } = this.#slice(this.#turn)
    const at = examples.findIndex((one) => one.weight < weight)
    if (at < 0 && examples.length >= EXAMPLES) return
    if (examples.some((one) => one.traceId === traceId) || !isThere()) return
    examples.splice(at < 0 ? examples.length : at, 0, { traceId, weight })
    examples.length = Math.min(examples.length, EXAMPLES)
  }

  /** The worst first. */
  examples(): string[] {
    const all = this.#slices.flatMap(({ examples }) => examples).sort((a, b) => b.weight - a.weight)
    return [...new Set(all.map(({ traceId }) => traceId))].slice(0, EXAMPLES)
  }

  /** Whether the one at that place, when all stand in order, is above the threshold. Exact. */
  isAbove(rank: number): boolean {
    return this.count - this.bad < rank
  }

  /** How long the one at that place took, within ERROR; 0 where there is none. */
  duration(rank: number): number {
    let seen = 0
    for (let step = 0; step < this.steps!.count; step++) {
      seen += this.#took![step]!
      if (seen >= rank && seen > 0) return this.steps!.duration(step)
    }
    return 0
  }

  #slice(turn: number): Slice {
    return this.#slices[((turn % SLICES) + SLICES) % SLICES]!
  }

  #add(slice: Slice, isBad: boolean): void {
    slice.count++
    this.count++
    if (!isBad) return
    slice.bad++
    this.bad++
  }

  #drop(slice: Slice): void {
    if (slice.count === 0) return
    this.count -= slice.count
    this.bad -= slice.bad
    if (slice.took) {
      for (let step = 0; step < slice.took.length; step++) this.#took![step]! -= slice.took[step]!
      slice.took.fill(0)
    }
    slice.count = slice.bad = 0
    slice.examples = []
  }
}
