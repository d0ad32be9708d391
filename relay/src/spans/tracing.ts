// relay/src/spans/tracing.ts: the relay's side of causal traces, put together: span events in, spans stored, an API.
// startRelay() owns one where it was asked for HTTP or Scribe; recordings feed it through tap.ts. Nothing waits here but puts,
// while more spans than the store has room for have not been written.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type AlertOptions, Alerts, type AlertsStats } from '../alerts/alerts.js'
import { Memory } from '../alerts/memory.js'
import { Cors } from '../http/cors.js'
import { type HttpServer, startHttp } from '../http/server.js'
import { guardedAddress } from '../intake/address.js'
import type { ConnectionCounts } from '../intake/listener.js'
import { Metrics } from '../metrics/metrics.js'
import type { Reject, Rejection, Rejections } from '../rejections.js'
import type { ScribeStats } from '../scribe/server.js'
import type { OutboxStats } from '../sinks/outbox.js'
import { type SinkOptions, Sinks } from '../sinks/sinks.js'
import { checkOther } from '../sinks/zipkin.js'
import { statusOf } from '../status.js'
import { makeOutput } from '../store/output.js'
import type { ProcessStats, ProcessTotals } from '../store/processes.js'
import { Assembler, type SpanItem } from './assembler.js'
import type { Counts } from './counts.js'
import type { Source } from './group.js'
import { Pieces } from './pieces.js'
import { checkSample, type TraceSample } from './sample/chance.js'
import { Sampler, type Why } from './sample/sampler.js'
import type { Span } from './span.js'
import type { Retention } from './store/retention.js'
import { SpanStore, STORE_FILE } from './store/store.js'
import type { V1Span } from './v1-span.js'

const TICK_MS = 50

export interface TracingOptions {
  /** Where the API listens: host:port. Nowhere, if absent. */
  listen?: string
  /** Whose pages may ask the API: origins such as https://ui.example, or `*`. None, if absent. */
  allowOrigins?: string[]
  /** Who gets every span that is stored. */
  sinks?: SinkOptions
  /** Tags whose values are offered for completion. */
  autocompleteKeys?: string[]
  /** Rules over all spans, those too that are not stored, and who is told. */
  alerts?: AlertOptions
  /** Which traces are stored, beside the failed, slow, rare and debug ones: a share, or as many a second. All if absent. */
  sample?: TraceSample
  /** Spans that are older go; milliseconds, 7 days where it is not said. */
  maxAge?: number
  /** The oldest go where the file is larger; 10 GiB where it is not said. */
  maxBytes?: number
}

/** At every moment received = stored + sampledOut + refused + waiting, and when the relay has closed nothing waits. */
export interface TracingStats extends Counts {
  /** Spans posted to the API. */
  posted: number
  /** Spans that came by Scribe, put together. */
  scribed: number
  /** Messages of spans whose other pieces may still come: not received yet. */
  pieces: number
  /** Spans assembled, posted and put together from what came by Scribe. */
  received: number
  stored: number
  sampledOut: number
  /** Turned away because there was no room, or not written because that failed. */
  refused: number
  /** To be decided on, or written. */
  waiting: number
  /** Of the stored ones, by where they go on to. */
  sinks: OutboxStats[]
  /** Traces by what was decided, where there is a sample. */
  traces?: Record<Why, number>
  /** Where there are rules. */
  alerts?: AlertsStats
}

/** What the relay lends. */
export interface TracingHouse {
  token: string | undefined
  version: string
  rejections: Rejections
  counts(): RelayCounts
}

/** What a relay counts beside spans. */
export interface RelayCounts {
  processes: ProcessStats[]
  totals: ProcessTotals
  connections: ConnectionCounts
  /** What was turned away or could not be kept since the relay began. */
  rejections: Rejection[]
  /** Where there is a Scribe server. */
  scribe?: ScribeStats
}

const leftOut = [
  ['malformed', 'not as the tracer declares them'],
  ['tooMany', 'more than one span may hold'],
] as const

const WEEK_MS = 7 * 86_400_000

export class Tracing {
  readonly assembler = new Assembler()
  readonly #sampler: Sampler | undefined
  readonly #alerts: Alerts | undefined
  #posted = 0
  readonly #pieces = new Pieces()
  #scribed = 0
  #turnedAway = 0
  /** Of the assembler's counts, as far as they were told. */
  readonly #told = { malformed: 0, tooMany: 0 }
  readonly #timer: NodeJS.Timeout

  private constructor(
    readonly store: SpanStore,
    readonly http: HttpServer | undefined,
    readonly sinks: Sinks,
    readonly metrics: Metrics,
    sampler: Sampler | undefined,
    alerts: Alerts | undefined,
    readonly reject: Reject,
  ) {
    this.#sampler = sampler
    this.#alerts = alerts
    this.#timer = setInterval(() => this.#tick(performance.now()), TICK_MS)
  }

  /** @throws TypeError, RangeError naming what was given, before anything is opened */
  static async open(
    output: string,
    {
      listen,
      allowOrigins = [],
      sinks,
      alerts,
      autocompleteKeys = [],
      sample,
      maxAge = WEEK_MS,
      maxBytes = 10 * 2 ** 30,
    }: TracingOptions,
    { token, version, rejections, counts }: TracingHouse,
  ): Promise<Tracing> {
    const where = listen === undefined ? undefined : guardedAddress(listen, 'http', token)
    const cors = new Cors(allowOrigins)
    if (sample) checkSample(sample)
    if (listen && sinks?.zipkin) checkOther(listen, sinks.zipkin)
    const since = Date.now()
    const { log } = rejections
    const outboxes = new Sinks(sinks ?? {}, log)
    const sampler = sample && new Sampler(sample)
    let made: Tracing
    const lent = {
      ...{ log, wall: Date.now, api: () => made.http && `http://${made.http.address}` },
      isThere: (traceId: string, now: number) => sampler?.keepsExample(traceId, now) ?? true,
    }
    const watching = alerts && new Alerts(alerts, lent, performance.now())
    const folder = join(output, '.spans')
    await makeOutput(output)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const retention: Retention = { age: maxAge, bytes: maxBytes }
    const store = await SpanStore.open(folder, { autocompleteKeys, retention, rejections })
    const accept = (spans: Span[]) => made.#accept(spans)
    const status = () => statusOf({ version, since, output, tracing: made.stats(), ...counts() })
    const metrics = (form: string) => {
      const answers = made.http?.answers.all() ?? []
      return made.metrics.expose({ version, counts: counts(), tracing: made.stats(), answers }, form)
    }
    const { reject } = rejections
    try {
      const api = { store, version, accept, status, metrics }
      const http = where && (await startHttp(api, { where, token, cors, reject }))
      const counted = new Metrics(join(folder, STORE_FILE), TICK_MS)
      made = new Tracing(store, http, outboxes, counted, sampler, watching, reject)
    } catch (error) {
      await Promise.all([watching?.close(), outboxes.close(), store.close()])
      throw error
    }
    watching?.resume(new Memory(join(folder, 'alerts.json'), log), performance.now())
    return made
  }

  /** For what one put brings, item by item, when its times are so many microseconds short of the time of day. */
  taker(source: Source, shift: number): (item: SpanItem) => void {
    const now = performance.now()
    return (item) => this.assembler.take(source, item, now, shift)
  }

  /** Until there is room for more. */
  async room(): Promise<void> {
    if (!this.store.writer.hasRoom(1)) await this.store.writer.flush()
  }

  stats(): TracingStats {
    const { written, failed, waiting } = this.store.writer
    const sampler = this.#sampler
    return {
      ...this.assembler.counts,
      posted: this.#posted,
      scribed: this.#scribed,
      pieces: this.#pieces.held,
      received: this.assembler.counts.spans + this.#posted + this.#scribed,
      stored: written,
      sampledOut: sampler?.sampledOut ?? 0,
      refused: this.#turnedAway + failed,
      waiting: this.assembler.waiting + (sampler?.waiting ?? 0) + waiting,
      sinks: this.sinks.stats(),
      ...(sampler ? { traces: { ...sampler.traces } } : {}),
      ...(this.#alerts ? { alerts: this.#alerts.stats(performance.now()) } : {}),
    }
  }

  /** Takes spans that came by Scribe. False where there is no room now: then none came, for their sender still has them. */
  takeScribed(spans: V1Span[]): boolean {
    if (!this.store.writer.hasRoom(spans.length)) return false
    const now = performance.now()
    this.#joined(this.#pieces.add(spans, now), now)
    return true
  }

  /** Spans that are still open are stored as they are. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.http?.close()
    const now = performance.now()
    this.#decide(this.assembler.finish(), now)
    this.#joined(this.#pieces.finish(), now)
    this.#keepSampled((sampler) => sampler.finish(now))
    await Promise.all([this.store.close(), this.sinks.close(), this.#alerts?.close()])
  }

  #tick(now: number): void {
    this.metrics.lag.tick(now)
    this.#decide(this.assembler.due(now), now)
    this.#joined(this.#pieces.due(now), now)
    this.#alerts?.due(now) // before the sampler decides on what are examples
    this.#keepSampled((sampler) => sampler.due(now))
    for (const [what, why] of leftOut) this.#tell(what, why)
  }

  /** What the assembler left out since it was asked last. */
  #tell(what: 'malformed' | 'tooMany', why: string): void {
    const count = this.assembler.counts[what] - this.#told[what]
    this.#told[what] += count
    if (count > 0) this.reject('span event', what, why, { count })
  }

  #joined(spans: Span[], now: number): void {
    this.#scribed += spans.length
    this.#decide(spans, now)
  }

  #decide(spans: Span[], now: number): void {
    this.metrics.latencies.add(spans, this.#sampler === undefined)
    if (this.#sampler) this.#sampler.add(spans, now)
    else this.#keep(spans)
    this.#alerts?.add(spans, now)
  }

  #keepSampled(take: (sampler: Sampler) => Span[]): void {
    if (this.#sampler === undefined) return
    const spans = take(this.#sampler)
    this.metrics.latencies.exemplify(spans)
    this.#keep(spans)
  }

  #keep(spans: Span[]): void {
    this.store.add(spans)
    this.sinks.add(spans)
  }

  #accept(spans: Span[]): boolean {
    this.#posted += spans.length
    if (!this.store.writer.hasRoom(spans.length)) {
      this.#turnedAway += spans.length
      this.reject('span', 'no room', 'too many posted spans wait to be stored', { count: spans.length })
      return false
    }
    this.#decide(spans, performance.now())
    return true
  }
}
