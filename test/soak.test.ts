// test/soak.test.ts: how the soak (scripts/soak.mjs) judges: what grew and what did not, and accounts of a program with Workers that is
// killed: exact, and found not to be where an event was counted and never emitted.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { recover } from './support/recover.js'
import { relay, until } from './support/relays.js'
import { folder, program, result, root, start } from './support/run.js'

const { flatness } = await import(join(root, 'test/soak/flatness.mjs'))
const { Account } = await import(join(root, 'test/soak/account.mjs'))
const { faultsIn } = await import(join(root, 'test/soak/report.mjs'))

const mib = 2 ** 20
/** Sixty samples: so many MiB at first, a share of noise, and what each adds. */
const samples = (begin: number, noise: number, each: number) =>
  Array.from({ length: 60 }, (_, i) => (begin + each * i + noise * begin * Math.sin(i * 12.9898)) * mib)

test('noise and warm-up are no growth; what goes on growing is', () => {
  expect(flatness('rss', samples(150, 0.2, 0)).isFlat).toBe(true)
  const warm = samples(150, 0.05, 0).map((bytes, i) => (i < 20 ? bytes / 2 : bytes))
  expect(flatness('rss', warm).isFlat).toBe(true)
  expect(flatness('rss', samples(150, 0.05, 1.5)).isFlat).toBe(false)
  expect(
    flatness(
      'descriptors',
      Array.from({ length: 60 }, (_, i) => 30 + (i % 3)),
    ).isFlat,
  ).toBe(true)
  expect(
    flatness(
      'descriptors',
      Array.from({ length: 60 }, (_, i) => 30 + i / 2),
    ).isFlat,
  ).toBe(false)
})

test("a heap's peaks are the collector's: what counts is what is left", () => {
  const saw = Array.from({ length: 60 }, (_, i) => (20 + (i % 10) * (i < 40 ? 2 : 6)) * mib)
  expect(flatness('heap', saw).isFlat).toBe(true)
  expect(flatness('heap', saw.map((bytes, i) => bytes + (i * mib) / 4)).isFlat).toBe(false) // biome-ignore format: a line
})

test('too few samples are refused, and what never happened is a fault', () => {
  expect(() => flatness('rss', [1, 2, 3])).toThrow('rss: 3 samples; expected 12 at least')
  const faults = faultsIn({ measured: [], done: { recording: 0 }, ended: { exit: 3 }, totals: { lost: 1 } })
  expect(faults).toContain('the run was too short: never recording')
  expect(faults).toContain('the run was too short: no program ended by killed')
})

async function accountOf(planted: string) {
  const to = await relay()
  const counts = join(folder(), 'counts')
  mkdirSync(counts)
  const options = { name: 'judged', counts, turns: 2, seconds: 1, workers: 3, buffer: '2x8K', burst: 100 }
  const running = start(program('soak.mjs'), {
    args: [JSON.stringify({ ...options, end: 'kill' })],
    env: { BLKIN_RELAY: to.address, BLKIN_NAME: 'judged', SOAK_PLANT: planted },
    stdin: 'pipe',
    timeout: 60_000,
  })
  const account = new Account(counts)
  account.add({ name: 'judged', pid: running.child.pid, output: to.output })
  const { signal, stderr } = await running.ended
  expect(signal, stderr).toBe('SIGKILL')
  await result(recover, { env: to.env })
  account.add({ name: 'judged', pid: running.child.pid, output: to.output, endedAt: Date.now() })
  await until(async () => {
    await account.settle()
    return account.left.length === 0
  })
  return account.totals
}

test('each session of a program that was killed has an exact account', { timeout: 120_000 }, async () => {
  const totals = await accountOf('')
  expect(totals.sessions).toBe(2)
  expect(totals.emitted).toBeGreaterThan(1000)
  expect(totals.recorded + totals.lost).toBe(totals.emitted)
})

test('an event that was counted and never emitted is found', { timeout: 120_000 }, async () => {
  await expect(accountOf('event')).rejects.toThrow(/^judged turn-0: \d+.* emitted, \d+ recorded, \d+ lost/)
})
