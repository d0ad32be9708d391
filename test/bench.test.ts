// test/bench.test.ts: that `npm run bench` runs, measures every row and counts what it recorded; and that what is published is what
// its JSON says. Times are not judged here: other tests run beside it. scripts/test.mjs runs the comparison alone.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { chart } from '../bench/lib/chart.mjs'
import { isWorse } from '../bench/lib/gate.mjs'
import { jobName, jobSource } from '../bench/lib/job.mjs'
import { programs } from '../bench/lib/programs.mjs'
import { figures, report } from '../bench/lib/report.mjs'
import { garbageRows, latencyRows, recordedEvents, rows, targets } from '../bench/lib/rows.mjs'
import { quantile, spread, summary } from '../bench/lib/stats.mjs'
import { missingPackages } from '../scripts/lib/debian.mjs'

const root = join(import.meta.dirname, '..')
const absent = missingPackages(['cmake', 'lttng-tools', 'liblttng-ust-dev'])
const here = rows.filter((row) => row.in !== 'lttng' || absent.length === 0)
const page = (name: string) => readFileSync(join(root, name), 'utf8')

interface Spread {
  p25: number
  median: number
  p75: number
}
interface NodeResult {
  costs: Record<string, Spread>
  targets: (Spread & { says: string; interval: [number, number] })[]
  programs: Spread[]
  garbage: Record<string, number>
  latency: Record<string, { p50: number; p99: number; p999: number; max: number }>
  account: {
    sessions: { name: string; emitted: number; lost: number; overwritten: number; counted: number }[]
    emitted: Record<string, number>
    refused: Record<string, number>
    sampledKept: number
    bytes: Record<string, number>
  }
}
interface Result {
  nodes: [NodeResult]
  threads: { threads: number; perSecond: Spread; cpuNs: Spread }[]
  endToEnd: { best?: { counted: number; stored: number } }
}

let text = ''
let result: Result
let node: NodeResult

beforeAll(() => {
  if (absent.includes('cmake')) return
  const folder = mkdtempSync(join(tmpdir(), 'blkin-bench-test-'))
  const before = page('docs/benchmark.md')
  const args = ['scripts/bench.mjs', '--quick', `--out=${folder}`]
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  expect(status, stderr).toBe(0) // 3: slower than published
  text = readFileSync(join(folder, 'benchmark.md'), 'utf8')
  result = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8'))
  node = result.nodes[0]
  rmSync(folder, { recursive: true })
  expect(page('docs/benchmark.md')).toBe(before)
}, 240_000)

const whole = ({ p25, median, p75 }: Spread, says: string) => {
  expect(p25, says).toBeGreaterThan(0)
  expect(median, says).toBeGreaterThanOrEqual(p25)
  expect(p75, says).toBeGreaterThanOrEqual(median)
}

test.skipIf(absent.includes('cmake'))('every row has a time and a line in the table', () => {
  for (const { id, says } of here) {
    whole(node.costs[id]!, id)
    expect(text).toContain(`| ${says} |`)
  }
  for (const { says, to } of targets)
    if (absent.length === 0 || !to?.startsWith('lttng')) expect(text).toContain(`| ${says} |`)
  const withTracepoints = programs.filter(({ form }) => form !== 'none')
  expect(node.programs).toHaveLength(withTracepoints.length)
  for (const one of node.programs) whole(one, JSON.stringify(one))
  expect(Object.keys(node.garbage)).toEqual(garbageRows)
  for (const id of latencyRows) {
    const { p50, p99, p999, max } = node.latency[id]!
    expect([p50, p99, p999, max], id).toEqual([p50, p99, p999, max].sort((a, b) => a - b))
  }
  expect(result.threads.map(({ threads }) => threads)).toEqual([1, 2, 4])
  for (const { perSecond, cpuNs } of result.threads) [perSecond, cpuNs].map((one) => whole(one, 'threads'))
})

test.skipIf(absent.includes('cmake'))(
  'what was timed was recorded: the files hold all that was not lost',
  () => {
    const { account } = node
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
    const { best } = result.endToEnd
    if (best) expect(best.counted).toBe(best.stored)
  },
)

test.skipIf(absent.includes('cmake'))('ratios are of the order that they must be', () => {
  const ns = (id: string) => node.costs[id]!.median
  expect(ns('js.off'), 'off is cheaper than any call into C++').toBeLessThan(ns('js.floor'))
  expect(ns('js.ints') / ns('js.floor')).toBeGreaterThan(0.7)
  expect(ns('js.ints') / ns('js.floor')).toBeLessThan(20)
  expect(text, 'no number is missing').not.toMatch(/NaN|undefined|Infinity/)
})

test('what is published is what bench/results.json says, of every Node and every program', () => {
  const published = JSON.parse(page('bench/results.json'))
  expect(published.nodes.map(({ line }: { line: number }) => line)).toEqual([20, 22, 24, 26])
  expect(page('docs/benchmark.md')).toBe(report(published))
  expect(page('README.md')).toContain(figures(published))
  for (const [name, svg] of Object.entries(chart(published))) {
    expect(page(`docs/images/${name}`)).toBe(svg)
    expect(svg).not.toMatch(/NaN|undefined|Infinity/)
  }
})

test('a program has as many tracepoints as its row says, in the form that it says', () => {
  for (const one of programs.filter(({ form }) => form !== 'none')) {
    const source = jobSource(one, './points.mjs')
    const calls = source.match(/(?<!const \{[^}]*)point\d+\(\{/g)
    expect(calls, jobName(one)).toHaveLength(one.count)
    const tests = source.match(/globalThis\["blkin:|if \(point\d+\.on\[0\]\)/g) ?? []
    expect(tests.length, jobName(one)).toBe(one.form === 'plain' ? 0 : one.count)
  }
})

test('a ratio is worse when all of its interval is above what was published and its spread', () => {
  const published = { median: 1.02, spread: 0.05 }
  const now = (low: number) => ({ median: low + 0.02, interval: [low, low + 0.04] as [number, number] })
  expect(isWorse(now(1.06), published), 'its median is above, and its interval is not').toBe(false)
  expect(isWorse(now(1.08), published)).toBe(true)
  expect(isWorse(now(0.9), published), 'better is not worse').toBe(false)
})

test('a quantile lies between its neighbours, and an interval around the median', () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5)
  expect(spread([1])).toEqual({ p25: 1, median: 1, p75: 1 })
  expect(spread([10, 20, 30, 40, 50])).toEqual({ p25: 20, median: 30, p75: 40 })
  const hundred = Array.from({ length: 101 }, (_, i) => i)
  const { interval, median } = summary(hundred)
  expect(median).toBe(50)
  expect(interval.map(Math.round)).toEqual([40, 60])
})
