// relay/src/sql/trace-tables.ts: what can be asked of a trace that is open for SQL, whatever does the work.

import type { OnFault } from '../ctf/read/find.js'
import type { Table } from './tables.js'

export interface SqlOptions {
  /** Called once for each trace or stream that is broken or not ours, which is passed over; where it is missing, that is thrown. */
  onFault?: OnFault
  /** The files or folders that writeParquet() may write to. */
  writable?: string[]
}

/** As DuckDB's package for Node has it: numbers, bigints, strings, booleans, null, and objects of its own for the rest. */
export type SqlValue = unknown

export interface QueryRows {
  columns: string[]
  /** Some at a time. Whoever stops before the end has the query interrupted. */
  rows: AsyncGenerator<SqlValue[][]>
}

export interface TraceTables {
  readonly tables: Table[]
  /** @throws QueryError */
  query(sql: string): Promise<QueryRows>
  /**
   * Writes a query's result into a file that was named as writable; returns how many rows.
   *
   * @throws QueryError
   */
  writeParquet(sql: string, file: string): Promise<number>
  /** A value of a row as JSON.stringify() takes it: as `blkin view --json` has it. */
  json(value: SqlValue): unknown
  /** A value of a row as text; `missing` stands for none. */
  text(value: SqlValue, missing: string): string
  close(): void
}
