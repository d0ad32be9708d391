// test/control-blocked.test.ts: control of a process whose event loop never turns again, in the main thread and in
// Workers: every call is answered, rules take effect, and what they let pass arrives.
import { describe, expect, test } from 'vitest'
import { controllerOf, spec } from './support/control.js'
import { relay, until } from './support/relays.js'
import { program, start } from './support/run.js'
import { recorded } from './support/trace.js'

const spinning = program('spinning.mjs')
const now = () => Number(process.hrtime.bigint())

test('every call is answered while the loop is blocked, and what it says is so', async () => {
  const to = await relay()
  const running = start(`
    import { writeSync } from 'node:fs'
    import { provider } from 'blkin'
    provider('blocked', { e: {} })
    writeSync(1, 'blocked')
    while (true);`)
  await running.says('blocked')
  const control = await controllerOf(running)
  expect(await control.process()).toMatchObject({ pid: running.child.pid, tracepoints: 1, sessions: [] })
  const opened = await control.openSession(spec('aside', to.address))
  expect(opened).toMatchObject({ enabled: 0, rules: [], spec: { name: 'aside', relay: to.address } })
  expect(await control.enable('aside', { pattern: 'blocked:*' })).toMatchObject({ covered: 1, enabled: 1 })
  const [{ tracepoint, on } = {}] = await control.tracepoints()
  expect(tracepoint).toMatchObject({ provider: 'blocked', event: 'e' })
  expect(on).toEqual([{ session: 'aside', rule: 1 }])
  expect(await control.flush('aside', 5000)).toBe(true)
  expect(await control.disable('aside', 'blocked:*')).toMatchObject({ covered: 1, enabled: 0 })
  const changed = await control.changeSession(spec('aside', to.address, { contexts: ['tid'] }))
  expect(changed.spec.contexts).toEqual(['tid'])
  expect(await control.closeSession('aside', 5000)).toMatchObject({ delivered: true, last: { events: 0 } })
  await until(async () => (await control.process()).sessions.length === 0)
  expect(running.child.exitCode).toBe(null)
})

describe.each([0, 2])('a blocked loop that emits, beside %i such Workers', (workers) => {
  // Tried again once: between the rule and the first event stands a scheduler that owes nobody anything.
  test('is switched on and off from outside, each time at once', { retry: 1, timeout: 60_000 }, async () => {
    const to = await relay()
    const running = start(spinning, { args: [String(workers)], timeout: 60_000 })
    await running.says('blocked')
    const control = await controllerOf(running)
    await control.openSession(spec('aside', to.address))
    const rounds: { asked: number; on: number; off: number }[] = []
    for (let round = 0; round < 20; round++) {
      const asked = now()
      await control.enable('aside', { pattern: 'spinning:e' })
      const on = now()
      await new Promise((resolve) => setTimeout(resolve, 20))
      await control.disable('aside', 'spinning:e')
      rounds.push({ asked, on, off: now() })
    }
    expect(await control.flush('aside', 5000)).toBe(true)
    const { events } = await recorded(to.output)
    const times = events.map(({ fields }) => ({ thread: fields.thread, ns: Number(fields.ns) }))
    const outside = times.filter(({ ns }) => !rounds.some(({ asked, off }) => ns >= asked && ns <= off))
    expect(outside, 'emitted before a rule was asked for, or after its end was answered').toEqual([])
    for (let thread = 0; thread <= workers; thread++) {
      const took = rounds
        .map(
          ({ asked, off }) =>
            [asked, times.find((e) => e.thread === thread && e.ns >= asked && e.ns <= off)] as const,
        )
        .flatMap(([asked, first]) => (first ? (first.ns - asked) / 1e6 : []))
        .sort((a, b) => a - b)
      const median = took[took.length >> 1] as number
      console.log(
        `thread ${thread}: on ${median.toFixed(2)} ms after it was asked, ${took.at(-1)?.toFixed(2)} at most`,
      )
      expect(took.length, 'rounds in which this thread was on').toBeGreaterThan(10)
      expect(median, 'what is promised').toBeLessThan(50)
    }
  })
})

test('a rule from before the loop was blocked ends while it is, and all that came before arrives', async () => {
  const to = await relay()
  const running = start(spinning, { env: to.env })
  await running.says('blocked')
  const control = await controllerOf(running)
  await until(async () => (await recorded(to.output)).events.length > 0)
  await control.disable('default', '*:*')
  const off = now()
  expect(await control.flush('default', 5000)).toBe(true)
  const { events, lost } = await recorded(to.output)
  expect(lost).toBe(0)
  expect(events.map(({ fields }) => fields.n)).toEqual(events.map((_, n) => n))
  expect(Number(events.at(-1)?.fields.ns)).toBeLessThan(off)
})
