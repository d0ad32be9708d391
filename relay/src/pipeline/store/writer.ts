// relay/src/pipeline/store/writer.ts: puts spans into the table in batches. The store owns one.
// A batch is appended to its tables in one transaction, by the thread that calls; the commit, and what goes from the log into the file,
// is made by Node's and DuckDB's threads meanwhile. A batch that cannot be written is told and counted, not kept.

import type { DuckDBConnection } from '@duckdb/node-api'
import type { RejectionLog } from '../../common/rejections.js'
import type { Span } from '../../spans/span.js'
import { Batch, type Chunks } from './batch.js'
import { INDEX_TABLES } from './block-index.js'
import type { Names } from './names.js'
import { hasRoom, type Waiting } from './room.js'
import { COLUMNS } from './row.js'
import { rows } from './traces.js'

/** A batch is written when there are as many spans, or bytes of their JSON, or as old. */
const BATCH = 32_768
const BATCH_BYTES = 64 * 2 ** 20
const BATCH_MS = 1000
/** DuckDB's log may grow to that before it goes into the file: what is taken over often is packed often. */
const LOG_BYTES = '64MB'

const TABLES: Record<keyof Chunks, string> = {
  spans: COLUMNS.map(([name, type]) => `${name} ${type} NOT NULL`).join(', '),
  bodies:
    'block UINTEGER NOT NULL, first UINTEGER NOT NULL, bytes BLOB USING COMPRESSION uncompressed NOT NULL',
  ...INDEX_TABLES,
}
const tables = Object.keys(TABLES) as (keyof Chunks)[]

export class Writer {
  written = 0
  failed = 0
  /** Called when something more is written, or failed. */
  changed = () => {}
  #added = 0
  /** Of JSON, in the batch that is being written. */
  #writing = 0
  readonly #batch: Batch
  #timer: NodeJS.Timeout | undefined
  #last: Promise<void> = Promise.resolve()

  private constructor(
    readonly connection: DuckDBConnection,
    readonly names: Names,
    readonly rejections: RejectionLog,
    block: number,
  ) {
    this.#batch = new Batch(block)
  }

  static async open(connection: DuckDBConnection, names: Names, rejections: RejectionLog): Promise<Writer> {
    await connection.run(`SET checkpoint_threshold = '${LOG_BYTES}'`)
    for (const table of tables) {
      await connection.run(`CREATE TABLE IF NOT EXISTS ${table} (${TABLES[table]})`)
    }
    // without it DuckDB copies the bodies of 2048 blocks for that of one
    await connection.run('CREATE INDEX IF NOT EXISTS bodies_by_block ON bodies (block)')
    const [[last] = [null]] = await rows<[number | null]>(connection, 'SELECT max(block) FROM spans')
    return new Writer(connection, names, rejections, last === null ? 0 : last + 1)
  }

  add(spans: readonly Span[]): void {
    this.#added += spans.length
    for (const span of spans) this.#batch.add(span)
    const { length, bytes } = this.#batch
    if (length >= BATCH || bytes >= BATCH_BYTES) void this.flush()
    else if (length > 0) this.#timer ??= setTimeout(() => void this.flush(), BATCH_MS)
  }

  /** Spans that are neither written nor failed yet. */
  get waiting(): number {
    return this.#added - this.written - this.failed
  }

  /** What is being written counted too. */
  get held(): Waiting {
    return { spans: this.waiting, bytes: this.#batch.bytes + this.#writing }
  }

  hasRoom(count: number): boolean {
    return hasRoom(this.held, count)
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
    const { length: count, bytes } = this.#batch
    this.#writing = bytes
    try {
      const chunks = await this.#batch.take()
      await this.names.flush(this.connection)
      await this.#insert(chunks)
      this.written += count
    } catch (error) {
      this.#batch.lost()
      this.failed += count
      this.rejections.reject('span', 'not written', `they cannot be stored: ${(error as Error).message}`, {
        count,
      })
    }
    this.#writing = 0
    this.changed()
  }

  /** All or nothing: a span is there with what finds it. */
  async #insert(chunks: Chunks): Promise<void> {
    await this.connection.run('BEGIN')
    try {
      for (const table of tables) {
        const appender = await this.connection.createAppender(table)
        for (const chunk of chunks[table]) appender.appendDataChunk(chunk)
        appender.closeSync()
      }
      await this.connection.run('COMMIT')
    } catch (error) {
      await this.connection.run('ROLLBACK').catch(() => {}) // a commit that failed has rolled back
      throw error
    }
  }
}
