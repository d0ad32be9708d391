// relay/src/spans/store/batch.ts: spans that wait to be written, as DuckDB has them: chunks of columns. The writer owns one
// and takes them. Spans become rows at once, so that nothing of them waits in JavaScript's memory, where it would be moved
// around until it is written.

import { BIGINT, DuckDBDataChunk, type DuckDBType, UBIGINT, UINTEGER, VARCHAR } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import type { Span } from '../span.js'
import { bodyOf } from './body.js'
import { COLUMNS, Rows } from './row.js'

const TYPES: Record<string, DuckDBType> = { UBIGINT, BIGINT, UINTEGER, VARCHAR }
const types = COLUMNS.map(([, type]) => TYPES[type]!)
/** DuckDB's vectors have no more. */
const CHUNK_ROWS = 2048

export class Batch {
  readonly #rows = new Rows(CHUNK_ROWS)
  #full: DuckDBDataChunk[] = []
  #chunk: DuckDBDataChunk | undefined
  #bodies: duckdb.Vector | undefined
  /** Of the chunk that is filled now. */
  #count = 0

  get length(): number {
    return this.#full.length * CHUNK_ROWS + this.#count
  }

  add(span: Span): void {
    if (this.#bodies === undefined) {
      this.#chunk = DuckDBDataChunk.create(types)
      this.#bodies = duckdb.data_chunk_get_vector(this.#chunk.chunk, types.length - 1)
    }
    this.#rows.set(this.#count, span)
    duckdb.vector_assign_string_element_len(this.#bodies, this.#count, bodyOf(span))
    if (++this.#count === CHUNK_ROWS) this.#close()
  }

  /** All that is there. */
  take(): DuckDBDataChunk[] {
    if (this.#count > 0) this.#close()
    const chunks = this.#full
    this.#full = []
    return chunks
  }

  #close(): void {
    const { chunk } = this.#chunk!
    for (const [i, { buffer, byteLength }] of this.#rows.columns.entries()) {
      const bytes = (byteLength / CHUNK_ROWS) * this.#count
      duckdb.copy_data_to_vector(duckdb.data_chunk_get_vector(chunk, i), 0, buffer as ArrayBuffer, 0, bytes)
    }
    this.#chunk!.rowCount = this.#count
    this.#full.push(this.#chunk!)
    this.#chunk = this.#bodies = undefined
    this.#count = 0
  }
}
