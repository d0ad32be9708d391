// relay/src/pipeline/store/store.ts: spans in a DuckDB file, and what Zipkin's API asks of them. the pipeline owns one.
// What was added before a question was asked is in its answer. Old spans go by age and by the size of the file.

import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { RejectionLog } from '../../common/rejections.js'
import { Semaphore } from '../../common/semaphore.js'
import { type Link, Links } from '../../spans/links.js'
import type { Query } from '../../spans/query.js'
import { lowTraceId, type Span } from '../../spans/span.js'
import type { SpanSink } from '../sinks/sink.js'
import { Names } from './names.js'
import { type Retention, removeOld } from './retention.js'
import { traceKey } from './row.js'
import { search } from './search.js'
import { rows, tracesOf } from './traces.js'
import { Values } from './values.js'
import { Writer } from './writer.js'

const RETENTION_MS = 60_000
const MEMORY = 2 ** 30
/** Beside the relay's own. */
const THREADS = 2
/** Questions that are worked on at once. */
const ASKED = 4
/** Traces whose links are counted at once. */
const LINKED_AT_ONCE = 1000

export const STORE_FILE = 'spans.duckdb'

export interface StoreOptions {
  /** Tags whose values are offered for completion. */
  autocompleteKeys: string[]
  retention: Retention
  rejections: RejectionLog
  /** Bytes that DuckDB may hold, of what is written and of the file. */
  memory?: number
}

export class SpanStore implements SpanSink {
  readonly #timer: NodeJS.Timeout
  readonly #turns = new Semaphore(ASKED)
  #removing: Promise<void> | undefined

  private constructor(
    readonly db: DuckDBInstance,
    readonly names: Names,
    readonly writer: Writer,
    readonly values: Values,
    readonly options: StoreOptions,
  ) {
    this.#timer = setInterval(() => void this.removeOld(), RETENTION_MS)
    this.#timer.unref()
  }

  static async open(folder: string, options: StoreOptions): Promise<SpanStore> {
    const db = await DuckDBInstance.create(join(folder, STORE_FILE), {
      memory_limit: `${options.memory ?? MEMORY}B`,
      threads: String(THREADS),
    })
    const names = new Names()
    const writer = await Writer.open(await db.connect(), names, options.rejections)
    await names.open(writer.connection)
    const values = await Values.open(await db.connect(), options.autocompleteKeys)
    return new SpanStore(db, names, writer, values, options)
  }

  add(spans: readonly Span[]): void {
    for (const span of spans) {
      const { localEndpoint, remoteEndpoint, name = '' } = span
      this.names.add(localEndpoint?.serviceName ?? '', name, remoteEndpoint?.serviceName ?? '')
      this.values.add(span)
    }
    this.writer.add(spans)
  }

  services(): string[] {
    return this.names.services()
  }

  spanNames(service: string): string[] {
    return this.names.names(service)
  }

  remoteServices(service: string): string[] {
    return this.names.remotes(service)
  }

  search(query: Query): Promise<Span[][]> {
    return this.#read((reader) => search(reader, query))
  }

  /** Ids in full. Those that are not there are left out. */
  traces(traceIds: string[]): Promise<Span[][]> {
    const low = [...new Set(traceIds.map((id) => traceKey(lowTraceId(id)).trace_low))]
    return this.#read(async (reader) =>
      (await tracesOf(reader, low))
        .map(({ spans }) => spans)
        .filter(([span]) => traceIds.includes(span!.traceId)),
    )
  }

  /** Of traces that have a span in the window. What one trace is called by 64 and 128 bits is one here. */
  links(endTs: number, lookback: number): Promise<Link[]> {
    return this.#read(async (reader) => {
      const window = `ts > 0 AND ts BETWEEN ${Math.max(0, endTs - lookback) * 1000} AND ${endTs * 1000 + 999}`
      const ids = await rows<[bigint]>(reader, `SELECT DISTINCT trace_low FROM spans WHERE ${window}`)
      const links = new Links()
      for (let at = 0; at < ids.length; at += LINKED_AT_ONCE) {
        const traces = await tracesOf(
          reader,
          ids.slice(at, at + LINKED_AT_ONCE).map(([id]) => id),
        )
        const byLow = new Map<string, Span[]>()
        for (const { spans } of traces) {
          const low = lowTraceId(spans[0]!.traceId)
          byLow.set(low, [...(byLow.get(low) ?? []), ...spans])
        }
        for (const trace of byLow.values()) links.add(trace)
      }
      return links.all()
    })
  }

  /** What is beyond age or size goes; called every minute. */
  async removeOld(): Promise<void> {
    this.#removing ??= this.#removeOld().finally(() => {
      this.#removing = undefined
    })
    await this.#removing
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#removing
    await this.writer.flush()
    await this.values.flush()
    this.values.connection.closeSync()
    this.writer.connection.closeSync()
    this.db.closeSync()
  }

  async #removeOld(): Promise<void> {
    try {
      await this.writer.flush()
      await this.values.flush()
      await this.writer.alone(async (connection) => {
        if (await removeOld(connection, this.options.retention)) await this.names.sweep(connection)
      })
    } catch (error) {
      this.options.rejections.log(`old spans cannot be removed: ${(error as Error).message}`)
    }
  }

  #read<Answer>(ask: (reader: DuckDBConnection) => Promise<Answer>): Promise<Answer> {
    return this.#turns.take(async () => {
      await this.writer.flush()
      return this.#with(ask)
    })
  }

  async #with<Answer>(ask: (connection: DuckDBConnection) => Promise<Answer>): Promise<Answer> {
    const connection = await this.db.connect()
    try {
      return await ask(connection)
    } finally {
      connection.closeSync()
    }
  }
}
