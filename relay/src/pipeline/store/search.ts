// relay/src/pipeline/store/search.ts: the traces that a query wants, the newest first. The store calls it with a reader.
// Candidates come from narrow columns and the index; they are read whole, and matches() decides.

import type { DuckDBConnection } from '@duckdb/node-api'
import { matches, type Query } from '../../spans/query.js'
import type { Span } from '../../spans/span.js'
import { candidates, conditionsOf, rarestFirst } from './candidates.js'
import { newestFirst } from './row.js'
import { Amount, placesOf, tracesAt } from './traces.js'

/** Traces at once: as many as are wanted yet, within these. */
const READ_LEAST = 10
const READ_MOST = 200
/** Candidates at once. */
const LOOK_AT = 256

/** @throws RangeError where the answer is too large */
export async function search(reader: DuckDBConnection, query: Query): Promise<Span[][]> {
  const [first, ...others] = await rarestFirst(reader, conditionsOf(query))
  const conditions = others.map(({ sql }) => sql)
  const found: Span[][] = []
  const amount = new Amount()
  const wanted = () => Math.min(Math.max(query.limit - found.length, READ_LEAST), READ_MOST)
  for await (const page of candidates(reader, query, first)) {
    // where there are other conditions few of them may be left, so more are looked at
    for (let at = 0, size = 0; at < page.length; at += size) {
      size = conditions.length === 0 ? wanted() : LOOK_AT
      const part = page.slice(at, at + size)
      const places = await placesOf(reader, part, conditions)
      const left = part.flatMap((trace) => (places.has(trace) ? [places.get(trace)!] : []))
      for (let next = 0, some = 0; next < left.length; next += some) {
        some = wanted()
        for (const { spans, bytes } of await tracesAt(reader, left.slice(next, next + some))) {
          if (!matches(query, spans)) continue
          amount.add(bytes)
          found.push(spans)
        }
        if (found.length >= query.limit) return found.sort(newestFirst).slice(0, query.limit)
      }
    }
  }
  return found.sort(newestFirst)
}
