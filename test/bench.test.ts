// test/bench.test.ts: that `npm run bench` runs, measures every row and counts what it recorded. Times are not judged:
// other tests run beside it.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { recordedEvents, rows, targets, work } from '../bench/lib/rows.mjs'
import { quantile, spread } from '../bench/lib/stats.mjs'
import { missingPackages } from '../scripts/lib/debian.mjs'

const root = join(import.meta.dirname, '..')
const absent = missingPackages(['cmake', 'lttng-tools', 'liblttng-ust-dev'])
const here = rows.filter((row) => row.in !== 'lttng' || absent.length === 0)

interface Result {
  medians: Record<string, { p25: number; median: number; p75: number }>
  targets: { of: string; to?: string; measured?: { median: number } }[]
  pack: { perSecond: number }
  endToEnd: { best?: { emitted: number; lost: number; stored: number; counted: number } }
  account: {
    sessions: { name: string; emitted: number; lost: number; overwritten: number; counted: number }[]
    emitted: Record<string, number>
    refused: Record<string, number>
    sampledKept: number
    bytes: Record<string, number>
  }
}

let text = ''
let result: Result

beforeAll(() => {
  if (absent.includes('cmake')) return
  const folder = mkdtempSync(join(tmpdir(), 'blkin-bench-test-'))
  const before =
    existsSync(join(root, 'docs/benchmark.md')) && readFileSync(join(root, 'docs/benchmark.md'), 'utf8')
  const args = ['scripts/bench.mjs', '--quick', `--out=${folder}/bench.md`, `--json=${folder}/bench.json`]
  execFileSync(process.execPath, args, { cwd: root, stdio: 'pipe' })
  text = readFileSync(join(folder, 'bench.md'), 'utf8')
  result = JSON.parse(readFileSync(join(folder, 'bench.json'), 'utf8'))
  rmSync(folder, { recursive: true })
  if (before) expect(readFileSync(join(root, 'docs/benchmark.md'), 'utf8')).toBe(before)
}, 240_000)

test.skipIf(absent.includes('cmake'))('every row has a time and a line in the table', () => {
  for (const { id } of [...here, ...work]) {
    const { p25, median, p75 } = result.medians[id]!
    expect(p25, id).toBeGreaterThan(0)
    expect(median, id).toBeGreaterThanOrEqual(p25)
    expect(p75, id).toBeGreaterThanOrEqual(median)
  }
  for (const { says } of here) expect(text).toContain(`| ${says} |`)
  for (const target of targets) {
    if (absent.length === 0 || !target.to?.startsWith('lttng')) expect(text).toContain(`| ${target.says} |`)
  }
})

test.skipIf(absent.includes('cmake'))(
  'what was timed was recorded: the files hold all that was not lost',
  () => {
    const { account, endToEnd } = result
    for (const { name, emitted, lost, overwritten, counted } of account.sessions) {
      const kept = name === 'refusing' ? account.sampledKept : 0
      expect(counted, name).toBe(emitted + kept - lost - overwritten)
    }
    const of = (name: string) => account.sessions.find((one) => one.name === name)
    for (const name of ['second', 'third']) expect(of(name)?.emitted).toBe(account.emitted.three)
    expect(of('overwrite')?.overwritten, 'the ring went round').toBeGreaterThan(0)
    expect(account.refused.filtered).toBe(account.emitted.filtered)
    for (const event of Object.keys(recordedEvents)) expect(account.emitted[event], event).toBeGreaterThan(0)
    expect(account.bytes).toEqual({ none: 16, ints: 32, request: 32, text: 40 })
    if (endToEnd.best) expect(endToEnd.best.counted).toBe(endToEnd.best.stored)
  },
)

test.skipIf(absent.includes('cmake'))('ratios are of the order that they must be', () => {
  const ns = (id: string) => result.medians[id]!.median
  expect(ns('js.off'), 'off is cheaper than any call into C++').toBeLessThan(ns('js.floor'))
  expect(ns('js.ints') / ns('js.floor')).toBeGreaterThan(0.7)
  expect(ns('js.ints') / ns('js.floor')).toBeLessThan(20)
  expect(result.pack.perSecond).toBeGreaterThan(1e5)
  expect(text, 'no number is missing').not.toMatch(/NaN|undefined|Infinity/)
})

test('a quantile lies between its neighbours', () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5)
  expect(spread([1])).toEqual({ p25: 1, median: 1, p75: 1 })
  expect(spread([10, 20, 30, 40, 50])).toEqual({ p25: 20, median: 30, p75: 40 })
})
