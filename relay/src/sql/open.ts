// relay/src/sql/open.ts: opens a trace for SQL.
// It loads DuckDB when it is called: its binary is an optional package, and a relay that keeps events runs without.

import type { SqlOptions, TraceTables } from './trace-tables.js'

export async function openTables(path: string, options?: SqlOptions): Promise<TraceTables> {
  const { DuckTables } = await import('./query.js')
  return DuckTables.open(path, options)
}
