// test/bench-chain.test.ts: that `npm run bench:chain` runs in its short form, finds no state beyond its bound and counts what was recorded;
// and that what is published is what its JSON says.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { bounds, isBeyond } from '../bench/chain/bounds.mjs'
import { annotations } from '../bench/chain/path.mjs'
import { pictures } from '../bench/chain/picture.mjs'
import { figures, report } from '../bench/chain/report.mjs'
import { partResults } from '../bench/chain/results.mjs'
import { theirRatio } from '../bench/chain/states.mjs'
import { ways } from '../bench/chain/ways.mjs'
import { strip, weave } from '../bench/chain/weave.mjs'
import { bootstrapped } from '../bench/lib/stats.mjs'
import { missingPackages } from '../scripts/lib/debian.mjs'

const root = join(import.meta.dirname, '..')
const absent = missingPackages(['fio'])
const page = (name: string) => readFileSync(join(root, name), 'utf8')

interface Part {
  rows: { state: string; ratio?: { median: number }; threads: { process: string; thread: string }[] }[]
  accounts: { state: string; writes: number; recorded: number; lost: number }[]
}
let part: Part

beforeAll(() => {
  if (absent.length > 0) return
  const folder = mkdtempSync(join(tmpdir(), 'blkin-chain-test-'))
  const before = page('docs/chain-overhead.md')
  const args = ['scripts/bench-chain.mjs', '--quick', `--out=${folder}`]
  const options = { cwd: root, encoding: 'utf8', timeout: 230_000 } as const
  const { status, stderr } = spawnSync(process.execPath, args, options)
  expect(status, stderr).toBe(0) // 3: beyond a bound
  part = JSON.parse(readFileSync(join(folder, 'chain-results.json'), 'utf8'))
  rmSync(folder, { recursive: true })
  expect(page('docs/chain-overhead.md')).toBe(before)
}, 240_000)

test.skipIf(absent.length > 0)('each state that has a bound has a ratio, and threads by name', () => {
  for (const state of Object.keys(bounds)) {
    const row = part.rows.find((one) => one.state === state)
    expect(row?.ratio?.median, state).toBeGreaterThan(0)
    for (const process of ['fio', 'block server', 'stores'])
      expect(
        row?.threads.some((one) => one.process === process),
        `${state}: ${process}`,
      ).toBe(true)
  }
  const live = part.rows.find(({ state }) => state === 'live')
  expect(live?.threads).toContainEqual(expect.objectContaining({ process: 'relay', thread: 'main' }))
  expect(live?.threads).toContainEqual(expect.objectContaining({ process: 'stores', thread: 'consumer' }))
})

test.skipIf(absent.length > 0)(
  'a write of the build with annotations has as many as one of BlkKin had',
  () => {
    const { writes, recorded, lost } = part.accounts.find(({ state }) => state === 'live113')!
    expect(writes).toBeGreaterThan(0)
    expect(Math.round((recorded + lost) / writes)).toBe(annotations)
  },
)

test('what is published is what bench/chain-results.json says', () => {
  const published = JSON.parse(page('bench/chain-results.json'))
  expect(Object.keys(published.parts)).toEqual(
    expect.arrayContaining(['nbd-20', 'nbd-24', 'guest-20', 'rados-20']),
  )
  expect(page('docs/chain-overhead.md')).toBe(report(published))
  expect(page('README.md')).toContain(figures(published))
  for (const [name, svg] of Object.entries(pictures(published))) {
    expect(page(`docs/images/${name}`)).toBe(svg)
    expect(svg).not.toMatch(/NaN|undefined|Infinity/)
  }
})

test('a part that cannot be measured is told, not passed over', () => {
  const published = JSON.parse(page('bench/chain-results.json'))
  published.parts['guest-20'] = { missing: 'qemu-system-x86 not installed' }
  expect(report(published)).toContain(
    '- Left out: fio in a QEMU guest, two file stores, Node 20: qemu-system-x86 not installed.',
  )
})

test('what was emitted and neither recorded nor counted as lost fails', () => {
  const raw = (events: number, lost: number) => ({
    slices: [],
    accounts: [{ state: 'live', writes: 1000, loads: 1, totals: { events, lost, traces: [] } }],
  })
  const [way] = ways
  const accountOf = (events: number, lost: number) => partResults(way!, raw(events, lost), {}).accounts[0]
  expect(accountOf(7010, 0)).toMatchObject({ expected: 7000, recorded: 7010, lost: 0 })
  expect(accountOf(6500, 500)).toMatchObject({ recorded: 6500, lost: 500 })
  expect(() => accountOf(6500, 499)).toThrow(/what was emitted is not what was recorded and lost/)
  expect(() => accountOf(8000, 0), 'more than was emitted').toThrow(/what was emitted/)
})

test('a step stands before each statement that a write comes to, from where the number of its request is known', () => {
  const code = `class Server {
  *#serve() {
    for (;;) {
      const request = yield 28
      check(request)
      if (request.odd) { answer(request); continue }
      try { work(request) } finally { done(request) }
    }
  }
}`
  const woven = weave('a-server', code, [{ in: 'serve', id: 'request.id' }])
  expect(woven.steps).toEqual([1, 2, 3, 4].map((n) => `a_server_serve_${n}`))
  expect(woven.code).toContain('step.a_server_serve_1({ id: request.id }); check(request)')
  expect(woven.code).toContain('finally { step.a_server_serve_4({ id: request.id }); done(request) }')
  expect(() => weave('a-server', code, [{ in: 'gone', id: 'x' }])).toThrow(
    'a-server: 0 functions gone; expected one',
  )
})

test('the build without tracing code has no call of a tracepoint', () => {
  const { code, stripped } = strip('blk.request({ id })\nif (x) obj.send({ id })\nother.request({ id })')
  expect(stripped).toBe(2)
  expect(code).toBe(';\nif (x) ;\nother.request({ id })')
})

test("BlkKin's ratios are those of the thesis", () => {
  const state = (id: string, form: string) => theirRatio('random', { id, form })
  expect(state('off', 'store')).toBeCloseTo(1 - 0.06, 3)
  expect(state('live113', 'steps')).toBeCloseTo(1107.8 / 1247, 6)
  expect(state('flight113', 'steps'), 'they had none').toBeUndefined()
})

test('an interval holds the medians of rounds drawn again', () => {
  const { median, interval } = bootstrapped([0.9, 0.91, 0.92, 0.93, 0.94, 0.95, 0.5])
  expect(median).toBe(0.92)
  expect(interval[0]).toBeGreaterThanOrEqual(0.5)
  expect(interval[0]).toBeLessThan(0.92)
  expect(interval[1]).toBeGreaterThan(0.92)
  expect(bootstrapped([0.7]).interval).toEqual([0.7, 0.7])
})

test('a ratio is beyond its bound when all of its interval is below', () => {
  expect(isBeyond({ interval: [0.4, 0.54] }, 0.55)).toBe(true)
  expect(isBeyond({ interval: [0.3, 0.56] }, 0.55)).toBe(false)
})
