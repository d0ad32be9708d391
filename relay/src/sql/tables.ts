// relay/src/sql/tables.ts: the tables that a trace is to SQL: one for each tracepoint, `events` over all, and `lost`.
// query.ts makes views of them, scan.ts their rows. Pure but for the metadata that it reads.

import type { TraceField, TraceTracepoint } from '../ctf/model.js'
import { findTraces, type OnFault } from '../ctf/read/find.js'
import { type ColumnType, typeOf, unite } from './types.js'

/** Where a column's values come from: what every row has, or a context or field of that name. */
export type Source = { row: RowSource } | { context: string } | { field: string }

export type RowSource =
  | 'time'
  | 'until'
  | 'provider'
  | 'event'
  | 'level'
  | 'host'
  | 'program'
  | 'pid'
  | 'stream'
  | 'cpu'
  | 'events'
  | 'packets'

export interface TableColumn {
  name: string
  type: ColumnType
  source: Source
}

export interface Table {
  /** Undefined for `events` and `lost`. */
  schema: string | undefined
  name: string
  columns: TableColumn[]
  /** provider:event, where it holds those events; undefined for `events` and `lost`. */
  tracepoint: string | undefined
  /** Its rows are losses. */
  lost: boolean
}

const ROW: Record<RowSource, ColumnType['base']> = {
  time: 'TIMESTAMP_NS',
  until: 'TIMESTAMP_NS',
  provider: 'VARCHAR',
  event: 'VARCHAR',
  level: 'VARCHAR',
  host: 'VARCHAR',
  program: 'VARCHAR',
  pid: 'UINTEGER',
  stream: 'UINTEGER',
  cpu: 'UINTEGER',
  events: 'UBIGINT',
  packets: 'UBIGINT',
}

/** Schemas and catalogs that DuckDB has itself. */
const TAKEN = ['information_schema', 'pg_catalog', 'memory', 'system', 'temp']

export function tablesOf(path: string, onFault?: OnFault): Table[] {
  const traces = findTraces(path, onFault).map(({ info }) => info)
  const contexts = traces.flatMap((info) => info.contexts)
  const forms = new Map<string, TraceTracepoint[]>()
  for (const tracepoint of traces.flatMap((info) => info.tracepoints)) {
    const name = `${tracepoint.provider}:${tracepoint.event}`
    forms.set(name, [...(forms.get(name) ?? []), tracepoint])
  }
  const ofEvents = columnsOf(
    ['time', 'provider', 'event', 'level', 'host', 'program', 'pid', 'stream', 'cpu'],
    contexts,
    [],
  )
  const ofLost = columnsOf(['time', 'until', 'host', 'program', 'pid', 'stream', 'events', 'packets'], [], [])
  const tables: Table[] = [
    { schema: undefined, name: 'events', columns: ofEvents, tracepoint: undefined, lost: false },
    { schema: undefined, name: 'lost', columns: ofLost, tracepoint: undefined, lost: true },
  ]
  const schemas = new Map<string, string>()
  const schemaNames = new Set(TAKEN)
  const names = new Set(tables.map(({ name }) => `main.${name}`))
  for (const [tracepoint, declared] of [...forms].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { provider, event } = declared[0]!
    const schema = schemas.get(provider) ?? distinct(provider, schemaNames)
    schemas.set(provider, schema)
    const name = distinct(event, names, `${schema}.`)
    const columns = columnsOf(
      ['time', 'host', 'program', 'pid', 'stream', 'cpu'],
      contexts,
      declared.flatMap(({ fields }) => fields),
    )
    tables.push({ schema, name, columns, tracepoint, lost: false })
  }
  return tables
}

function columnsOf(rows: RowSource[], contexts: TraceField[], fields: TraceField[]): TableColumn[] {
  const taken = new Set<string>()
  const columns: TableColumn[] = rows.map((row) => ({
    name: distinct(row, taken),
    type: { base: ROW[row], list: false },
    source: { row },
  }))
  for (const [kind, given] of [
    ['context', contexts],
    ['field', fields],
  ] as const) {
    const types = new Map<string, ColumnType>()
    for (const field of given) {
      const known = types.get(field.name)
      types.set(field.name, known ? unite(known, typeOf(field)) : typeOf(field))
    }
    for (const [name, type] of types) {
      const source = kind === 'context' ? { context: name } : { field: name }
      columns.push({ name: distinct(name, taken), type, source })
    }
  }
  return columns
}

/** To DuckDB names that differ in case are one: the second is `name_1`, as in its own results. */
function distinct(name: string, taken: Set<string>, prefix = ''): string {
  let found = name
  for (let i = 1; taken.has((prefix + found).toLowerCase()); i++) found = `${name}_${i}`
  taken.add((prefix + found).toLowerCase())
  return found
}
