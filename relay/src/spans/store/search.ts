// relay/src/spans/store/search.ts: the traces that a query wants, the newest first. The store calls it with a reader.
// Candidates are found on narrow columns, page by page from the newest span back; what is found is read whole, and
// matches() decides. So a search for what is common reads one page, and one for what is rare scans a column or two.

import type { DuckDBConnection } from '@duckdb/node-api'
import { matches, type Query } from '../query.js'
import type { Span } from '../span.js'
import { hashOf, newestFirst, termBits } from './row.js'

/** The rows of a first page, and how many times as many the next ones have. */
const FIRST_PAGE = 256
const GROWTH = 4
const MOST_PAGE = 65_536
/** Rows nearer than that are read together: naming rows one by one has DuckDB unpack the whole file. */
const NEAR = 20_000n

/** Conditions on one span each; a trace needs a span for each. */
export function conditionsOf(query: Query): string[] {
  const { serviceName, remoteServiceName, spanName, minDuration, maxDuration, annotations } = query
  const conditions: string[] = []
  for (const [key, value] of annotations) {
    const bits = termBits(key, value)
    conditions.push(`terms & ${bits}::UBIGINT = ${bits}::UBIGINT`)
  }
  if (minDuration !== undefined) {
    conditions.push(
      `duration >= ${minDuration}${maxDuration === undefined ? '' : ` AND duration <= ${maxDuration}`}`,
    )
  }
  if (remoteServiceName !== undefined) conditions.push(`remote_hash = ${hashOf(remoteServiceName)}`)
  if (spanName !== undefined) conditions.push(`name_hash = ${hashOf(spanName)}`)
  if (serviceName === undefined) return conditions
  const service = `service_hash = ${hashOf(serviceName)}`
  return conditions.length === 0 ? [service] : conditions.map((condition) => `${service} AND ${condition}`)
}

export async function search(reader: DuckDBConnection, query: Query): Promise<Span[][]> {
  const [first = 'true', ...others] = conditionsOf(query)
  const from = Math.max(0, query.endTs - query.lookback) * 1000
  const inWindow = `ts > 0 AND ts BETWEEN ${from} AND ${query.endTs * 1000}`
  const found: Span[][] = []
  const seen = new Set<bigint>()
  let before = ''
  for (let size = FIRST_PAGE; found.length < query.limit; size = Math.min(size * GROWTH, MOST_PAGE)) {
    const page = await rows<[bigint, bigint, bigint]>(
      reader,
      `SELECT trace_low, ts, rowid FROM spans WHERE ${inWindow} AND ${first}${before}
       ORDER BY ts DESC, rowid DESC LIMIT ${size}`,
    )
    const fresh = new Set<bigint>()
    for (const [trace] of page) if (!seen.has(trace)) fresh.add(trace)
    for (const trace of fresh) seen.add(trace)
    for (const part of parts(await meeting(reader, others, [...fresh]), query.limit)) {
      if (found.length >= query.limit) break
      for (const trace of await tracesOf(reader, part)) if (matches(query, trace)) found.push(trace)
    }
    if (page.length < size) break
    const [, ts, rowid] = page.at(-1)!
    before = ` AND ts <= ${ts} AND (ts < ${ts} OR rowid < ${rowid})`
  }
  return found.sort(newestFirst).slice(0, query.limit)
}

/** Those of the traces that have a span for each condition, in the order given. */
async function meeting(reader: DuckDBConnection, conditions: string[], traces: bigint[]): Promise<bigint[]> {
  if (conditions.length === 0 || traces.length === 0) return traces
  const having = conditions.map((condition) => `bool_or(${condition})`).join(' AND ')
  const met = await rows<[bigint]>(
    reader,
    `SELECT trace_low FROM spans WHERE trace_low IN (${traces.join(', ')}) GROUP BY trace_low HAVING ${having}`,
  )
  const kept = new Set(met.map(([trace]) => trace))
  return traces.filter((trace) => kept.has(trace))
}

/** All spans of traces with these low ids; traces of one low id and different high ids are different traces. */
export async function tracesOf(reader: DuckDBConnection, lowIds: bigint[]): Promise<Span[][]> {
  if (lowIds.length === 0) return []
  const wanted = `trace_low IN (${lowIds.join(', ')})`
  const places = (await rows<[bigint]>(reader, `SELECT rowid FROM spans WHERE ${wanted} ORDER BY rowid`)).map(
    ([row]) => row,
  )
  const bodies = new Set<string>() // what was sent twice is told once
  for (const [first, last] of runs(places)) {
    const where = `rowid BETWEEN ${first} AND ${last} AND ${wanted}`
    const run = await rows<[string]>(reader, `SELECT body FROM spans WHERE ${where} ORDER BY rowid`)
    for (const [body] of run) bodies.add(body)
  }
  const traces = new Map<string, Span[]>()
  for (const body of bodies) {
    const span = JSON.parse(body) as Span
    const trace = traces.get(span.traceId)
    if (trace) trace.push(span)
    else traces.set(span.traceId, [span])
  }
  return [...traces.values()]
}

function* runs(places: bigint[]): Generator<[first: bigint, last: bigint]> {
  let first = places[0]
  for (const [i, place] of places.entries()) {
    const next = places[i + 1]
    if (next !== undefined && next - place < NEAR) continue
    yield [first!, place]
    first = next
  }
}

export async function rows<Row>(reader: DuckDBConnection, sql: string): Promise<Row[]> {
  return (await reader.runAndReadAll(sql)).getRows() as Row[]
}

function* parts<Item>(items: Item[], size: number): Generator<Item[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}
