// relay/src/pipeline/store/candidates.ts: traces that may be what a query wants: page by page, the newest first by the newest
// span that meets the first condition. search.ts reads them and decides. A condition on a tag or an annotation is looked
// up in the index, and only blocks of rows that have it are read; any other is common enough, or a column is scanned.

import type { DuckDBConnection } from '@duckdb/node-api'
import type { Query } from '../../spans/query.js'
import { hashOf, termBits, termHash } from './row.js'
import { rows } from './traces.js'

/** The rows of a first page, and how many times as many the next ones have. */
const FIRST_ROWS = 256
const MOST_ROWS = 65_536
const GROWTH = 4
/** Of one condition, more or less. */
const ROWS_PER_TRACE = 8
/** Blocks of a first page, which is doubled each time, and those looked up at once. */
const FIRST_BLOCKS = 64
const MOST_BLOCKS = 4096
const DENSE = 4

/** What one span each has to meet; a trace needs a span for each. */
export interface Condition {
  sql: string
  /** What the index knows it by. */
  term?: number
}

export function conditionsOf(query: Query): Condition[] {
  const { serviceName, remoteServiceName, spanName, minDuration, maxDuration, annotations } = query
  const conditions: Condition[] = []
  for (const [key, value] of annotations) {
    const term = termHash(key, value)
    const bits = termBits(term)
    const column = value === '' ? 'keys' : 'pairs'
    conditions.push({ sql: `${column} & ${bits}::UBIGINT = ${bits}::UBIGINT`, term })
  }
  if (minDuration !== undefined) {
    const most = maxDuration === undefined ? '' : ` AND duration <= ${maxDuration}`
    conditions.push({ sql: `duration >= ${minDuration}${most}` })
  }
  if (remoteServiceName !== undefined) conditions.push({ sql: `remote_hash = ${hashOf(remoteServiceName)}` })
  if (spanName !== undefined) conditions.push({ sql: `name_hash = ${hashOf(spanName)}` })
  if (serviceName === undefined) return conditions
  const service = `service_hash = ${hashOf(serviceName)}`
  if (conditions.length === 0) return [{ sql: service }]
  return conditions.map(({ sql, ...rest }) => ({ sql: `${service} AND ${sql}`, ...rest }))
}

/** With the one first that the fewest blocks have. */
export async function rarestFirst(reader: DuckDBConnection, conditions: Condition[]): Promise<Condition[]> {
  const terms = conditions.flatMap(({ term }) => (term === undefined ? [] : [term]))
  if (terms.length < 2) return conditions
  const counts = await rows<[number, bigint]>(
    reader,
    `SELECT hash, count(*) FROM terms WHERE hash IN (${terms.join(', ')}) GROUP BY hash`,
  )
  const blocks = new Map(counts)
  const share = ({ term }: Condition) => (term === undefined ? Infinity : Number(blocks.get(term) ?? 0))
  return [...conditions].sort((a, b) => share(a) - share(b))
}

/** What every span meets. */
const ANY: Condition = { sql: 'true' }

/** Low ids of traces. */
export function candidates(
  reader: DuckDBConnection,
  { endTs, lookback, limit }: Query,
  condition: Condition = ANY,
): AsyncGenerator<bigint[]> {
  const { sql, term } = condition
  const from = Math.max(1, (endTs - lookback) * 1000)
  const to = endTs * 1000
  const window = `ts BETWEEN ${from} AND ${to}`
  const which = `${window} AND ${sql}`
  const pages = term === undefined ? byTime(reader, which, limit) : byTerm(reader, which, term, from, to)
  return fresh(condition === ANY ? pages : joined(pages, () => timeless(reader, window, condition)))
}

type Row = [trace: bigint, ts: bigint]

/** Each trace once. */
async function* fresh(pages: AsyncGenerator<Row[]>): AsyncGenerator<bigint[]> {
  const seen = new Set<bigint>()
  for await (const page of pages) {
    const traces: bigint[] = []
    for (const [trace] of page) {
      if (seen.has(trace)) continue
      seen.add(trace)
      traces.push(trace)
    }
    yield traces
  }
}

async function* byTime(reader: DuckDBConnection, which: string, limit: number): AsyncGenerator<Row[]> {
  let before = ''
  const first = Math.min(Math.max(FIRST_ROWS, limit * ROWS_PER_TRACE), MOST_ROWS)
  for (let size = first; ; size = Math.min(size * GROWTH, MOST_ROWS)) {
    const page = await rows<[bigint, bigint, bigint]>(
      reader,
      `SELECT trace_low, ts, rowid FROM spans WHERE ${which}${before} ORDER BY ts DESC, rowid DESC LIMIT ${size}`,
    )
    yield page.map(([trace, ts]) => [trace, ts])
    if (page.length < size) return
    const [, ts, rowid] = page.at(-1)!
    before = ` AND ts <= ${ts} AND (ts < ${ts} OR rowid < ${rowid})`
  }
}

/** Blocks in the order of their newest span, so a row is in its turn once it is no older than the next block's newest. */
async function* byTerm(
  reader: DuckDBConnection,
  which: string,
  term: number,
  from: number,
  to: number,
): AsyncGenerator<Row[]> {
  let waiting: Row[] = []
  let before = ''
  for (let size = FIRST_BLOCKS; ; ) {
    const blocks = await rows<[number, bigint]>(
      reader,
      `SELECT block, max(newest) AS time FROM blocks
       WHERE block IN (SELECT block FROM terms WHERE hash = ${term})
       GROUP BY block HAVING time >= ${from} AND min(oldest) <= ${to}${before}
       ORDER BY time DESC, block DESC LIMIT ${MOST_BLOCKS}`,
    )
    for (let at = 0; at < blocks.length; at += size, size = Math.min(size * 2, MOST_BLOCKS)) {
      const part = blocks.slice(at, at + size)
      const sql = `SELECT trace_low, ts FROM spans WHERE ${among(part.map(([block]) => block))} AND ${which}`
      waiting = [...waiting, ...(await rows<Row>(reader, sql))].sort(newestFirst)
      const [, time] = part.at(-1)!
      const older = waiting.findIndex(([, ts]) => ts < time)
      const ready = older === -1 ? waiting.length : older
      yield waiting.slice(0, ready)
      waiting = waiting.slice(ready)
    }
    if (blocks.length < MOST_BLOCKS) break
    const [block, time] = blocks.at(-1)!
    before = ` AND time <= ${time} AND (time < ${time} OR block < ${block})`
  }
  yield waiting
}

/** Traces that have a span without a time that meets the condition; what has a time in them says when they were. */
function timeless(reader: DuckDBConnection, window: string, { sql, term }: Condition): Promise<Row[]> {
  const blocks = term === undefined ? '' : `block IN (SELECT block FROM terms WHERE hash = ${term}) AND`
  return rows<Row>(
    reader,
    `SELECT trace_low, max(ts) AS time FROM spans
     WHERE ${window} AND trace_low IN (SELECT trace_low FROM spans WHERE ${blocks} ts = 0 AND ${sql})
     GROUP BY trace_low ORDER BY time DESC LIMIT ${MOST_ROWS}`,
  )
}

/** Both are the newest first, and so is what comes of them. */
async function* joined(pages: AsyncGenerator<Row[]>, others: () => Promise<Row[]>): AsyncGenerator<Row[]> {
  let left = await others()
  for await (const page of pages) {
    const [, last] = page.at(-1) ?? [0n, Infinity]
    const older = left.findIndex(([, ts]) => ts < last)
    const count = older === -1 ? left.length : older
    yield [...page, ...left.slice(0, count)].sort(newestFirst)
    left = left.slice(count)
  }
  yield left
}

const newestFirst = ([, a]: Row, [, b]: Row): number => (a < b ? 1 : a > b ? -1 : 0)

/** Where most blocks of a range are wanted, all are read: that is less than to look for each. */
function among(blocks: number[]): string {
  let [least, most] = [Infinity, 0]
  for (const block of blocks) {
    if (block < least) least = block
    if (block > most) most = block
  }
  if (most - least < blocks.length * DENSE) return `block BETWEEN ${least} AND ${most}`
  return `block IN (${blocks.join(', ')})`
}
