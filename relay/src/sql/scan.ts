// relay/src/sql/scan.ts: the rows of a trace's tables, as a table function of DuckDB's: it asks for one chunk after the other,
// of the columns that the query needs, and stops asking when it has enough. query.ts registers it.
// Nothing of the trace is kept: a query reads the files for each table that it names.

import { DuckDBTableFunction, INTEGER } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import type { TraceLoss } from '../ctf/model.js'
import { splitTime } from '../ctf/packet-walk.js'
import type { OnFault } from '../ctf/read/find.js'
import { Merge } from '../ctf/read/merge.js'
import { CHUNK_ROWS, columnOf, duckType, type Strings } from './columns.js'
import { type Asked, compilePuts, putTime } from './puts.js'
import type { Table } from './tables.js'

/** `SCAN(n)` has the rows of the table of that number. */
export const SCAN = 'blkin_scan'

/** Where it is missing, a fault ends the query. */
interface Faults {
  onFault?: OnFault
}

export function scanFunction(path: string, tables: Table[], faults: Faults): DuckDBTableFunction {
  return DuckDBTableFunction.create({
    name: SCAN,
    parameterTypes: [INTEGER],
    supportsProjectionPushdown: true,
    bindFunction(bind) {
      const table = tables[bind.getParameter(0) as number]!
      for (const { name, type } of table.columns) bind.addResultColumn(name, duckType(type))
      bind.setBindData(table)
    },
    initFunction(init) {
      const table = init.bindData as Table
      try {
        init.setInitData(new Scan(path, table, init.getColumnIndexes(), faults))
      } catch (error) {
        init.setError((error as Error).message)
      }
      init.setMaxThreads(1)
    },
    mainFunction(info, output) {
      try {
        const scan = info.initData as Scan
        output.rowCount = scan.read()
        for (const [i, { values }] of scan.asked.entries())
          values.handOver(duckdb.data_chunk_get_vector(output.chunk, i), output.rowCount)
      } catch (error) {
        info.setError((error as Error).message)
      }
    },
  })
}

class Scan {
  readonly asked: Asked[]
  readonly #merge: Merge
  #rows = 0

  constructor(
    path: string,
    readonly table: Table,
    columns: number[],
    faults: Faults,
  ) {
    // where it only counts, DuckDB asks for a column that the table has not
    this.asked = columns.map((i) => {
      const column = table.columns[i] ?? table.columns[0]!
      return { column, values: columnOf(column.type) }
    })
    const { lost, tracepoint } = table
    const wants = (name: string) => !lost && (tracepoint === undefined || name === tracepoint)
    this.#merge = new Merge(path, { wants, ...faults }, (info, declared) => {
      const put = compilePuts(info, declared, this.asked)
      return (walk) => put(walk, this.#rows)
    })
  }

  /** Fills the columns with the next rows; returns how many. */
  read(): number {
    const { lost } = this.table
    this.#rows = 0
    while (this.#rows < CHUNK_ROWS) {
      const cursor = this.#merge.next()
      if (cursor === undefined) break
      if (cursor.loss === undefined) {
        if (cursor.readPayload()) this.#rows++
        else for (const { values } of this.asked) values.forget(this.#rows)
      } else if (lost) this.#putLoss(cursor.loss)
    }
    return this.#rows
  }

  #putLoss(loss: TraceLoss): void {
    const { seconds, nanoseconds, trace, stream, events, packets } = loss
    const row = this.#rows++
    for (const { column, values } of this.asked) {
      const { row: source } = column.source as { row: string }
      const { view } = values
      if (source === 'time') putTime(values, row, seconds, nanoseconds)
      else if (source === 'until') putTime(values, row, ...splitTime(loss.until))
      else if (source === 'pid' || source === 'stream')
        view.setUint32(row * 4, source === 'pid' ? trace.pid : stream, true)
      else if (source === 'events' || source === 'packets')
        view.setBigUint64(row * 8, source === 'events' ? events : packets, true)
      else {
        const text = Buffer.from(source === 'host' ? trace.hostname : trace.program)
        ;(values as Strings).put(row, text, 0, text.length)
      }
    }
  }
}
