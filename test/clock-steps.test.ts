// test/clock-steps.test.ts: somebody sets the clock of a traced machine. What is recorded from then on has the time of day that it had, in
// CTF, in spans and live, and the order of events stays. The clock is a process's own: test/programs/clock-shift.c.
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TraceEvent, TraceItem } from '@blkin/relay'
import { afterAll, expect, test } from 'vitest'
import { freeAddress, relay, until } from './support/relays.js'
import { folder, program, result, root, start } from './support/run.js'
import { removeShims, shim } from './support/shims.js'
import { describeWith } from './support/tools.js'
import { printed, recorded } from './support/trace.js'

interface Told {
  n: number
  spans: { name: string; ms: number }[]
}

const hour = 3600
const steps = [`${hour}`, `${-hour}`, `${-2 * hour}`]

/** What makes a program see a clock of its own. */
function ownClock(): Record<string, string> {
  const shift = join(folder(), 'shift')
  writeFileSync(shift, Buffer.alloc(8))
  return { LD_PRELOAD: shim('clock-shift'), CLOCK_SHIFT: shift }
}

/** Seconds between what an event says and when it is shown to have been. */
const off = (ms: unknown, seconds: number) => Math.abs(Number(ms) / 1000 - seconds)

const placed = ({ time, fields }: { time: bigint; fields: Record<string, unknown> }) => {
  return { n: Number(fields.n), ms: fields.ms, seconds: Number(time) / 1e9 }
}

const folders = (output: string) => readdirSync(output).filter((name) => !name.startsWith('.')).length

/** What a killed process left, to the relay that it was to send to. */
const recover = `
  import { native } from ${JSON.stringify(join(root, 'dist/native.js'))}
  const [host, port] = process.env.BLKIN_RELAY.split(':')
  const recovered = await native.recover({ host, port, token: '', timeout: 5000 })
  console.log(JSON.stringify(recovered.map(({ delivered }) => delivered)))`

/** All are there, and each has the time of day that it had. */
function expectTimes(events: { n: number; ms: unknown; seconds: number }[], count: number) {
  const inOrder = events.toSorted((a, b) => a.n - b.n)
  expect(inOrder.map(({ n }) => n)).toEqual(Array.from({ length: count }, (_, n) => n))
  expect(inOrder.filter(({ ms, seconds }) => off(ms, seconds) > 1)).toEqual([])
}

describeWith(['gcc', 'babeltrace2'], 'the clock is set', () => {
  afterAll(removeShims)

  test('and files and spans have the time of day', async () => {
    const to = await relay({ tracing: { listen: '127.0.0.1:0' } })
    const env = { ...to.env, ...ownClock() }
    const told = await result<Told>(program('clock-steps.mjs'), { args: steps, env })
    const { events, lost } = await recorded(to.output)
    expect(lost).toBe(0)
    const ours = events.filter(({ tracepoint }) => tracepoint.provider === 'steps')
    expectTimes(ours.map(placed), told.n)
    // One folder an epoch, each a trace for babeltrace2, which merges them by the time of day.
    expect(folders(to.output)).toBe(steps.length + 1)
    const shown = printed(to.output).filter(({ name }) => name === 'steps:turn')
    expectTimes(shown.map(placed), told.n)
    expect(shown.map(({ fields }) => Number(fields.n))).toEqual(ours.map(({ fields }) => Number(fields.n)))

    // A span that was open takes as long as it took, from when it began.
    const spans = await spansOf(to.httpAddress!, told.spans.length)
    for (const { name, ms } of told.spans) {
      const span = spans.find((one) => one.name === name)!
      expect(off(ms, span.timestamp / 1e6), name).toBeLessThan(1)
      expect(span.duration / 1e6).toBeLessThan(60)
      const [annotation] = span.annotations
      expect(annotation!.timestamp).toBeGreaterThanOrEqual(span.timestamp)
      expect(annotation!.timestamp).toBeLessThanOrEqual(span.timestamp + span.duration)
    }
  })

  test('and what is handed on live has the time of day, in the order in which it was', async () => {
    const items: TraceItem[] = []
    const to = await relay({ output: undefined, live: (some: TraceItem[]) => items.push(...some) } as never)
    const env = { ...to.env, BLKIN_ENABLE: 'steps:*', ...ownClock() }
    const told = await result<Told>(program('clock-steps.mjs'), { args: steps, env })
    await until(() => items.length >= told.n)
    const events = items as TraceEvent[]
    expectTimes(events.map(placed), told.n)
    for (const stream of new Set(events.map((event) => event.stream))) {
      const numbers = events.filter((event) => event.stream === stream).map(({ fields }) => Number(fields.n))
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    }
  })

  test('while a flight recorder has no relay yet: what it held has the time of day', async () => {
    const to = await relay()
    const env = {
      ...ownClock(),
      DELIVERS: 'late',
      LATE_RELAY: to.env.BLKIN_RELAY!,
      BLKIN_RELAY: '127.0.0.1:1',
    }
    const told = await result<Told>(program('clock-steps.mjs'), { args: [`${hour}`], env })
    const { events } = await recorded(to.output)
    expectTimes(events.map(placed), told.n)
    expect(told.n).toBe(20)
  })

  test('while the relay is away, and its process is killed: what is recovered has the time of day', async () => {
    const listen = await freeAddress()
    const env = { ...ownClock(), DELIVERS: 'no', BLKIN_ENABLE: 'steps:*', BLKIN_RELAY: listen }
    const running = start(program('clock-steps.mjs'), { args: steps, env, timeout: 60_000 })
    await running.says('"n"')
    const told = JSON.parse(running.output().stdout) as Told
    running.child.kill('SIGKILL')
    await running.ended
    const to = await relay({ listen })
    expect(await result(recover, { env: { BLKIN_RELAY: listen } })).toEqual([true])
    const { events } = await recorded(to.output)
    expectTimes(events.map(placed), told.n)
    expect(folders(to.output)).toBe(steps.length)
  })
})

interface Span {
  name: string
  timestamp: number
  duration: number
  annotations: { timestamp: number }[]
}

async function spansOf(address: string, count: number): Promise<Span[]> {
  for (;;) {
    const response = await fetch(
      `http://${address}/api/v2/traces?limit=100&endTs=${Date.now() + 2 * hour * 1000}`,
    )
    const spans = ((await response.json()) as Span[][]).flat()
    if (spans.length >= count) return spans
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
