// relay/src/spans/tracing.ts: the relay's side of causal traces, put together: span events in, spans stored, an API.
// startRelay() owns one where it was asked for HTTP; recordings feed it through tap.ts. Nothing waits here but puts,
// while more spans than the store has room for have not been written.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type HttpServer, startHttp } from '../http/server.js'
import type { TraceItem } from '../read/merge.js'
import { Assembler } from './assembler.js'
import type { Counts } from './counts.js'
import type { Source } from './group.js'
import type { Retention } from './store/retention.js'
import { SpanStore } from './store/store.js'

const TICK_MS = 50

export interface TracingOptions {
  /** Where the API listens: host:port. */
  listen: string
  /** Tags whose values are offered for completion. */
  autocompleteKeys?: string[]
  /** Spans that are older go; milliseconds, 7 days where it is not said. */
  maxAge?: number
  /** The oldest go where the file is larger; 10 GiB where it is not said. */
  maxBytes?: number
}

export interface TracingStats extends Counts {
  /** Spans posted to the API. */
  posted: number
  stored: number
  /** Those that could not be written. */
  notStored: number
}

const WEEK_MS = 7 * 86_400_000

export class Tracing {
  readonly assembler = new Assembler()
  #posted = 0
  readonly #timer: NodeJS.Timeout

  private constructor(
    readonly store: SpanStore,
    readonly http: HttpServer,
  ) {
    this.#timer = setInterval(() => this.store.add(this.assembler.due(performance.now())), TICK_MS)
  }

  static async open(
    output: string,
    { listen, autocompleteKeys = [], maxAge = WEEK_MS, maxBytes = 10 * 2 ** 30 }: TracingOptions,
    token: string | undefined,
    version: string,
    log: (line: string) => void,
  ): Promise<Tracing> {
    const folder = join(output, '.spans')
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const retention: Retention = { age: maxAge, bytes: maxBytes }
    const store = await SpanStore.open(folder, { autocompleteKeys, retention, log })
    let made: Tracing
    const accept = (spans: Parameters<SpanStore['add']>[0]) => made.#accept(spans)
    try {
      const http = await startHttp({ store, version, accept }, { listen, token, log })
      made = new Tracing(store, http)
      return made
    } catch (error) {
      await store.close()
      throw error
    }
  }

  take(source: Source, items: TraceItem[]): void {
    this.assembler.take(source, items, performance.now())
  }

  /** Until there is room for more. */
  async room(): Promise<void> {
    if (this.store.writer.isFull) await this.store.writer.flush()
  }

  stats(): TracingStats {
    const { written, failed } = this.store.writer
    return { ...this.assembler.counts, posted: this.#posted, stored: written, notStored: failed }
  }

  /** Spans that are still open are stored as they are. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.http.close()
    this.store.add(this.assembler.finish())
    await this.store.close()
  }

  #accept(spans: Parameters<SpanStore['add']>[0]): boolean {
    if (this.store.writer.isFull) return false
    this.#posted += spans.length
    this.store.add(spans)
    return true
  }
}
