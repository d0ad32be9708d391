// relay/src/sql/columns.ts: the values of a column for a chunk of rows, as DuckDB keeps them, until the chunk takes them.
// puts.ts writes values by row, scan.ts has them handed over. Nothing is made for a value but its bytes.

import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DOUBLE,
  type DuckDBType,
  FLOAT,
  HUGEINT,
  INTEGER,
  LIST,
  SMALLINT,
  TIMESTAMP_NS,
  TINYINT,
  UBIGINT,
  UINTEGER,
  USMALLINT,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api'
import duckdb, { type Vector } from '@duckdb/node-bindings'
import type { ColumnBase, ColumnType } from './types.js'

/** DuckDB's vectors have no more. */
export const CHUNK_ROWS = 2048

const BASES: Record<ColumnBase, { type: DuckDBType; bytes: number }> = {
  UTINYINT: { type: UTINYINT, bytes: 1 },
  USMALLINT: { type: USMALLINT, bytes: 2 },
  UINTEGER: { type: UINTEGER, bytes: 4 },
  UBIGINT: { type: UBIGINT, bytes: 8 },
  TINYINT: { type: TINYINT, bytes: 1 },
  SMALLINT: { type: SMALLINT, bytes: 2 },
  INTEGER: { type: INTEGER, bytes: 4 },
  BIGINT: { type: BIGINT, bytes: 8 },
  HUGEINT: { type: HUGEINT, bytes: 16 },
  FLOAT: { type: FLOAT, bytes: 4 },
  DOUBLE: { type: DOUBLE, bytes: 8 },
  BOOLEAN: { type: BOOLEAN, bytes: 1 },
  VARCHAR: { type: VARCHAR, bytes: 16 },
  BLOB: { type: BLOB, bytes: 16 },
  TIMESTAMP_NS: { type: TIMESTAMP_NS, bytes: 8 },
}

export const duckType = ({ base, list }: ColumnType): DuckDBType =>
  list ? LIST(BASES[base].type) : BASES[base].type

/** Values of a fixed size, one behind the other. */
export class Values {
  view: DataView
  readonly size: number
  #bytes: Uint8Array
  #rows = CHUNK_ROWS
  /** A bit for each row; undefined while all rows have a value. */
  #valid: Uint8Array | undefined

  constructor(base: ColumnBase) {
    this.size = BASES[base].bytes
    this.#bytes = new Uint8Array(CHUNK_ROWS * this.size)
    this.view = new DataView(this.#bytes.buffer)
  }

  /** Rows beyond a chunk's, for what lists hold. */
  reserve(rows: number): void {
    if (rows <= this.#rows) return
    this.#rows = 2 * rows
    const larger = new Uint8Array(this.#rows * this.size)
    larger.set(this.#bytes)
    this.#bytes = larger
    this.view = new DataView(larger.buffer)
  }

  putNull(row: number): void {
    this.#valid ??= new Uint8Array(CHUNK_ROWS / 8).fill(255)
    this.#valid[row >>> 3]! &= ~(1 << (row & 7))
    this.#bytes.fill(0, row * this.size, (row + 1) * this.size)
  }

  /** Of a row that could not be read to its end, which another takes. */
  forget(row: number): void {
    if (this.#valid !== undefined) this.#valid[row >>> 3]! |= 1 << (row & 7)
  }

  /** Hands the first `rows` over and begins anew. */
  handOver(vector: Vector, rows: number): void {
    duckdb.copy_data_to_vector(vector, 0, this.#bytes.buffer as ArrayBuffer, 0, rows * this.size)
    if (this.#valid === undefined) return
    duckdb.vector_ensure_validity_writable(vector)
    // whole words of 64 bits: a vector has them for all its rows
    duckdb.copy_data_to_vector_validity(vector, 0, this.#valid.buffer as ArrayBuffer, 0, CHUNK_ROWS / 8)
    this.#valid = undefined
  }
}

/** DuckDB keeps up to 12 bytes in the value itself; longer ones are handed over one by one. */
const INLINE = 12

export class Strings extends Values {
  #long: { row: number; start: number; end: number }[] = []
  #kept = Buffer.allocUnsafeSlow(4096)
  #keptBytes = 0

  put(row: number, bytes: Uint8Array, start: number, end: number): void {
    const { view } = this
    const at = row * 16
    const length = end - start
    const short = length <= INLINE
    view.setInt32(at, short ? length : 0, true)
    view.setInt32(at + 4, 0, true)
    view.setInt32(at + 8, 0, true)
    view.setInt32(at + 12, 0, true)
    if (short) for (let i = 0; i < length; i++) view.setUint8(at + 4 + i, bytes[start + i]!)
    else this.#keep(row, bytes, start, end)
  }

  #keep(row: number, bytes: Uint8Array, start: number, end: number): void {
    const from = this.#keptBytes
    this.#keptBytes += end - start
    if (this.#keptBytes > this.#kept.length) {
      const larger = Buffer.allocUnsafeSlow(2 * this.#keptBytes)
      this.#kept.copy(larger, 0, 0, from)
      this.#kept = larger
    }
    this.#kept.set(bytes.subarray(start, end), from)
    this.#long.push({ row, start: from, end: this.#keptBytes })
  }

  override handOver(vector: Vector, rows: number): void {
    super.handOver(vector, rows)
    for (const { row, start, end } of this.#long)
      duckdb.vector_assign_string_element_len(vector, row, this.#kept.subarray(start, end))
    this.#long = []
    this.#keptBytes = 0
  }
}

/** What a row has is where its elements are, and how many. */
export class Lists extends Values {
  readonly elements: Values
  #count = 0

  constructor(base: ColumnBase) {
    super('HUGEINT')
    this.elements = valuesOf(base)
  }

  /** Room for the row's elements; returns where they go. */
  begin(row: number, count: number): number {
    const first = this.#count
    this.#count += count
    this.elements.reserve(this.#count)
    for (const [i, word] of [first, 0, count, 0].entries()) this.view.setUint32(row * 16 + 4 * i, word, true)
    return first
  }

  override handOver(vector: Vector, rows: number): void {
    super.handOver(vector, rows)
    duckdb.list_vector_reserve(vector, this.#count)
    duckdb.list_vector_set_size(vector, this.#count)
    this.elements.handOver(duckdb.list_vector_get_child(vector), this.#count)
    this.#count = 0
  }
}

const valuesOf = (base: ColumnBase): Values =>
  base === 'VARCHAR' || base === 'BLOB' ? new Strings(base) : new Values(base)

export const columnOf = ({ base, list }: ColumnType): Values => (list ? new Lists(base) : valuesOf(base))
