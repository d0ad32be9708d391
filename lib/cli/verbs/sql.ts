// lib/cli/verbs/sql.ts: `blkin sql`: asks a trace by SQL, lists its tables, or writes them as Parquet files.

import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { QueryRows, TraceError, TraceTables } from '@blkin/relay'
import { Command, Option } from 'commander'
import { ending, exitCodes, NothingError, UsageError } from '../options/exit.js'
import { jsonOption, nonEmpty } from '../options/flags.js'
import { grouped } from '../print/amounts.js'
import { json as asJson, note, styleFor } from '../print/print.js'
import { type Column, renderRow, widthsOf } from '../print/table.js'
import { visible } from '../print/visible.js'
import { loadRelay } from '../relay/load-relay.js'

interface Flags {
  json?: boolean
  csv?: boolean
  parquet?: string
}

export function sqlCommand(): Command {
  return new Command('sql')
    .summary('ask a trace by SQL, write Parquet')
    .description('Asks a trace by SQL. Without a query: its tables and their columns.')
    .argument('<trace>', 'a trace folder, or one that holds some', nonEmpty('TRACE', 'a folder'))
    .argument('[query]', 'a SELECT of DuckDB', nonEmpty('QUERY', 'a SELECT'))
    .addOption(jsonOption().conflicts('csv'))
    .addOption(new Option('--csv', 'values with commas between'))
    .addOption(
      new Option('--parquet <path>', 'a file of the rows, a folder of all')
        .conflicts(['csv', 'json'])
        .argParser(nonEmpty('--parquet', 'a file for the rows of the query, or a folder')),
    )
    .addHelpText('after', ending("blkin sql trace 'select count(*) from blockstore.request'"))
    .action(run)
}

async function run(path: string, query: string | undefined, flags: Flags): Promise<void> {
  const { openTables, QueryError } = await loadRelay()
  const { parquet } = flags
  if (parquet !== undefined) checkOutput(parquet, query)
  const onFault = (error: TraceError) => {
    note(`${error.message}; passed over`)
    if (!error.isForeign) process.exitCode = exitCodes.failed
  }
  const tables = await openTables(path, {
    onFault,
    ...(parquet === undefined ? {} : { writable: [parquet] }),
  }).catch((error: Error) => {
    throw 'isForeign' in error && error.isForeign ? new NothingError(error.message) : error
  })
  try {
    if (parquet !== undefined) await writeParquet(tables, parquet, query)
    else if (query === undefined) await printTables(tables, flags)
    else await printRows(tables, await tables.query(query), flags)
  } catch (error) {
    throw error instanceof QueryError ? new UsageError(error.message) : error
  } finally {
    tables.close()
  }
}

/** What is there already is not written over. */
function checkOutput(path: string, query: string | undefined): void {
  if (!existsSync(path)) return
  const isFolder = statSync(path).isDirectory()
  if (query === undefined && isFolder && readdirSync(path).length === 0) return
  const expected = query === undefined ? 'a new or an empty folder' : 'a new file'
  throw new UsageError(`--parquet: ${path} is there already; expected ${expected}`)
}

async function writeParquet(tables: TraceTables, path: string, query: string | undefined): Promise<void> {
  if (query !== undefined) {
    note(`${grouped(await tables.writeParquet(query, path))} rows to ${path}`)
    return
  }
  const { sqlName } = await loadRelay()
  mkdirSync(path, { recursive: true })
  for (const table of tables.tables) {
    if (table.name === 'events' && table.schema === undefined) continue // they are in the others
    const file = join(path, `${[table.schema ?? [], table.name].flat().join('.')}.parquet`)
    note(`${grouped(await tables.writeParquet(`SELECT * FROM ${sqlName(table)}`, file))} rows to ${file}`)
  }
}

async function printTables(tables: TraceTables, flags: Flags): Promise<void> {
  const { sqlName } = await loadRelay()
  const rows = tables.tables.flatMap((table) =>
    table.columns.map(({ name, type }) => [sqlName(table), name, `${type.base}${type.list ? '[]' : ''}`]),
  )
  await printRows(tables, { columns: ['table', 'column', 'type'], rows: inOne(rows) }, flags)
}

async function* inOne(rows: string[][]): QueryRows['rows'] {
  yield rows
}

async function printRows(
  tables: TraceTables,
  { columns, rows }: QueryRows,
  { json, csv }: Flags,
): Promise<void> {
  const shownCsv = process.stdout.isTTY ? visible : (line: string) => line // for a program it is as it is
  let shape: Shape | undefined
  let read = csv ? await write([csvLine(columns)]) : true
  for await (const some of rows) {
    if (json) {
      const objects = some.map((row) =>
        Object.fromEntries(columns.map((name, i) => [name, tables.json(row[i]!)])),
      )
      read = await write(objects.map(asJson))
    } else if (csv) {
      read = await write(some.map((row) => shownCsv(csvLine(row.map((value) => tables.text(value, ''))))))
    } else {
      const cells = some.map((row) => row.map((value) => visible(tables.text(value, 'NULL'))))
      const right = (i: number) => some.some((row) => ['number', 'bigint'].includes(typeof row[i]))
      const head = shape === undefined
      shape ??= shapeOf(columns, right, cells)
      const { heads, widths } = shape
      const lines = cells.map((row) => renderRow(heads, widths, row))
      read = await write(head ? [headLine(shape), ...lines] : lines)
    }
    if (!read) return
  }
  if (!json && !csv && shape === undefined) await write([headLine(shapeOf(columns, () => false, []))])
}

/** The columns are as wide as what stands in the first rows, some 2000: so nothing waits for the last. */
interface Shape {
  heads: Column[]
  widths: number[]
}

function shapeOf(columns: string[], right: (i: number) => boolean, cells: string[][]): Shape {
  const heads = columns.map((name, i) => ({ head: visible(name), right: right(i) }))
  return { heads, widths: widthsOf(heads, cells) }
}

const headLine = ({ heads, widths }: Shape): string =>
  styleFor(process.stdout).dim(
    renderRow(
      heads,
      widths,
      heads.map(({ head }) => head),
    ),
  )

/** As RFC 4180 has it, with LF. */
const csvLine = (cells: string[]): string =>
  cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')

/** False where nobody reads on. */
const write = (lines: string[]): Promise<boolean> =>
  new Promise((resolve) => process.stdout.write(`${lines.join('\n')}\n`, (error) => resolve(!error)))
