// relay/src/spans/store/search.ts: the traces that a query wants, the newest first. The store calls it with a reader.
// Candidates come from narrow columns and the index; they are read whole, and matches() decides.

import type { DuckDBConnection } from '@duckdb/node-api'
import { matches, type Query } from '../query.js'
import type { Span } from '../span.js'
import { type Condition, candidates, conditionsOf, rarestFirst } from './candidates.js'
import { newestFirst } from './row.js'
import { Amount, rows, rowsOf, tracesOf } from './traces.js'

/** Traces at once: as many as are wanted yet, within these. */
const READ_LEAST = 10
const READ_MOST = 200

/** @throws RangeError where the answer is too large */
export async function search(reader: DuckDBConnection, query: Query): Promise<Span[][]> {
  const [first = { sql: 'true' }, ...others] = await rarestFirst(reader, conditionsOf(query))
  const found: Span[][] = []
  const amount = new Amount()
  for await (const page of candidates(reader, query, first)) {
    const met = await meeting(reader, others, page)
    for (let at = 0; at < met.length; ) {
      const size = Math.min(Math.max(query.limit - found.length, READ_LEAST), READ_MOST)
      for (const { spans, bytes } of await tracesOf(reader, met.slice(at, at + size))) {
        if (!matches(query, spans)) continue
        amount.add(bytes)
        found.push(spans)
      }
      if (found.length >= query.limit) return found.sort(newestFirst).slice(0, query.limit)
      at += size
    }
  }
  return found.sort(newestFirst)
}

/** Those of the traces that have a span for each condition, in the order given. */
async function meeting(
  reader: DuckDBConnection,
  conditions: Condition[],
  traces: bigint[],
): Promise<bigint[]> {
  if (conditions.length === 0) return traces
  const which = await rowsOf(reader, traces)
  if (which === undefined) return []
  const having = conditions.map(({ sql }) => `bool_or(${sql})`).join(' AND ')
  const met = await rows<[bigint]>(
    reader,
    `SELECT trace_low FROM spans WHERE ${which} GROUP BY trace_low HAVING ${having}`,
  )
  const kept = new Set(met.map(([trace]) => trace))
  return traces.filter((trace) => kept.has(trace))
}
