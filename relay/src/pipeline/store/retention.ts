// relay/src/pipeline/store/retention.ts: how long spans stay: by age, and by what they take on disk. The store calls it.

import type { DuckDBConnection } from '@duckdb/node-api'
import { soonest } from '../../common/wall-clock.js'
import { INDEX_TABLES } from './block-index.js'
import { rows } from './traces.js'

export interface Retention {
  /** Milliseconds. */
  age: number
  bytes: number
}

/** What goes at once where the file is too large. */
const SHARE = 0.1

/** True where anything went. While it runs nobody else writes. */
export async function removeOld(connection: DuckDBConnection, { age, bytes }: Retention): Promise<boolean> {
  const oldest = Math.floor((soonest() - age) * 1000)
  let gone = await remove(connection, `ts > 0 AND ts < ${oldest}`) // those without a time go by the size
  await connection.run('CHECKPOINT') // what is in the log has no size yet
  if ((await usedBytes(connection)) > bytes) {
    const [[limit] = [null]] = await rows<[number | null]>(
      connection,
      `SELECT approx_quantile(ts, ${SHARE}) FROM spans`,
    )
    if (limit !== null) gone += await remove(connection, `ts <= ${Math.round(Number(limit))}`)
  }
  if (gone > 0) {
    for (const table of ['bodies', ...Object.keys(INDEX_TABLES)]) {
      await connection.run(`DELETE FROM ${table} WHERE block NOT IN (SELECT DISTINCT block FROM spans)`)
    }
    await connection.run('CHECKPOINT')
  }
  return gone > 0
}

async function remove(connection: DuckDBConnection, which: string): Promise<number> {
  const result = await connection.run(`DELETE FROM spans WHERE ${which}`)
  return result.rowsChanged
}

async function usedBytes(connection: DuckDBConnection): Promise<number> {
  const [sizes] = await rows<[bigint, bigint]>(
    connection,
    `SELECT block_size, used_blocks FROM pragma_database_size() WHERE database_name = 'spans'`,
  )
  return Number(sizes![0]) * Number(sizes![1])
}
