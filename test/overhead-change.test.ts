// test/overhead-change.test.ts: what `blkin overhead` concludes from rounds: on numbers that are made, whose truth is known.
import { expect, test } from 'vitest'
import { generator } from '../bench/lib/stats.mjs'
import { changeOf, fewest, type Measure, signedRankInterval } from '../lib/cli/overhead/change.js'
import { changesOf, ofBlocks } from '../lib/cli/overhead/measures.js'
import { changeLines, changesSvg } from '../lib/cli/overhead/report.js'
import { styleFor } from '../lib/cli/print/print.js'

const time: Measure = { name: 'time', unit: 's', by: 'percent', worse: 'more' }
const random = generator(7)
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

/** Rounds on a machine that drifts by half and now and then stalls; which comes first is drawn. `effect`: on to off. */
function made(rounds: number, effect: number, noise = 0.05) {
  const [off, on]: [number[], number[]] = [[], []]
  let at = 0
  const one = () => (1 + 0.5 * (at++ / rounds / 2)) * Math.exp(noise * normal()) * (random() < 0.05 ? 3 : 1)
  for (let round = 0; round < rounds; round++) {
    const [first, second] = [one(), one()]
    const isOnFirst = random() < 0.5
    off.push(isOnFirst ? second : first)
    on.push((isOnFirst ? first : second) * effect)
  }
  return changeOf(time, off, on)
}

const share = (times: number, of: () => boolean) =>
  Array.from({ length: times }, of).filter(Boolean).length / times

test.each([6, 10, 20, 80])('of %i rounds of what does not differ, one in 20 at most is told to', (rounds) => {
  const told = share(4000, () => made(rounds, 1).isTold)
  expect(told).toBeLessThan(0.05 + 0.012) // three deviations of so many tries
  expect(told, 'nor is it blind').toBeGreaterThan(0.015)
})

test('the interval holds the true change, and a change that is there is told', () => {
  let [held, told] = [0, 0]
  for (let i = 0; i < 1000; i++) {
    const { interval, isTold } = made(20, 1.1)
    if (interval!.low <= 10 && 10 <= interval!.high) held++
    if (isTold) told++
  }
  expect(held / 1000).toBeGreaterThan(0.93)
  expect(told / 1000).toBeGreaterThan(0.85)
})

test('the interval of ten is that of the tables: eight of its means at either end are left out', () => {
  const interval = signedRankInterval([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((n) => 2 ** n))!
  const powers = Array.from({ length: 10 }, (_, i) => 2 ** (i + 1))
  const means = powers.flatMap((a, i) => powers.slice(i).map((b) => (a + b) / 2)).sort((a, b) => a - b)
  expect([interval.low, interval.high]).toEqual([means[8], means[means.length - 9]])
})

test('fewer than six rounds tell nothing, and say how many are missing', () => {
  expect(fewest).toBe(6)
  const change = changeOf(time, [1, 1, 1, 1], [2, 2, 2, 2])
  expect(change).toMatchObject({ isTold: false, off: 1, on: 2 })
  expect(change.interval).toBeUndefined()
  expect(changeLines([change], styleFor({})).at(-1)).toMatch(/too few rounds to tell: 2 more rounds needed$/)
})

const alternating = (n: number, by: number) => Array.from({ length: n }, (_, i) => (i % 2 ? 1 + by : 1 - by))

test('what is not told says how large it may be, and how many rounds one percent would take', () => {
  const change = changeOf(time, alternating(10, 0), alternating(10, 0.03))
  const [, row] = changeLines([change], styleFor({}))
  expect(row).toMatch(
    /no change that can be told from noise \(at most 3\.00 % worse\); 1 % takes some 91 rounds to tell$/,
  )
  const wild = changeOf(time, alternating(10, 0), alternating(10, 0.5))
  expect(changeLines([wild], styleFor({}))[1]).toMatch(/too noisy to tell 1 %$/)
})

test('more is worse of times, and less of what is served; what is nothing now and then has a unit, and no percent', () => {
  const round = (rate: number, cpu: number, switches: number) => ({ rate, cpu, switches, p50: 1, p99: 1 })
  const rounds = Array.from({ length: 8 }, (_, i) => ({
    off: round(100 + i, 0.5, 0),
    on: round(90 + i, 0.5, 7),
  }))
  const lines = changeLines(changesOf(ofBlocks(true), rounds), styleFor({}))
  const of = (name: string) => lines.find((line) => line.startsWith(name))
  expect(of('requests a second')).toMatch(/-9\.\d+ % .* worse$/)
  expect(of('processor time a request')).toMatch(/\+10\.\d %.* worse$/)
  expect(of('context switches a second')).toMatch(/ 0\.00 +7\.00 +\+7\.00 +\+7\.00 to \+7\.00 +worse$/)
  expect(of('latency, p50')).toMatch(/ 0\.00 % +0\.00 % to 0\.00 % +no change that can be told from noise$/)
  expect(of('event loop delay, mean'), 'nobody has told it').toBeUndefined()
})

test('the picture has a line for each measure that is compared by percent, and names are escaped', () => {
  const svg = changesSvg('a<b:* & more', [
    changeOf(
      time,
      alternating(8, 0),
      alternating(8, 0.1).map((n) => n + 1),
    ),
  ])
  expect(svg).toContain('>a&lt;b:* &amp; more</text>')
  expect(svg).toContain('>time</text>')
  expect(svg).toMatch(/\+1\d\d %/)
})

test('words above a picture go on in a line below', () => {
  const svg = changesSvg(`${'abcd '.repeat(20)}efgh ijkl`, [])
  expect(svg).toContain('>efgh ijkl</text>')
})
