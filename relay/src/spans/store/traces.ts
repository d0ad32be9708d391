// relay/src/spans/store/traces.ts: whole traces, read from the file. The store and its search ask for them by their low ids.
// The index says in which blocks a trace has spans, so that the other blocks are not read.

import type { DuckDBConnection } from '@duckdb/node-api'
import type { Span } from '../span.js'

/** The condition of rows that are of these traces; undefined where there are none. */
export async function rowsOf(reader: DuckDBConnection, lowIds: bigint[]): Promise<string | undefined> {
  if (lowIds.length === 0) return undefined
  const hashes = lowIds.map((id) => id & 0xffff_ffffn)
  const blocks = await rows<[number]>(
    reader,
    `SELECT DISTINCT block FROM traces WHERE hash IN (${hashes.join(', ')})`,
  )
  if (blocks.length === 0) return undefined
  return `block IN (${blocks.join(', ')}) AND trace_low IN (${lowIds.join(', ')})`
}

/** All spans of traces with these low ids; traces of one low id and different high ids are different traces. */
export async function tracesOf(reader: DuckDBConnection, lowIds: bigint[]): Promise<Span[][]> {
  const which = await rowsOf(reader, lowIds)
  if (which === undefined) return []
  const bodies = new Set<string>() // what was sent twice is told once
  for (const [body] of await rows<[string]>(reader, `SELECT body FROM spans WHERE ${which}`)) bodies.add(body)
  const traces = new Map<string, Span[]>()
  for (const body of bodies) {
    const span = JSON.parse(body) as Span
    const trace = traces.get(span.traceId)
    if (trace) trace.push(span)
    else traces.set(span.traceId, [span])
  }
  return [...traces.values()]
}

export async function rows<Row>(reader: DuckDBConnection, sql: string): Promise<Row[]> {
  return (await reader.runAndReadAll(sql)).getRows() as Row[]
}
