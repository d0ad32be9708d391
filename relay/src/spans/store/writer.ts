// relay/src/spans/store/writer.ts: puts spans into the table in batches. The store owns one.
// A batch goes into a table in memory first, which takes no waiting; the copy into the file, with its commit, is made
// by DuckDB's own threads while the relay goes on. A batch that cannot be written is told and counted, not kept.

import {
  BIGINT,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  UBIGINT,
  UINTEGER,
  VARCHAR,
} from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import type { Span } from '../span.js'
import { COLUMNS, Rows } from './row.js'

const TYPES: Record<string, DuckDBType> = { UBIGINT, BIGINT, UINTEGER, VARCHAR }
const CHUNK_ROWS = 2048
/** A batch is written when there are as many spans, or as old. */
const BATCH = 8192
const BATCH_MS = 200
/** Who adds more than that is asked to wait. */
const MOST_WAITING = 100_000

const columnsText = COLUMNS.map(([name, type]) => `${name} ${type} NOT NULL`).join(', ')

export class Writer {
  written = 0
  failed = 0
  readonly #rows = new Rows(CHUNK_ROWS)
  #added = 0
  #waiting: Span[] = []
  #timer: NodeJS.Timeout | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(
    readonly connection: DuckDBConnection,
    readonly log: (line: string) => void,
  ) {}

  async open(): Promise<void> {
    await this.connection.run(`CREATE TABLE IF NOT EXISTS spans (${columnsText})`)
    await this.connection.run(`ATTACH ':memory:' AS batch`)
    await this.connection.run(`CREATE TABLE batch.spans (${columnsText})`)
  }

  add(spans: Span[]): void {
    this.#added += spans.length
    for (const span of spans) this.#waiting.push(span)
    if (this.#waiting.length >= BATCH) void this.flush()
    else if (this.#waiting.length > 0) this.#timer ??= setTimeout(() => void this.flush(), BATCH_MS)
  }

  /** Spans that are neither written nor failed yet. */
  get waiting(): number {
    return this.#added - this.written - this.failed
  }

  get isFull(): boolean {
    return this.#waiting.length >= MOST_WAITING
  }

  /** Until all that was added before is written. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting.length === 0) return this.#last
    await this.alone(async () => {
      const spans = this.#waiting
      this.#waiting = []
      if (spans.length > 0) await this.#write(spans)
    })
  }

  /** While nothing is written. */
  alone(work: (connection: DuckDBConnection) => Promise<void>): Promise<void> {
    const mine = this.#last.then(() => work(this.connection))
    this.#last = mine.catch(() => {})
    return mine
  }

  async #write(spans: Span[]): Promise<void> {
    try {
      const appender = await this.connection.createAppender('spans', 'main', 'batch')
      for (let at = 0; at < spans.length; at += CHUNK_ROWS) {
        appender.appendDataChunk(this.#chunk(spans, at, Math.min(CHUNK_ROWS, spans.length - at)))
      }
      appender.closeSync()
      await this.connection.run('INSERT INTO spans SELECT * FROM batch.spans')
      this.written += spans.length
    } catch (error) {
      this.failed += spans.length
      this.log(`${spans.length} spans cannot be stored: ${(error as Error).message}`)
    }
    await this.connection.run('TRUNCATE batch.spans')
  }

  #chunk(spans: Span[], from: number, count: number): DuckDBDataChunk {
    const rows = this.#rows
    for (let i = 0; i < count; i++) rows.set(i, spans[from + i]!)
    const chunk = DuckDBDataChunk.create(
      COLUMNS.map(([, type]) => TYPES[type]!),
      count,
    )
    const { numbers, texts } = rows
    for (const [i, { buffer, byteLength }] of numbers.entries()) {
      const bytes = (byteLength / CHUNK_ROWS) * count
      duckdb.copy_data_to_vector(
        duckdb.data_chunk_get_vector(chunk.chunk, i),
        0,
        buffer as ArrayBuffer,
        0,
        bytes,
      )
    }
    for (const [i, column] of texts.entries()) {
      chunk.setColumnValues(numbers.length + i, column.slice(0, count))
    }
    return chunk
  }
}
