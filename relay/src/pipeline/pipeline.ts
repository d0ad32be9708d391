// relay/src/pipeline/pipeline.ts: the way of spans through a relay: they are recorded, posted or logged by Scribe, alerts look at them, the
// sampler decides on them, and those that are kept go to every sink: the store, and servers that they go on to.
// thread/tracing.ts makes one of its parts. It never waits for a sink; where the store has no room, it says so to who brings spans.

import type { Reject } from '../common/rejections.js'
import { Pieces } from '../spans/assembly/pieces.js'
import type { V1Span } from '../spans/formats/v1-span.js'
import type { Span } from '../spans/span.js'
import type { Alerts } from './alerts/alerts.js'
import type { Memory } from './alerts/memory.js'
import { Latencies } from './latencies.js'
import type { Progress } from './progress.js'
import { RecordedSpans } from './recorded.js'
import type { Sampler } from './sample/sampler.js'
import type { SpanSink } from './sinks/sink.js'
import type { Sinks } from './sinks/sinks.js'
import type { TracingStats } from './stats.js'
import type { SpanStore } from './store/store.js'

const TICK_MS = 50

export interface PipelineParts {
  store: SpanStore
  sinks: Sinks
  sampler: Sampler | undefined
  alerts: Alerts | undefined
  reject: Reject
  progress: Progress | undefined
}

const leftOut = [
  ['malformed', 'not as the tracer declares them'],
  ['tooMany', 'more than one span may hold'],
] as const

export class Pipeline {
  readonly recorded: RecordedSpans
  readonly store: SpanStore
  readonly latencies = new Latencies()
  /** Called when what is counted here has changed. */
  changed = () => {}
  readonly #sampler: Sampler | undefined
  readonly #alerts: Alerts | undefined
  readonly #servers: Sinks
  /** All that get what is kept. */
  readonly #sinks: readonly SpanSink[]
  readonly #reject: Reject
  readonly #pieces = new Pieces()
  #posted = 0
  #scribed = 0
  #turnedAway = 0
  /** Of the assembler's counts, as far as they were told. */
  readonly #told = { malformed: 0, tooMany: 0 }
  #timer: NodeJS.Timeout | undefined

  constructor({ store, sinks, sampler, alerts, reject, progress }: PipelineParts) {
    this.store = store
    this.#servers = sinks
    this.#sinks = [store, sinks]
    this.#sampler = sampler
    this.#alerts = alerts
    this.#reject = reject
    this.recorded = new RecordedSpans(this, store.writer, reject, progress)
    store.writer.changed = () => this.changed()
  }

  /** `api` is where the relay can be asked, `memory` what an earlier relay left of its alerts. */
  begin(api: string | undefined, memory: Memory): void {
    this.#alerts?.resume(memory, performance.now(), api)
    this.#timer = setInterval(() => this.#tick(performance.now()), TICK_MS)
  }

  readonly stats = (): TracingStats => {
    const { written, failed, waiting } = this.store.writer
    const { assembler } = this.recorded
    const sampler = this.#sampler
    return {
      ...assembler.counts,
      posted: this.#posted,
      scribed: this.#scribed,
      pieces: this.#pieces.held,
      received: assembler.counts.spans + this.#posted + this.#scribed,
      stored: written,
      sampledOut: sampler?.sampledOut ?? 0,
      refused: this.#turnedAway + failed,
      waiting: assembler.waiting + (sampler?.waiting ?? 0) + waiting,
      sinks: this.#servers.stats(),
      ...(sampler ? { traces: { ...sampler.traces } } : {}),
      ...(this.#alerts ? { alerts: this.#alerts.stats(performance.now()) } : {}),
    }
  }

  /** Takes spans that were posted. False where there is no room now: then none came, and they are counted as refused. */
  takePosted(spans: Span[]): boolean {
    this.#posted += spans.length
    const hasRoom = this.store.writer.hasRoom(spans.length)
    if (hasRoom) this.take(spans)
    else {
      this.#turnedAway += spans.length
      this.#reject('span', 'no room', 'too many posted spans wait to be stored', { count: spans.length })
    }
    this.changed()
    return hasRoom
  }

  /** Takes spans that came by Scribe. False where there is no room now: then none came, for their sender still has them. */
  takeScribed(spans: V1Span[]): boolean {
    if (!this.store.writer.hasRoom(spans.length)) return false
    const now = performance.now()
    this.#takeJoined(this.#pieces.add(spans, now), now)
    return true
  }

  /** Takes spans that are whole, from wherever they came. */
  take(spans: Span[], now = performance.now()): void {
    this.latencies.add(spans, this.#sampler === undefined)
    if (this.#sampler) this.#sampler.add(spans, now)
    else this.#keep(spans)
    this.#alerts?.add(spans, now)
  }

  /** What was put is read, and spans that are still open are stored as they are. */
  async close(): Promise<void> {
    await this.recorded.isRead
    clearInterval(this.#timer)
    const now = performance.now()
    this.take(this.recorded.assembler.finish(), now)
    this.#takeJoined(this.#pieces.finish(), now)
    this.#keepSampled((sampler) => sampler.finish(now))
    await Promise.all([...this.#sinks.map((sink) => sink.close()), this.#alerts?.close()])
  }

  #tick(now: number): void {
    this.recorded.assemble()
    this.#takeJoined(this.#pieces.due(now), now)
    this.#alerts?.due(now) // before the sampler decides on what are examples
    this.#keepSampled((sampler) => sampler.due(now))
    for (const [what, why] of leftOut) this.#tell(what, why)
    this.changed()
  }

  /** What the assembler left out since it was asked last. */
  #tell(what: 'malformed' | 'tooMany', why: string): void {
    const count = this.recorded.assembler.counts[what] - this.#told[what]
    this.#told[what] += count
    if (count > 0) this.#reject('span event', what, why, { count })
  }

  #takeJoined(spans: Span[], now: number): void {
    this.#scribed += spans.length
    this.take(spans, now)
  }

  #keepSampled(decided: (sampler: Sampler) => Span[]): void {
    if (this.#sampler === undefined) return
    const spans = decided(this.#sampler)
    this.latencies.exemplify(spans)
    this.#keep(spans)
  }

  #keep(spans: Span[]): void {
    for (const sink of this.#sinks) sink.add(spans)
  }
}
