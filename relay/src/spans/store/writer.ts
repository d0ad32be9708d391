// relay/src/spans/store/writer.ts: puts spans into the table in batches. The store owns one.
// A batch goes into a table in memory first, which takes no waiting; the copy into the file, with its commit, is made
// by DuckDB's own threads while the relay goes on. A batch that cannot be written is told and counted, not kept.

import type { DuckDBConnection } from '@duckdb/node-api'
import type { Span } from '../span.js'
import { Batch } from './batch.js'
import type { Names } from './names.js'
import { COLUMNS } from './row.js'

/** A batch is written when there are as many spans, or as old. */
const BATCH = 8192
const BATCH_MS = 200
/** Who adds more than that is asked to wait. */
const MOST_WAITING = 100_000
/** DuckDB's log may grow to that before it goes into the file: what is taken over often is packed often. */
const LOG_BYTES = '64MB'

const columnsText = COLUMNS.map(([name, type]) => `${name} ${type} NOT NULL`).join(', ')

export class Writer {
  written = 0
  failed = 0
  #added = 0
  readonly #batch = new Batch()
  #timer: NodeJS.Timeout | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(
    readonly connection: DuckDBConnection,
    readonly names: Names,
    readonly log: (line: string) => void,
  ) {}

  async open(): Promise<void> {
    await this.connection.run(`SET checkpoint_threshold = '${LOG_BYTES}'`)
    await this.connection.run(`CREATE TABLE IF NOT EXISTS spans (${columnsText})`)
    await this.connection.run(`ATTACH ':memory:' AS batch`)
    await this.connection.run(`CREATE TABLE batch.spans (${columnsText})`)
  }

  add(spans: Span[]): void {
    this.#added += spans.length
    for (const span of spans) this.#batch.add(span)
    if (this.#batch.length >= BATCH) void this.flush()
    else if (this.#batch.length > 0) this.#timer ??= setTimeout(() => void this.flush(), BATCH_MS)
  }

  /** Spans that are neither written nor failed yet. */
  get waiting(): number {
    return this.#added - this.written - this.failed
  }

  get isFull(): boolean {
    return this.#batch.length >= MOST_WAITING
  }

  /** Until all that was added before is written. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#batch.length === 0) return this.#last
    await this.alone(async () => {
      if (this.#batch.length > 0) await this.#write()
    })
  }

  /** While nothing is written. */
  alone(work: (connection: DuckDBConnection) => Promise<void>): Promise<void> {
    const mine = this.#last.then(() => work(this.connection))
    this.#last = mine.catch(() => {})
    return mine
  }

  async #write(): Promise<void> {
    const count = this.#batch.length
    const chunks = this.#batch.take()
    try {
      await this.names.flush(this.connection)
      const appender = await this.connection.createAppender('spans', 'main', 'batch')
      for (const chunk of chunks) appender.appendDataChunk(chunk)
      appender.closeSync()
      await this.connection.run('INSERT INTO spans SELECT * FROM batch.spans')
      this.written += count
    } catch (error) {
      this.failed += count
      this.log(`${count} spans cannot be stored: ${(error as Error).message}`)
    }
    await this.connection.run('TRUNCATE batch.spans')
  }
}
