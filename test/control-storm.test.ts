// test/control-storm.test.ts: 500 tracepoints under load in three threads, and a controller that changes the rules of one
// session a thousand times, while another session wants everything. All accounts stay exact, and nothing grows.

import { availableParallelism } from 'node:os'
import type { RuleRequest } from '@blkin/relay'
import { expect, test } from 'vitest'
import { contentsOf, controllerOf, folderOf, rss, spec, threads } from './support/control.js'
import { loaded, lostOf, ofLoaded, sum } from './support/loaded.js'
import { relay } from './support/relays.js'

const tracepoints = 500

/** Twenty rules of every kind. */
const rules: RuleRequest[] = [
  { pattern: 'loaded:*' },
  { pattern: 'loaded:e1*', exclude: ['loaded:e12*', '*:*7'] },
  { pattern: 'l*d:*5', sample: { keep: 1, of: 3 } },
  { pattern: '*:e2*', level: 4 },
  { pattern: '*:e3*', level: 6, exactly: true },
  { pattern: 'loaded:*', on: false, exclude: ['*:*1', '*:*2', '*:*3'] },
  { pattern: 'loaded:*', filter: '(n & 1) == 0 && thread == 1' },
  { pattern: 'loaded:e4*', filter: 'text == "*7"' },
  { pattern: 'loaded:*9', filter: 'k > 100 || $ctx.tid != 0', sample: { keep: 9, of: 10 } },
  { pattern: '*:*', filter: 'missing == 1' }, // fits none, as each emitter finds
  { pattern: 'loaded:e?' },
  ...Array.from({ length: 9 }, (_, i) => ({ pattern: `loaded:*${i}`, sample: { keep: i + 1, of: 10 } })),
].map((rule) => ({ ...rule, pattern: rule.pattern.replace('?', '*') }))

test.each([
  { how: 'rings by CPU', env: {} },
  { how: 'rings by thread', env: { BLKIN_RING: 'thread' } },
])('rules changed a thousand times under load, $how', { timeout: 120_000 }, async ({ env }) => {
  expect(rules).toHaveLength(20)
  const [always, changing] = [await relay(), await relay()]
  const program = await loaded(tracepoints, 2, { ...always.env, BLKIN_BUFFER: '4x256K', ...env })
  const control = await controllerOf(program)
  const folder = await folderOf(program)
  const channel = { subBufferBytes: 65536, subBuffers: 4, mode: 'discard' as const }
  await control.openSession(spec('changing', changing.address, { channel }))
  const sizes: { rss: number; bytes: number; rings: number; threads: number }[] = []
  for (let i = 0; i < 1000; i++) {
    const rule = rules[(i * 7) % rules.length] as RuleRequest
    if (i % 3 === 2) await control.disable('changing', rule.pattern)
    else await control.enable('changing', rule)
    if (i % 100 === 99)
      sizes.push({ rss: rss(program.pid), ...contentsOf(folder), threads: threads(program.pid) })
  }
  const last = await control.closeSession('changing', 20_000)
  const told = await program.stop()
  expect(told.delivered).toBe(true)

  const all = await ofLoaded(always.output, tracepoints)
  const lost = lostOf(told.status.lost)
  expect({ lost: all.lost, all: all.events.length + all.lost }).toEqual({
    lost,
    all: sum(told.emitted),
  })

  const some = await ofLoaded(changing.output, tracepoints)
  expect({ events: some.events.length, lost: some.lost }).toEqual({
    events: last.last.events,
    lost: lostOf(last.last.lost),
  })
  expect(last.delivered).toBe(true)
  expect(some.events.length).toBeGreaterThan(1000)
  expect(some.events.length).toBeLessThan(all.events.length + all.lost)

  const [early, late] = [sizes[4], sizes.at(-1)] as [(typeof sizes)[0], (typeof sizes)[0]]
  console.log(`${sum(told.emitted)} emitted, ${all.lost} lost, ${some.events.length} in the other session`)
  console.log(`memory ${sizes.map(({ rss }) => (rss / 2 ** 20).toFixed(1)).join(' ')} MiB`)
  expect(late.rss - early.rss, 'memory').toBeLessThan(16 * 2 ** 20)
  expect(late.bytes, 'bytes in the folder, without rings').toBe(early.bytes)
  // Each session has one of a CPU once it is used, or of a thread: the main one and two Workers.
  expect(late.rings).toBeLessThanOrEqual(2 * Math.max(availableParallelism(), 3))
  expect(late.threads).toBe(early.threads)
})
