#!/usr/bin/env node
// scripts/matrix.mjs: `npm run matrix`: the whole crash matrix (test/matrix), and its table in docs/reliability.md. A quarter of an hour; those that
// last longer than every time-out run beside the others, since they sleep.
//   NAME         the cells whose name holds it, one after the other; writes no table
//   MATRIX_SEED  that of a run before, for the same random moments
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withMarked } from './lib/marked.mjs'
import { bin, isMain, root, run } from './lib/run.mjs'

const page = join(root, 'docs/reliability.md')
const results = join(root, 'build/matrix.jsonl')
const LANES = 2
const LONG_LANES = 4

/** Of a run's lines the table: a row for each fault, with the sums over its cells. */
function matrixTable(lines) {
  const rows = new Map()
  for (const line of lines) rows.set(line.fault, [...(rows.get(line.fault) ?? []), line])
  const sum = (cells, key) => cells.reduce((all, cell) => all + (cell[key] ?? 0), 0)
  const text = [...rows].map(([fault, cells]) => {
    const failed = cells.filter(({ failed }) => failed !== undefined).length
    const skipped = cells.find(({ skipped }) => skipped !== undefined)?.skipped
    const exact = cells.length - failed
    const verdict = skipped === undefined ? `${exact} of ${cells.length}` : `skipped: ${skipped}`
    const counts = ['emitted', 'recorded', 'lost'].map((key) => sum(cells, key).toLocaleString('en'))
    return `| ${fault} | ${verdict} | ${counts.join(' | ')} |`
  })
  return [
    '| who: what | cells exact | emitted | recorded | counted as lost |',
    '| --- | --- | --- | --- | --- |',
    ...text,
  ].join('\n')
}

/** What the run comes to, in one line. */
function matrixTotal(lines, about) {
  const failed = lines.filter((line) => line.failed !== undefined).length
  const skipped = lines.filter((line) => line.skipped !== undefined).length
  const exact = lines.length - failed - skipped
  return `${lines.length} cells, ${about}: ${exact} exact, ${failed} failed, ${skipped} skipped.`
}

/** docs/reliability.md with the run between its marks. */
const withMatrix = (text, lines, about) =>
  withMarked('docs/reliability.md', text, { matrix: `${matrixTotal(lines, about)}\n\n${matrixTable(lines)}` })

async function main() {
  const name = process.argv[2]
  const seed = process.env.MATRIX_SEED ?? String(Date.now() % 1_000_000)
  console.log(`matrix: seed ${seed}`)
  mkdirSync(join(root, 'build'), { recursive: true })
  rmSync(results, { force: true })
  const vitest = (lane, lanes, isLong) =>
    run(process.execPath, [bin('vitest'), 'run', '--project', 'together', 'test/matrix.test.ts'], {
      show: true,
      env: {
        ...{ MATRIX_CELLS: name ?? '', MATRIX_LANE: `${lane}/${lanes}`, MATRIX_LONG: isLong ? '1' : '0' },
        ...{ MATRIX_RESULTS: results, MATRIX_SEED: seed },
      },
    })
  const lanes = (count, isLong) => Array.from({ length: count }, (_, lane) => vitest(lane, count, isLong))
  const isWhole = name === undefined
  const done = await Promise.all([
    ...lanes(isWhole ? LANES : 1, false),
    ...lanes(isWhole ? LONG_LANES : 1, true),
  ])
  if (!existsSync(results)) throw new Error(`no cell's name holds ${JSON.stringify(name)}`)
  const lines = readFileSync(results, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  lines.sort((a, b) => a.fault.localeCompare(b.fault))
  const about = `seed ${seed}, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}`
  console.log(matrixTotal(lines, about))
  for (const { name, failed } of lines) if (failed !== undefined) console.log(`FAILED: ${name}: ${failed}`)
  if (isWhole) writeFileSync(page, withMatrix(readFileSync(page, 'utf8'), lines, about))
  process.exitCode = done.every(({ code }) => code === 0) ? 0 : 1
}

if (isMain(import.meta)) await main()
