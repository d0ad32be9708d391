// relay/src/spans/store/writer.ts: puts spans into the table in batches. The store owns one.
// A batch goes into a table in memory first, which takes no waiting; the copy into the file, with its commit, is made
// by DuckDB's own threads while the relay goes on. A batch that cannot be written is told and counted, not kept.

import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api'
import type { Rejections } from '../../rejections.js'
import type { Span } from '../span.js'
import { Batch, type Chunks } from './batch.js'
import { INDEX_TABLES } from './block-index.js'
import type { Names } from './names.js'
import { COLUMNS } from './row.js'
import { rows } from './traces.js'

/** A batch is written when there are as many spans, or bytes of their JSON, or as old. */
const BATCH = 32_768
const BATCH_BYTES = 64 * 2 ** 20
const BATCH_MS = 500
/** Beyond that there is no room, what is being written counted too. */
const MOST_WAITING = 100_000
const MOST_WAITING_BYTES = 256 * 2 ** 20
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
  #added = 0
  /** Of JSON, in the batch that is being written. */
  #writing = 0
  readonly #batch: Batch
  #timer: NodeJS.Timeout | undefined
  #last: Promise<void> = Promise.resolve()

  private constructor(
    readonly connection: DuckDBConnection,
    readonly names: Names,
    readonly rejections: Rejections,
    block: number,
  ) {
    this.#batch = new Batch(block)
  }

  static async open(connection: DuckDBConnection, names: Names, rejections: Rejections): Promise<Writer> {
    await connection.run(`SET checkpoint_threshold = '${LOG_BYTES}'`)
    await connection.run(`ATTACH ':memory:' AS batch`)
    for (const table of tables) {
      await connection.run(`CREATE TABLE IF NOT EXISTS ${table} (${TABLES[table]})`)
      await connection.run(`CREATE TABLE batch.${table} (${TABLES[table]})`)
    }
    // without it DuckDB copies the bodies of 2048 blocks for that of one
    await connection.run('CREATE INDEX IF NOT EXISTS bodies_by_block ON bodies (block)')
    const [[last] = [null]] = await rows<[number | null]>(connection, 'SELECT max(block) FROM spans')
    return new Writer(connection, names, rejections, last === null ? 0 : last + 1)
  }

  add(spans: Span[]): void {
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

  /** For so many spans; and for more than half of what may wait as soon as half is free, so that none is left out for ever. */
  hasRoom(count: number): boolean {
    const isRoomy = this.waiting + Math.min(count, MOST_WAITING / 2) <= MOST_WAITING
    return isRoomy && this.#batch.bytes + this.#writing < MOST_WAITING_BYTES
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
      for (const table of tables) await this.#append(table, chunks[table])
      await this.#copy()
      this.written += count
    } catch (error) {
      this.#batch.lost()
      this.failed += count
      this.rejections.reject('span', 'not written', `they cannot be stored: ${(error as Error).message}`, {
        count,
      })
    }
    this.#writing = 0
    try {
      for (const table of tables) await this.connection.run(`TRUNCATE batch.${table}`)
    } catch (error) {
      this.rejections.log(`spans may be stored twice: ${(error as Error).message}`)
    }
  }

  async #append(table: string, chunks: DuckDBDataChunk[]): Promise<void> {
    const appender = await this.connection.createAppender(table, 'main', 'batch')
    for (const chunk of chunks) appender.appendDataChunk(chunk)
    appender.closeSync()
  }

  /** All or nothing: a span is there with what finds it. */
  async #copy(): Promise<void> {
    await this.connection.run('BEGIN')
    try {
      for (const table of tables) {
        await this.connection.run(`INSERT INTO ${table} SELECT * FROM batch.${table}`)
      }
      await this.connection.run('COMMIT')
    } catch (error) {
      await this.connection.run('ROLLBACK').catch(() => {}) // a commit that failed has rolled back
      throw error
    }
  }
}
