// test/sql-command.test.ts: `blkin sql` as a user types it, on what real programs recorded: what it prints and writes, what it says
// of a query that cannot be, and that it holds no more of a long trace than of a short one.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { blkin, cli, json } from './support/cli.js'
import { blocksOf } from './support/markdown.js'
import { program } from './support/run.js'
import { wordsOf } from './support/shell.js'

const folder = mkdtempSync(join(tmpdir(), 'blkin-cli-sql-'))
const trace = join(folder, 'trace')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function record(output: string, pairs: number): void {
  const command = ['--', process.execPath, program('blk.mjs'), String(pairs)]
  const args = ['record', '-e', 'blockstore:*', '-o', output, '--mode', 'block:1000', ...command]
  const { status, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8' })
  expect(status, stderr).toBe(0)
}

beforeAll(() => record(trace, 1000))

const page = blocksOf('docs/sql.md')

test('a query of the page prints what the page shows', async () => {
  const shown = page.find(({ language }) => language === 'console')!
  const [command = '', ...lines] = shown.text.split('\n')
  const [[, , query = ''] = []] = wordsOf({ ...shown, text: command })
  expect(await blkin('sql', trace, query)).toEqual({ code: 0, out: lines.join('\n'), err: '' })
})

test('the commands of the page run', async () => {
  for (const [verb = '', , ...words] of wordsOf(page.find(({ language }) => language === 'sh')!)) {
    const { code, out, err } = await blkin(
      verb,
      trace,
      ...words.map((word) => (/^(slow|tables)/.test(word) ? join(folder, word) : word)),
    )
    expect({ code, said: out !== '' || err !== '' }, words.join(' ')).toEqual({ code: 0, said: true })
  }
  expect(readdirSync(join(folder, 'tables')).sort()).toEqual([
    'blockstore.mapped.parquet',
    'blockstore.request.parquet',
    'lost.parquet',
  ])
})

test('--json has the values of view --json, and --csv quotes what needs it', async () => {
  const rows = json<Record<string, unknown>>(await blkin('sql', trace, '--json', 'from blockstore.request'))
  const events = json<{ time: string; cpu: number; fields: object }>(
    await blkin('view', trace, '--json', '-e', 'blockstore:request'),
  )
  const got = rows.map(({ time, cpu, op, offset, length }) => ({ time, cpu, op, offset, length }))
  expect(got).toEqual(events.map(({ time, cpu, fields }) => ({ time, cpu, ...fields })))
  const csv = await blkin(
    'sql',
    trace,
    '--csv',
    `select 'a,"b"' as "x,y", null as n, [1, 2] as l, 18446744073709551615::ubigint as u`,
  )
  expect(csv.out).toBe(`"x,y",n,l,u\n"a,""b""",,"[1,2]",18446744073709551615\n`)
})

test('what cannot be is said in words, with exit code 2; a folder without traces is 3', async () => {
  const cases: [string[], number, RegExp][] = [
    [
      [trace, 'select * from blockstore.reqest'],
      2,
      /no table reqest; the trace has events, lost, blockstore\.mapped, blockstore\.request\n$/,
    ],
    [[trace, 'drop view events'], 2, /^blkin: DROP changes something; expected a query, such as SELECT\n$/],
    [[trace, ''], 2, /QUERY: "": expected a SELECT/],
    [
      [trace, 'select 1', '--csv', '--json'],
      2,
      /'--csv' cannot be used with option '--json'|'--json' cannot be used with option '--csv'/,
    ],
    [[trace, 'select 1', '--parquet', folder], 2, /--parquet: .* is there already; expected a new file/],
    [[trace, '--parquet', folder], 2, /--parquet: .* is there already; expected a new or an empty folder/],
    [[join(folder, 'none')], 3, /none: no such folder/],
  ]
  for (const [args, code, words] of cases) {
    const done = await blkin('sql', ...args)
    expect(done, args.join(' ')).toMatchObject({ code, out: '', err: expect.stringMatching(words) })
  }
})

test('a stream that is broken is told, its other rows are counted, and the exit code is 1', async () => {
  const copy = join(folder, 'broken')
  record(copy, 10)
  const [own] = readdirSync(copy).filter((name) => !name.startsWith('.'))
  writeFileSync(join(copy, own!, 'events_77'), 'no packet')
  const { code, out, err } = await blkin('sql', copy, '--csv', 'select count(*) as n from events')
  expect({ code, out }).toEqual({ code: 1, out: 'n\n20\n' })
  expect(err).toMatch(
    /^blkin: .*events_77: the file ends after 9 bytes in the packet at byte 0; passed over\n$/,
  )
})

test('a reader that goes away ends it, and nothing stays', () => {
  const shell = `"$0" "$1" sql "$2" --csv 'select * from events a, events b' | head -3; exit \${PIPESTATUS[0]}`
  const env = { ...process.env, TMPDIR: folder }
  const done = spawnSync('bash', ['-c', shell, process.execPath, cli, trace], {
    encoding: 'utf8',
    env,
    timeout: 60_000,
  })
  expect(done).toMatchObject({ status: 0, stderr: '' })
  expect(done.stdout.split('\n').length).toBe(4)
  expect(readdirSync(folder).filter((name) => name.startsWith('blkin-sql-'))).toEqual([])
})

test('a trace of a million events takes the memory of a short one', async () => {
  const long = join(folder, 'long')
  record(long, 500_000)
  const query = 'select op, count(*) n, sum(length) s from blockstore.request group by op'
  const told = 'process.on("exit", () => console.error(process.resourceUsage().maxRSS))'
  const runs = [trace, long].map((path) => {
    const args = ['--import', `data:text/javascript,${told}`, cli, 'sql', path, '--json', query]
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    return { row: JSON.parse(stdout), mib: Number(stderr) / 1024 }
  })
  expect(runs.map(({ row }) => row)).toEqual([
    { op: 'write', n: 1000, s: 4_096_000 },
    { op: 'write', n: 500_000, s: 2_048_000_000 },
  ])
  expect(runs[1]!.mib - runs[0]!.mib, 'MiB more').toBeLessThan(60)
}, 60_000)
