// relay/src/pipeline/sinks/whole-traces.ts: spans on their way to the outbox of a server whose model needs a trace whole to know which span is
// below which. They wait here until it is, as far as anybody can know, and a bounded number of them.

import { Gathered, Gathering, type GatheringLimits, USUAL_LIMITS } from '../../spans/assembly/gathering.js'
import { lowTraceId, type Span } from '../../spans/span.js'
import type { Outbox, OutboxStats } from '../delivery/outbox.js'
import { Halves } from './halves.js'

/** A trace whose root is told to another relay should not come half a minute later than the others. */
const LIMITS: GatheringLimits = { ...USUAL_LIMITS, rootMs: 5_000 }
const TICK_MS = 100

export class WholeTraces {
  readonly #waiting = new Gathering(LIMITS, Gathered)
  readonly #halves = new Halves()
  readonly #timer: NodeJS.Timeout

  constructor(readonly outbox: Outbox) {
    this.#timer = setInterval(() => this.#tick(performance.now()), TICK_MS)
  }

  add(spans: readonly Span[]): void {
    const now = performance.now()
    for (const span of spans) {
      const low = lowTraceId(span.traceId)
      this.#waiting.add(this.#waiting.find(low) ?? this.#waiting.open(low, now), span, now)
      for (let old = this.#waiting.surplus(); old; old = this.#waiting.surplus()) this.#send(old)
    }
  }

  stats(): OutboxStats {
    const stats = this.outbox.stats()
    const { held } = this.#waiting
    return { ...stats, offered: stats.offered + held, waiting: stats.waiting + held }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    for (let trace = this.#waiting.next(); trace; trace = this.#waiting.next()) this.#send(trace)
    await this.outbox.close()
  }

  #tick(now: number): void {
    for (let trace = this.#waiting.settled(now); trace; trace = this.#waiting.settled(now)) this.#send(trace)
  }

  #send({ spans }: Gathered): void {
    this.outbox.add(this.#halves.split(spans))
  }
}
