// relay/src/pipeline/tracing.ts: the relay's side of causal traces, put together: puts of span events in, spans stored, an API.
// The worker owns one and tells it of puts, which are in their files: they are read in turn, and while the store has no room
// for more spans no further one is.

import { mkdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Reject, Rejection, RejectionLog } from '../common/rejections.js'
import { Cors } from '../ports/http/cors.js'
import { Hosts } from '../ports/http/hosts.js'
import { type HttpServer, startHttp } from '../ports/http/server.js'
import type { ConnectionCounts } from '../ports/listener.js'
import type { ScribeStats } from '../ports/scribe/server.js'
import { guardedAddress } from '../protocol/address.js'
import type { Tokens } from '../protocol/check/rights.js'
import { makeOutput } from '../recording/files/output.js'
import type { TraceCounts } from '../recording/files/trace-store.js'
import type { ProcessStats, ProcessTotals } from '../recording/processes.js'
import { Metrics } from '../report/metrics.js'
import { statusOf } from '../report/status.js'
import { Assembler } from '../spans/assembly/assembler.js'
import type { Counts } from '../spans/assembly/counts.js'
import { Pieces } from '../spans/assembly/pieces.js'
import type { V1Span } from '../spans/formats/v1-span.js'
import type { Span } from '../spans/span.js'
import type { Note, OwnCounts } from '../thread/messages.js'
import type { Behind } from '../thread/tracing-thread.js'
import { type AlertOptions, Alerts, type AlertsStats } from './alerts/alerts.js'
import { Memory } from './alerts/memory.js'
import { Backlog } from './backlog.js'
import type { OutboxStats } from './delivery/outbox.js'
import type { Progress } from './progress.js'
import { checkSample, type TraceSample } from './sample/chance.js'
import { Sampler, type Why } from './sample/sampler.js'
import { type SinkOptions, Sinks } from './sinks/sinks.js'
import { checkOther } from './sinks/zipkin.js'
import type { Retention } from './store/retention.js'
import { SpanStore, STORE_FILE } from './store/store.js'

const TICK_MS = 50
/** For so long at most puts are read before anything else has a turn. */
const SLICE_MS = 20
/** Who asks waits for so long at most until what was put before is read. */
const CATCH_UP_MS = 2000

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
  /** Bytes that the store may hold in memory, of what is written and of the file; 1 GiB where it is not said. */
  memory?: number
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

/** What the worker lends. */
export interface TracingHouse {
  tokens: Tokens
  version: string
  rejections: RejectionLog
  progress?: Progress
  /** What the relay's own thread counts, once it has told of all that it has stored. */
  ask(): Promise<OwnCounts>
  /** What is counted here has changed. */
  changed?(tracing: Tracing): void
  /** Somebody waits. */
  hurry?(isHurried: boolean): void
}

/** What a relay counts beside spans. */
export interface RelayCounts {
  processes: ProcessStats[]
  totals: ProcessTotals
  connections: ConnectionCounts
  /** Where spans are assembled: how far behind what was put. */
  behind?: Behind
  /** What was turned away or could not be kept since the relay began. */
  rejections: Rejection[]
  /** Where there is a Scribe server. */
  scribe?: ScribeStats
  /** Where there is an output folder: the traces in it. */
  traces?: TraceCounts
}

const leftOut = [
  ['malformed', 'not as the tracer declares them'],
  ['tooMany', 'more than one span may hold'],
] as const

const WEEK_MS = 7 * 86_400_000

export class Tracing {
  readonly assembler = new Assembler()
  readonly backlog: Backlog
  /** While puts are read. */
  #reading: Promise<void> | undefined
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
    readonly house: TracingHouse,
  ) {
    this.backlog = new Backlog(this.assembler, reject, house.progress)
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
      memory,
    }: TracingOptions,
    house: TracingHouse,
  ): Promise<Tracing> {
    const { tokens, version, rejections, ask } = house
    const where = listen === undefined ? undefined : guardedAddress(listen, 'http', tokens.token)
    const cors = new Cors(allowOrigins)
    const hosts = new Hosts([hostname()], allowOrigins)
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
    const changed = () => house.changed?.(made)
    const store = await SpanStore.open(folder, {
      ...{ autocompleteKeys, retention, rejections, changed },
      ...(memory === undefined ? {} : { memory }),
    })
    const accept = (spans: Span[]) => made.#accept(spans)
    const status = async () => {
      const { counts } = await ask()
      return statusOf({ version, since, output, tracing: made.stats(), ...counts })
    }
    const metrics = async (form: string) => {
      const { counts, use } = await ask()
      const answers = made.http?.answers.all() ?? []
      return made.metrics.expose({ version, counts, tracing: made.stats(), answers, use }, form)
    }
    const { reject } = rejections
    try {
      const api = { store, version, accept, status, metrics, catchUp: () => made.catchUp() }
      const http = where && (await startHttp(api, { where, tokens, cors, hosts, reject }))
      const counted = new Metrics(join(folder, STORE_FILE))
      made = new Tracing(store, http, outboxes, counted, sampler, watching, reject, house)
    } catch (error) {
      await Promise.all([watching?.close(), outboxes.close(), store.close()])
      throw error
    }
    watching?.resume(new Memory(join(folder, 'alerts.json'), log), performance.now())
    return made
  }

  /** Of what was put, in its order. */
  note(notes: readonly Note[]): void {
    this.backlog.add(notes)
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
  }

  /** All that was put until now is read, but for what would take too long. */
  async catchUp(): Promise<void> {
    await this.house.ask()
    const { told } = this.backlog
    const latest = performance.now() + CATCH_UP_MS
    if (this.backlog.done < told) {
      this.house.hurry?.(true)
      while (this.backlog.done < told && performance.now() < latest) await new Promise(setImmediate)
      this.house.hurry?.(false)
    }
    this.#assemble()
  }

  readonly stats = (): TracingStats => {
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

  /** What was put is read, and spans that are still open are stored as they are. */
  async close(): Promise<void> {
    await this.#reading
    clearInterval(this.#timer)
    await this.http?.close()
    const now = performance.now()
    this.#decide(this.assembler.finish(), now)
    this.#joined(this.#pieces.finish(), now)
    this.#keepSampled((sampler) => sampler.finish(now))
    await Promise.all([this.store.close(), this.sinks.close(), this.#alerts?.close()])
  }

  async #read(): Promise<void> {
    const { backlog } = this
    const { writer } = this.store
    while (!backlog.isEmpty) {
      const until = performance.now() + SLICE_MS
      while (!backlog.isEmpty && performance.now() < until && writer.hasRoom(1)) backlog.read()
      this.#assemble()
      this.house.changed?.(this)
      if (writer.hasRoom(1)) await new Promise(setImmediate)
      else await writer.flush()
    }
  }

  #assemble(): void {
    this.#decide(this.assembler.due(this.backlog.now), performance.now())
  }

  #tick(now: number): void {
    this.#assemble()
    this.#joined(this.#pieces.due(now), now)
    this.#alerts?.due(now) // before the sampler decides on what are examples
    this.#keepSampled((sampler) => sampler.due(now))
    for (const [what, why] of leftOut) this.#tell(what, why)
    this.house.changed?.(this)
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
      this.house.changed?.(this)
      return false
    }
    this.#decide(spans, performance.now())
    this.house.changed?.(this)
    return true
  }
}
