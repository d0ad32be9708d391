// test/bench-stalls.test.ts: the measurement of stalls shows a stall that is there, measures all its rows in one run, and counts every event; no
// times are expected of a machine.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { folder, root } from './support/run.js'
import { describeWith } from './support/tools.js'

type Buckets = [bucket: number, count: number][]
interface Measured {
  threads: number
  rows: { id: string; calls: number; buckets: Buckets }[]
  accounts: Record<string, { emitted: number; lost: number }>
}

const { beginOf, bucketCount, bucketOf, callsIn, longest, merged, quantileOf } = await import(
  join(root, 'bench/lib/histogram.mjs')
)

test('a bucket is 1.6 % wide at the most, and holds what falls in it', () => {
  for (let ns = 4; ns < 1e10; ns *= 1.01) {
    const bucket = bucketOf(ns)
    expect(beginOf(bucket)).toBeLessThanOrEqual(ns)
    expect(beginOf(bucket + 1)).toBeGreaterThan(ns)
    expect(beginOf(bucket + 1) / beginOf(bucket)).toBeLessThan(1.017)
  }
  expect([bucketOf(0), bucketOf(-1), bucketOf(1e300)]).toEqual([0, 0, bucketCount - 1])
})

test('quantiles of several lists are those of all their calls', () => {
  const all = merged([[[bucketOf(8), 98]], [[bucketOf(1000), 1], [bucketOf(8), 1]]]) // biome-ignore format: lists
  expect(callsIn(all)).toBe(100)
  expect(quantileOf(all, 0.99)).toBe(8)
  expect(quantileOf(all, 0.999)).toBeCloseTo(1000, -2)
  expect(longest(all)).toBeLessThanOrEqual(1000)
})

describeWith(['cmake'], 'the peers', () => {
  let built: { ring: string }
  beforeAll(async () => {
    built = await (await import(join(root, 'bench/lib/build.mjs'))).build()
  }, 300_000)

  test('a planted stall is as long as it was, and as often; the loop beside it has none as often', () => {
    const { stdout } = spawnSync(built.ring, { input: 'planted 2 2000\nnothing 2 500\n', encoding: 'utf8' })
    const [planted, nothing] = stdout.trim().split('\n').map((line) => JSON.parse(line)) // biome-ignore format: a line
    const stallNs = 20e6
    const tail = (buckets: Buckets) => callsIn(buckets.filter(([bucket]) => beginOf(bucket + 1) >= stallNs))
    const calls = callsIn(planted.buckets)
    expect(calls).toBe(planted.calls)
    expect(longest(planted.buckets)).toBeGreaterThanOrEqual(stallNs * 0.98)
    // Two threads: each once in 100,000 calls, from its 50,001st on.
    expect(tail(planted.buckets)).toBeGreaterThanOrEqual(Math.floor(calls / 2 / 100_000))
    expect(quantileOf(planted.buckets, 0.5)).toBeLessThan(stallNs)
    expect(callsIn(nothing.buckets)).toBe(nothing.calls)
  })

  test('all rows are measured in one run, and every account is exact', { timeout: 300_000 }, () => {
    const out = folder()
    const script = join(root, 'scripts/bench-stalls.mjs')
    const ran = spawnSync(process.execPath, [script, '--quick', `--out=${out}`], { encoding: 'utf8' })
    expect(ran.status, ran.stderr).toBe(0)
    const result = JSON.parse(readFileSync(join(out, 'stalls.json'), 'utf8')) as Measured
    const ids = result.rows.map(({ id }) => id)
    expect(ids).toEqual(expect.arrayContaining(['c.nothing', 'c.blkin', 'js.nothing', 'js.blkin']))
    for (const { id, calls, buckets } of result.rows) {
      expect(callsIn(buckets), id).toBe(calls)
      expect(calls % 500, `${id}: whole bursts`).toBe(0)
    }
    const ring = result.rows.find(({ id }) => id === 'c.blkin')
    expect(result.accounts.ring?.emitted).toBe(ring?.calls)
    const page = readFileSync(join(out, 'stalls.md'), 'utf8')
    expect(page).toMatch(/\| nothing, C \| [\d,]+ \|/)
    const picture = readFileSync(join(out, 'images/stalls.svg'), 'utf8')
    expect(picture.match(/<polyline/g)).toHaveLength(ids.length)
    expect(picture).not.toContain('NaN')
  })
})
