// relay/src/sql/query.ts: SQL over a trace: DuckDB in memory with views of the trace's tables. The engine of `blkin sql`.
// A query reads: it changes nothing, opens no file and loads no extension. What does not fit MEMORY goes into a folder of its own
// under TMPDIR, which goes when the tables are closed. open.ts loads it, and DuckDB with it, when somebody asks.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue, StatementType } from '@duckdb/node-api'
import type { TraceError } from '../ctf/model.js'
import type { OnFault } from '../ctf/read/find.js'
import { QueryError } from './error.js'
import { quoteName, sqlName } from './names.js'
import { SCAN, scanFunction } from './scan.js'
import { type Table, tablesOf } from './tables.js'
import type { QueryRows, SqlOptions, SqlValue, TraceTables } from './trace-tables.js'
import { sqlJson, sqlText } from './values.js'

/** What DuckDB may hold. */
const MEMORY = '512MB'

export class DuckTables implements TraceTables {
  private constructor(
    readonly tables: Table[],
    readonly db: DuckDBInstance,
    readonly connection: DuckDBConnection,
    readonly spill: string,
  ) {}

  static async open(path: string, { onFault, writable = [] }: SqlOptions = {}): Promise<DuckTables> {
    const tell = onFault && onceEach(onFault)
    const tables = tablesOf(path, tell)
    const spill = mkdtempSync(join(tmpdir(), 'blkin-sql-'))
    const db = await DuckDBInstance.create(':memory:', {
      memory_limit: MEMORY,
      temp_directory: spill,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    })
    const connection = await db.connect()
    const opened = new DuckTables(tables, db, connection, spill)
    try {
      connection.registerTableFunction(
        scanFunction(path, tables, tell === undefined ? {} : { onFault: tell }),
      )
      await opened.#makeViews()
      const paths = writable.map((one) => quoteText(resolve(one))).join(', ')
      await connection.run(`SET allowed_paths = [${paths}]; SET allowed_directories = [${paths}]`)
      await connection.run('SET enable_external_access = false; SET lock_configuration = true')
    } catch (error) {
      opened.close()
      throw error
    }
    return opened
  }

  async query(sql: string): Promise<QueryRows> {
    await this.#check(sql)
    const result = await asQuery(() => this.connection.stream(sql))
    const { connection } = this
    async function* rows() {
      let ended = false
      try {
        for (;;) {
          const chunk = await result.fetchChunk()
          if (chunk === null || chunk.rowCount === 0) break
          yield chunk.getRows()
        }
        ended = true
      } finally {
        if (!ended) {
          connection.interrupt()
          // it must have stopped before the connection is closed, which would wait for it and not let it read on
          while ((await result.fetchChunk().catch(() => null))?.rowCount) {}
        }
      }
    }
    return { columns: result.deduplicatedColumnNames(), rows: rows() }
  }

  async writeParquet(sql: string, file: string): Promise<number> {
    await this.#check(sql)
    const query = sql.replace(/[;\s]+$/, '')
    const copy = `COPY (${query}\n) TO ${quoteText(resolve(file))} (FORMAT parquet, COMPRESSION zstd)`
    const result = await asQuery(() => this.connection.run(copy))
    return result.rowsChanged
  }

  json(value: SqlValue): unknown {
    return sqlJson(value as DuckDBValue)
  }

  text(value: SqlValue, missing: string): string {
    return sqlText(value as DuckDBValue, missing)
  }

  close(): void {
    this.connection.closeSync()
    this.db.closeSync()
    rmSync(this.spill, { recursive: true, force: true })
  }

  async #makeViews(): Promise<void> {
    const schemas = new Set(this.tables.flatMap(({ schema }) => schema ?? []))
    for (const schema of schemas)
      await this.connection.run(`CREATE SCHEMA IF NOT EXISTS ${quoteName(schema)}`)
    for (const [i, table] of this.tables.entries())
      await this.connection.run(`CREATE VIEW ${sqlName(table)} AS SELECT * FROM ${SCAN}(${i})`)
  }

  async #refused<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await asQuery(ask)
    } catch (error) {
      const [, missing] = NO_TABLE.exec((error as Error).message) ?? []
      if (missing === undefined) throw error
      throw new QueryError(`no table ${missing}; the trace has ${this.tables.map(sqlName).join(', ')}`)
    }
  }

  async #check(sql: string): Promise<void> {
    const statements = await asQuery(() => this.connection.extractStatements(sql))
    if (statements.count !== 1) throw notOne(statements.count)
    const { statementType } = await this.#refused(() => statements.prepare(0))
    if (statementType === StatementType.SELECT) return
    throw new QueryError(
      `${StatementType[statementType]} changes something; expected a query, such as SELECT`,
    )
  }
}

const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** DuckDB names tables of its own that have a name like it. */
const NO_TABLE = /^Catalog Error: Table with name "?(.*?)"? does not exist/

const notOne = (count: number) =>
  new QueryError(`${count} statements came; expected one query, such as SELECT`)

async function asQuery<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if ((error as Error).message === 'Error in native callback') throw notOne(0) // all that is said of a text without any
    throw new QueryError((error as Error).message.replace(/^Failed to extract statements: /, ''))
  }
}

/** Each scan of the trace meets the same faults. */
function onceEach(onFault: OnFault): OnFault {
  const told = new Set<string>()
  return (error: TraceError) => {
    if (!told.has(error.message)) onFault(error)
    told.add(error.message)
  }
}
