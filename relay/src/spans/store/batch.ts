// relay/src/spans/store/batch.ts: spans that wait to be written, as DuckDB has them: chunks of columns. The writer owns one
// and takes them. Spans become rows at once, so that nothing of them waits in JavaScript's memory, where it would be moved
// around until it is written.

import { BIGINT, DuckDBDataChunk, type DuckDBType, UBIGINT, UINTEGER, VARCHAR } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import type { Span } from '../span.js'
import { BlockIndex } from './block-index.js'
import { bodyOf } from './body.js'
import { COLUMNS, Rows } from './row.js'

const TYPES: Record<string, DuckDBType> = { UBIGINT, BIGINT, UINTEGER, VARCHAR }
const types = COLUMNS.map(([, type]) => TYPES[type]!)
/** DuckDB's vectors have no more. */
const CHUNK_ROWS = 2048

type Column = Uint32Array | BigInt64Array
/** By table. */
export type Chunks = Record<'spans' | 'terms' | 'traces' | 'blocks', DuckDBDataChunk[]>

export class Batch {
  readonly #rows = new Rows(CHUNK_ROWS)
  readonly #index: BlockIndex
  #full: DuckDBDataChunk[] = []
  #chunk: DuckDBDataChunk | undefined
  #bodies: duckdb.Vector | undefined
  /** Of the chunk that is filled now. */
  #count = 0

  /** `block` is the first that is free. */
  constructor(block: number) {
    this.#index = new BlockIndex(block)
  }

  get length(): number {
    return this.#full.length * CHUNK_ROWS + this.#count
  }

  add(span: Span): void {
    if (this.#bodies === undefined) {
      this.#chunk = DuckDBDataChunk.create(types)
      this.#bodies = duckdb.data_chunk_get_vector(this.#chunk.chunk, types.length - 1)
    }
    this.#rows.set(this.#count, span, this.#index)
    duckdb.vector_assign_string_element_len(this.#bodies, this.#count, bodyOf(span))
    if (++this.#count === CHUNK_ROWS) this.#close()
  }

  /** All that is there. */
  take(): Chunks {
    if (this.#count > 0) this.#close()
    const { terms, traces, times } = this.#index
    times.close()
    const chunks = {
      spans: this.#full,
      terms: chunksOf([UINTEGER, UINTEGER], [terms.hashes, terms.blocks], terms.length),
      traces: chunksOf([UINTEGER, UINTEGER], [traces.hashes, traces.blocks], traces.length),
      blocks: chunksOf([UINTEGER, BIGINT, BIGINT], [times.blocks, times.oldest, times.newest], times.length),
    }
    this.#full = []
    terms.length = traces.length = times.length = 0
    return chunks
  }

  /** What was taken is not in the file. */
  lost(): void {
    this.#index.startBlock()
  }

  #close(): void {
    fill(this.#chunk!, types, this.#rows.columns, 0, this.#count)
    this.#full.push(this.#chunk!)
    this.#chunk = this.#bodies = undefined
    this.#count = 0
  }
}

function chunksOf(types: DuckDBType[], columns: Column[], count: number): DuckDBDataChunk[] {
  const chunks: DuckDBDataChunk[] = []
  for (let from = 0; from < count; from += CHUNK_ROWS) {
    const chunk = DuckDBDataChunk.create(types)
    fill(chunk, types, columns, from, Math.min(CHUNK_ROWS, count - from))
    chunks.push(chunk)
  }
  return chunks
}

function fill(
  into: DuckDBDataChunk,
  types: readonly DuckDBType[],
  columns: Column[],
  from: number,
  count: number,
): void {
  for (const [i, { buffer }] of columns.entries()) {
    const width = types[i] === UINTEGER ? 4 : 8
    const vector = duckdb.data_chunk_get_vector(into.chunk, i)
    duckdb.copy_data_to_vector(vector, 0, buffer as ArrayBuffer, from * width, count * width)
  }
  into.rowCount = count
}
