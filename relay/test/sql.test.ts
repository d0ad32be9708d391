// relay/test/sql.test.ts: what SQL sees of a trace is what `view --json` prints of it, for any trace we can write; which tables
// there are, what is refused, and what Parquet files have.

import { appendFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { eventBlock, preamble } from '../src/ctf/metadata.js'
import { openTables, sqlName, type Table, type TraceTables, view } from '../src/index.js'
import { types } from '../src/protocol/wire.js'
import { field, tracepoint } from './client.js'
import { encode, StreamWriter } from './ctf-writer.js'
import { collect, folder } from './helpers.js'
import { processes, writeTraces } from './random-trace.js'

const { Type, Shape } = types
type Row = Record<string, unknown>

async function rowsOf(tables: TraceTables, sql: string): Promise<Row[]> {
  const { columns, rows } = await tables.query(sql)
  const found: Row[] = []
  for await (const some of rows)
    for (const row of some)
      found.push(Object.fromEntries(columns.map((name, i) => [name, tables.json(row[i]!)])))
  return found
}

interface Line extends Row {
  provider: string
  event: string
  context?: Row
  fields: Row
}

async function jsonOf(path: string): Promise<Line[]> {
  const output = collect()
  await view({ path, json: true, output })
  return output
    .text()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

/** What a table must say of an event, by what `view --json` says. */
function expected(table: Table, line: Line): Row {
  const { context = {}, fields } = line
  return Object.fromEntries(
    table.columns.flatMap(({ name, source, type }) => {
      if (name === 'stream') return [] // which is not in a line
      if ('row' in source) return [[name, line[source.row]]]
      const value = 'field' in source ? fields[source.field] : context[source.context]
      return [[name, value === undefined ? null : inColumn(value, type)]]
    }),
  )
}

/** A label that is none is a number's text, any number but 0 is true, and DuckDB's JSON has no -0. */
function inColumn(value: unknown, { base, list }: Table['columns'][0]['type']): unknown {
  if (Array.isArray(value)) return list ? value.map((one) => inColumn(one, { base, list })) : jsonText(value)
  if (base === 'VARCHAR') return typeof value === 'string' ? value : jsonText(value)
  if (base === 'BOOLEAN') return Boolean(value)
  return value === 0 ? 0 : value
}

const jsonText = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(jsonText)}]` : Object.is(value, -0) ? '-0' : JSON.stringify(value)

const plain = (rows: unknown): unknown => JSON.parse(JSON.stringify(rows))

test('a table has what view --json prints, in its order', async () => {
  await fc.assert(
    fc.asyncProperty(processes, fc.gen(), async (made, gen) => {
      const path = writeTraces(made, gen)
      const lines = await jsonOf(path)
      const tables = await openTables(path)
      try {
        for (const table of tables.tables) {
          const own = lines.filter((line) => {
            if (table.name === 'lost' && table.schema === undefined) return 'lost' in line
            return (
              'event' in line &&
              (table.schema === undefined || `${line.provider}:${line.event}` === table.tracepoint)
            )
          })
          const rows = await rowsOf(tables, `SELECT * EXCLUDE (stream) FROM ${sqlName(table)}`)
          expect(rows.length, table.name).toBe(own.length)
          if (!table.lost) expect(plain(rows)).toEqual(plain(own.map((line) => expected(table, line))))
        }
      } finally {
        tables.close()
      }
    }),
    { numRuns: 10, endOnFailure: true, interruptAfterTimeLimit: 20_000 },
  )
})

const start = 1_700_000_000_000_000_000n

/** A trace of those tracepoints, with an event for each payload. */
function traceOf(
  declared: Parameters<typeof tracepoint>[],
  events: [number, Buffer][],
  name = 'trace',
  root = folder(),
) {
  const path = join(root, name)
  mkdirSync(path)
  const uuid = Buffer.alloc(16, name)
  const who = { uuid, hostname: 'h', program: 'node', pid: 7, bootId: Buffer.alloc(16, 7), synced: false }
  const process = { ...who, startedAt: 1n, session: 'default', contexts: [], clockOffset: start }
  writeFileSync(
    join(path, 'metadata'),
    preamble(process) + declared.map((one) => eventBlock(tracepoint(...one))).join(''),
  )
  const writer = new StreamWriter(uuid, 0)
  writer.start(0n)
  for (const [i, [id, payload]] of events.entries()) writer.event(id, BigInt(i), payload)
  writer.take(3n)
  writeFileSync(join(path, 'events_0'), writer.all())
  return root
}

const withTables = async <T>(
  path: string,
  use: (tables: TraceTables) => Promise<T>,
  options = {},
): Promise<T> => {
  const tables = await openTables(path, options)
  try {
    return await use(tables)
  } finally {
    tables.close()
  }
}

test('a name declared with several forms is one table, exact for whole numbers and text for the rest', async () => {
  const path = traceOf(
    [
      [0, 'p:a', [field('n', Type.U64), field('x', Type.F32), field('m', Type.U8), field('extra', Type.U8)]],
      [1, 'p:a', [field('n', Type.I8), field('x', Type.STRING), field('m', Type.I32)]],
    ],
    [
      [
        0,
        Buffer.concat([
          encode('u64', 2n ** 64n - 1n),
          encode('f32', 0.5),
          encode('u8', 200),
          encode('u8', 1),
        ]),
      ],
      [1, Buffer.concat([encode('i8', -3), encode('string', 'it'), encode('i32', -(2 ** 31))])],
    ],
  )
  await withTables(path, async (tables) => {
    expect(await rowsOf(tables, 'SELECT n, x, m, extra, typeof(n) t FROM p.a')).toEqual([
      { n: '18446744073709551615', x: '0.5', m: 200, extra: 1, t: 'HUGEINT' },
      { n: -3, x: 'it', m: -(2 ** 31), extra: null, t: 'HUGEINT' },
    ])
    expect(await rowsOf(tables, 'SELECT events, packets, until FROM lost')).toEqual([
      { events: 3, packets: 0, until: '2023-11-14T22:13:20.000000001Z' },
    ])
  })
})

test('names that SQL takes for one are told apart', async () => {
  const declared: Parameters<typeof tracepoint>[] = [
    [0, 'p:Io', [field('time', Type.U8), field('a', Type.U8), field('A', Type.U8)]],
    [1, 'p:io', []],
    [2, 'temp:order', []],
    [3, 'main:events', []],
    [4, 'web.app:get-it', []],
  ]
  const path = traceOf(declared, [[0, Buffer.from([1, 2, 3])], [4, Buffer.alloc(0)]]) // biome-ignore format: a row an event
  await withTables(path, async (tables) => {
    expect(tables.tables.map(sqlName)).toEqual([
      'events',
      'lost',
      'main.events_1',
      'p.Io',
      'p.io_1',
      'temp_1."order"',
      '"web.app"."get-it"',
    ])
    expect(await rowsOf(tables, 'SELECT time_1, a, a_1 FROM p.io')).toEqual([{ time_1: 1, a: 2, A_1: 3 }])
    for (const table of tables.tables) await rowsOf(tables, `SELECT * FROM ${sqlName(table)}`)
  })
})

test('bytes that are no UTF-8 do not reach DuckDB', async () => {
  const path = traceOf([[0, 'p:s', [field('s', Type.STRING)]]], [[0, Buffer.from([0xc3, 0x28, 0])]])
  await withTables(path, async (tables) => {
    expect(await rowsOf(tables, 'SELECT s FROM p.s')).toEqual([{ s: '\ufffd(' }])
  })
})

test('values longer than a vector holds, and lists of more than a chunk', async () => {
  const long = 'x'.repeat(3000)
  const kinds = [field('s', Type.STRING), field('l', Type.U8, { shape: Shape.SEQUENCE })]
  const payload = Buffer.concat([encode('string', long), encode({ sequence: 'u8' }, [1, 2, 3])])
  const path = traceOf(
    [[0, 'p:s', kinds]],
    Array.from({ length: 5000 }, () => [0, payload]),
  )
  await withTables(path, async (tables) => {
    const sql = 'SELECT count(*) n, sum(length(s)) s, sum(list_sum(l)) l, count(distinct s) d FROM p.s'
    expect(await rowsOf(tables, sql)).toEqual([{ n: 5000, s: 15_000_000, l: 30_000, d: 1 }])
  })
})

const small = () => traceOf([[0, 'disk:io', [field('n', Type.U32)]]], [[0, encode('u32', 5)], [0, encode('u32', 6)]]) // biome-ignore format: a row an event

test.each([
  ['SELECT * FROM disk.oi', 'no table oi; the trace has events, lost, disk.io'],
  ['SELECT * FROM tape.io', 'no table tape.io; the trace has events, lost, disk.io'],
  ['SELEC 1', 'Parser Error: syntax error at or near "SELEC"'],
  ['', '0 statements came; expected one query, such as SELECT'],
  ['-- nothing', '0 statements came'],
  ['SELECT 1; SELECT 2', '2 statements came; expected one query, such as SELECT'],
  ['CREATE TABLE t AS SELECT 1', 'CREATE changes something; expected a query'],
  ["SET memory_limit = '9GB'", 'SET changes something; expected a query'],
  ["SELECT * FROM read_csv('/etc/passwd')", 'file system operations are disabled'],
  ["SELECT * FROM '/etc/passwd'", 'no table /etc/passwd; the trace has'],
  ["COPY (SELECT 1) TO '/tmp/blkin-not-there.csv'", 'file system operations are disabled'],
  ["ATTACH '/tmp/blkin-not-there.duckdb'", 'ATTACH changes something'],
  ['INSTALL httpfs', 'LOAD changes something'],
])('%s is refused', async (sql, words) => {
  await withTables(small(), async (tables) => {
    await expect(tables.query(sql)).rejects.toMatchObject({
      name: 'QueryError',
      message: expect.stringContaining(words),
    })
    expect(await rowsOf(tables, 'SELECT sum(n) n FROM disk.io'), 'and the next is answered').toEqual([
      { n: 11 },
    ])
  })
})

test('a reader that has enough ends the query, and nothing of it stays', async () => {
  const events = Array.from({ length: 20_000 }, (_, i): [number, Buffer] => [0, encode('u32', i)])
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith('blkin-sql-'))
  await withTables(traceOf([[0, 'disk:io', [field('n', Type.U32)]]], events), async (tables) => {
    const { rows } = await tables.query('SELECT n FROM disk.io')
    for await (const some of rows) {
      expect(some[0]).toEqual([0])
      break
    }
    expect(await rowsOf(tables, 'SELECT count(*) n FROM disk.io')).toEqual([{ n: 20_000 }])
  })
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith('blkin-sql-'))).toEqual(before)
})

test('a broken stream is told once and passed over, or ends the query of a program that does not ask', async () => {
  const path = small()
  appendFileSync(join(path, 'trace/events_0'), 'no packet')
  const faults: string[] = []
  const onFault = ({ message }: Error) => faults.push(message)
  const counts = ['SELECT count(*) n FROM disk.io', 'SELECT count(*) n FROM events']
  await withTables(
    path,
    async (tables) => {
      for (const sql of counts) expect(await rowsOf(tables, sql)).toEqual([{ n: 2 }])
    },
    { onFault },
  )
  expect(faults).toEqual([
    expect.stringMatching(/events_0: the file ends after 9 bytes in the packet at byte/),
  ])
  await withTables(path, async (tables) => {
    await expect(rowsOf(tables, counts[0]!)).rejects.toThrow(/the file ends after 9 bytes/)
  })
})

test('Parquet files have the rows, and no other file can be written', async () => {
  const root = folder()
  const file = join(root, "it's.parquet")
  await withTables(
    small(),
    async (tables) => {
      expect(await tables.writeParquet('SELECT time, n FROM disk.io; ', file)).toBe(2)
      const other = join(root, 'other.parquet')
      await expect(tables.writeParquet('SELECT 1', other)).rejects.toThrow(/Cannot access file/)
    },
    { writable: [file] },
  )
  const db = await DuckDBInstance.create(':memory:')
  const connection = await db.connect()
  const read = await connection.runAndReadAll(`SELECT epoch_ns(time), n FROM '${file.replace("'", "''")}'`)
  expect(read.getRows()).toEqual([[start, 5], [start + 1n, 6]]) // biome-ignore format: a row a row
  connection.closeSync()
  db.closeSync()
})
