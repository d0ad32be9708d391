// relay/src/pipeline/store/batch.ts: spans that wait to be written, as DuckDB has them: chunks of columns. The writer owns one
// and takes them. Spans become rows at once, so that nothing of them waits in JavaScript's memory, where it would be moved
// around until it is written.

import { BIGINT, BLOB, DuckDBDataChunk, type DuckDBType, UBIGINT, UINTEGER } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import type { Span } from '../../spans/span.js'
import { BlockIndex } from './block-index.js'
import { Bodies, type Piece, pack } from './bodies.js'
import { bodyOf } from './body.js'
import { COLUMNS, Rows } from './row.js'

const TYPES: Record<string, DuckDBType> = { UBIGINT, BIGINT, UINTEGER }
const types = COLUMNS.map(([, type]) => TYPES[type]!)
/** DuckDB's vectors have no more. */
const CHUNK_ROWS = 2048

type Column = Uint32Array | BigInt64Array
/** By table. */
export type Chunks = Record<'spans' | 'bodies' | 'terms' | 'traces' | 'blocks', DuckDBDataChunk[]>

export class Batch {
  length = 0
  /** Of JSON. */
  bytes = 0
  readonly #rows = new Rows(CHUNK_ROWS)
  readonly #bodies = new Bodies()
  readonly #index: BlockIndex
  #full: DuckDBDataChunk[] = []
  /** Of the rows. */
  #count = 0

  /** `block` is the first that is free. */
  constructor(block: number) {
    this.#index = new BlockIndex(block)
  }

  add(span: Span): void {
    this.#rows.set(this.#count, span, this.#index)
    const body = bodyOf(span)
    this.#bodies.add(this.#index.block, this.#index.place, body)
    this.bytes += body.length
    this.length++
    if (++this.#count === CHUNK_ROWS) this.#close()
  }

  /** All that is there now. */
  async take(): Promise<Chunks> {
    this.#close()
    const { terms, traces, times } = this.#index
    times.close()
    const pieces = this.#bodies.take()
    const chunks = {
      spans: this.#full,
      terms: chunksOf([UINTEGER, UINTEGER], [terms.hashes, terms.blocks], terms.length),
      traces: chunksOf([UINTEGER, UINTEGER], [traces.hashes, traces.blocks], traces.length),
      blocks: chunksOf([UINTEGER, BIGINT, BIGINT], [times.blocks, times.oldest, times.newest], times.length),
    }
    this.#full = []
    this.length = this.bytes = terms.length = traces.length = times.length = 0
    await pack(pieces)
    return { ...chunks, bodies: bodiesOf(pieces) }
  }

  /** What was taken is not in the file. */
  lost(): void {
    this.#index.startBlock()
  }

  #close(): void {
    this.#full.push(...chunksOf(types, this.#rows.columns, this.#count))
    this.#count = 0
  }
}

function bodiesOf(pieces: Piece[]): DuckDBDataChunk[] {
  const places = [pieces.map(({ block }) => block), pieces.map(({ first }) => first)]
  const chunks = chunksOf(
    [UINTEGER, UINTEGER, BLOB],
    places.map((column) => Uint32Array.from(column)),
    pieces.length,
  )
  for (const [i, { bytes }] of pieces.entries()) {
    const vector = duckdb.data_chunk_get_vector(chunks[Math.floor(i / CHUNK_ROWS)]!.chunk, 2)
    duckdb.vector_assign_string_element_len(vector, i % CHUNK_ROWS, bytes)
  }
  return chunks
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
