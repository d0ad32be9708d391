// relay/src/sql/values.ts: what a query's result has in its rows, as JSON and as text. query.ts hands both on. Pure.
// JSON is that of `blkin view --json`: no number is rounded, bytes are hex digits, times are UTC.

import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampNanosecondsValue,
  type DuckDBValue,
} from '@duckdb/node-api'
import { isoText } from '../ctf/print/json.js'
import { nine } from '../ctf/print/text.js'

/** As JSON.stringify() takes it. */
export function sqlJson(value: DuckDBValue): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : String(value)
  }
  if (value === null || typeof value !== 'object') return value
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('hex')
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(sqlJson)
  if (value instanceof DuckDBStructValue)
    return Object.fromEntries(Object.entries(value.entries).map(([key, one]) => [key, sqlJson(one)]))
  if (value instanceof DuckDBMapValue)
    return value.entries.map(({ key, value: one }) => ({ key: sqlJson(key), value: sqlJson(one) }))
  if (value instanceof DuckDBTimestampNanosecondsValue) return timeText(value)
  return String(value)
}

/** DuckDB's own; bytes are hex digits here too. A missing value is `missing`. */
export function sqlText(value: DuckDBValue, missing: string): string {
  if (value === null) return missing
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('hex')
  if (value instanceof DuckDBTimestampNanosecondsValue) return timeText(value)
  if (typeof value === 'object') return JSON.stringify(sqlJson(value))
  return String(value)
}

function timeText(value: DuckDBTimestampNanosecondsValue): string {
  if (!value.isFinite) return String(value)
  const { nanos } = value
  const rest = ((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  return `${isoText(Number((nanos - rest) / 1_000_000_000n))}${nine(Number(rest))}Z`
}
