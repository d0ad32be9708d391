// relay/src/sql/open.ts: opens a trace for SQL, and what can be asked of it then, whatever does the work.
// It loads DuckDB when it is called: its binary is an optional package, and a relay that keeps events runs without.

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

export async function openTables(path: string, options?: SqlOptions): Promise<TraceTables> {
  const { DuckTables } = await import('./query.js')
  return DuckTables.open(path, options)
}
