// test/trace-sampling.test.ts: which traces are recorded: shares, numbers a second, and that all processes agree; and the
// ids that decide it.
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { openSession, status, trace } from '../lib/index.js'
import { randomWord } from '../lib/trace/ids.js'
import { currentShare, keeps, parseTraceSample, setTraceSample } from '../lib/trace/sampler.js'
import { relay } from './support/relays.js'
import { result, run } from './support/run.js'
import { spanEvent } from './support/span-events.js'
import { recorded } from './support/trace.js'

beforeAll(() => {
  openSession('spans', { relay: null, mode: 'overwrite' }).enable('blkin:*')
})
afterEach(() => {
  vi.useRealTimers()
  setTraceSample({ share: 1 })
})

const roots = (count: number) => Array.from({ length: count }, () => trace.start('root'))
const keptOf = (count: number) => roots(count).filter(({ enabled }) => enabled).length

/** Chi-squared of counts that should be alike, to its 1 - 1e-9 bound (Wilson and Hilferty). */
function expectUniform(counts: ArrayLike<number>): void {
  const list = Array.from(counts)
  const mean = list.reduce((sum, n) => sum + n, 0) / list.length
  const chi = list.reduce((sum, n) => sum + (n - mean) ** 2 / mean, 0)
  const freedom = list.length - 1
  const bound = freedom * (1 - 2 / (9 * freedom) + 6 * Math.sqrt(2 / (9 * freedom))) ** 3
  expect(chi).toBeLessThan(bound)
}

describe('a fixed share', () => {
  test('keeps that share of the traces', () => {
    setTraceSample({ share: 0.1 })
    const kept = keptOf(100_000) // a binomial: 95 is its standard deviation
    expect(kept).toBeGreaterThan(10_000 - 7 * 95)
    expect(kept).toBeLessThan(10_000 + 7 * 95)
  })

  test.each([1, 0.5, 1 / 3, 0.01, 1e-9])(
    'decides alike wherever it is asked, and is told with the root: %d',
    (share) => {
      setTraceSample({ share })
      expect(currentShare()).toBeCloseTo(share, 9)
      const words = Array.from({ length: 1000 }, () => randomWord())
      const first = words.map(keeps)
      expect(words.map(keeps)).toEqual(first)
      if (share === 1) expect(first).not.toContain(false)
    },
  )

  test('a smaller share keeps a part of what a larger one keeps', () => {
    const words = Array.from({ length: 5000 }, () => randomWord())
    setTraceSample({ share: 0.2 })
    const few = words.filter(keeps)
    setTraceSample({ share: 0.5 })
    expect(few.every(keeps)).toBe(true)
    expect(words.filter(keeps).length).toBeGreaterThan(few.length)
  })

  test('what it keeps has ids that are kept wherever somebody is asked, and all of those', () => {
    setTraceSample({ share: 0.01 })
    const lowest = roots(200_000)
      .filter(({ enabled }) => enabled)
      .map(({ traceId }) => Number.parseInt(traceId.slice(8), 16))
    expect(lowest.every(keeps)).toBe(true)
    const counts = new Uint32Array(16)
    for (const word of lowest) counts[Math.floor((word / 2 ** 32 / 0.01) * 16)]!++
    expectUniform(counts)
  })

  test('the roots between two that are kept are as many as a die would leave', () => {
    setTraceSample({ share: 0.25 })
    const counts = new Uint32Array(4) // gaps of 0, 1, 2 and more
    let gap = 0
    for (const { enabled } of roots(200_000)) {
      if (!enabled) gap++
      else {
        counts[Math.min(gap, 3)]!++
        gap = 0
      }
    }
    const chances = [0.25, 0.1875, 0.140625, 0.421875]
    expectUniform(Array.from(counts, (n, i) => n / chances[i]! / 4))
  })

  test('every root is kept or counted as sampled out, while the share changes', () => {
    const before = status().spans
    let kept = 0
    for (const share of [0.5, 1, 1e-9, 0.3, 2 ** -32, 0.9, 0.001]) {
      setTraceSample({ share })
      kept += keptOf(997)
    }
    const { spans } = status()
    expect(spans.kept - before.kept).toBe(kept)
    expect(spans.sampledOut - before.sampledOut).toBe(7 * 997 - kept)
  })

  test('a trace that nobody decided upon yet is decided by its id', () => {
    setTraceSample({ share: 0.5 })
    const serve = (lowest: string) =>
      trace.extract({ b3: `463ac35c${lowest}-a2fb4a1d1a96d312` }, 'b3').start('serve', { kind: 'server' })
    expect([serve('00000001').enabled, serve('7fffffff').enabled]).toEqual([true, true])
    expect([serve('80000000').enabled, serve('ffffffff').enabled]).toEqual([false, false])
    expect(serve('ffffffff').inject({}, 'b3'), 'and the decision is handed on').toEqual({ b3: '0' })
  })

  test('debug, and the decision of who called, stand above it', () => {
    setTraceSample({ share: 1e-9 })
    expect(trace.start('x').enabled).toBe(false)
    expect(trace.start('x', { debug: true }).enabled).toBe(true)
    const extracted = trace.extract({ b3: '463ac35cffffffff-a2fb4a1d1a96d312-1' }, 'b3')
    expect(extracted.start('serve').enabled).toBe(true)
  })
})

test('below a root that was sampled out nothing is recorded, by one shared handle, and the decision is handed on', async () => {
  setTraceSample({ share: 1e-9 })
  const before = status().spans.sampledOut
  const root = trace.start('root')
  const other = trace.start('root')
  expect(root).toBe(other)
  await trace.run(root, async () => {
    await null
    const child = trace.start('child', { kind: 'client' })
    expect(child).toBe(root)
    expect(child.inject({}, 'traceparent')).toEqual({
      traceparent: expect.stringMatching(/^00-0{16}[0-9a-f]{16}-[0-9a-f]{16}-00$/),
    })
    setTraceSample({ share: 1 })
    expect(trace.start('child').enabled, 'whatever the sampling has become').toBe(false)
  })
  expect(status().spans.sampledOut - before).toBe(2)
})

describe('by content', () => {
  afterEach(() => trace.sample(1))

  test('what it says of a root goes before the share of all, and stands in the span', () => {
    const asked: unknown[] = []
    trace.sample(1e-9, (root) => {
      asked.push(root)
      if (root.name === 'health') return 0
      return (root.tags.bytes as number) > 65536 ? 1 : undefined
    })
    const tags = { op: 'write', bytes: 1 << 20 }
    expect(trace.start('write', { kind: 'server', tags }).enabled).toBe(true)
    expect(trace.start('write', { tags: { bytes: 4096 } }).enabled).toBe(false)
    expect(asked).toEqual([
      { name: 'write', kind: 'server', tags },
      { name: 'write', kind: 'local', tags: { bytes: 4096 } },
    ])
    trace.sample(1, ({ name }) => (name === 'health' ? 0 : undefined))
    expect([trace.start('health').enabled, trace.start('write').enabled]).toEqual([false, true])
  })

  test('a share it gives keeps so many, by the id', () => {
    trace.sample(1e-9, () => 0.25)
    const kept = Array.from({ length: 20_000 }, () => trace.start('x')).filter(({ enabled }) => enabled)
    expect(kept.length).toBeGreaterThan(4500)
    expect(kept.length).toBeLessThan(5500)
    for (const { traceId } of kept) expect(Number.parseInt(traceId.slice(8), 16)).toBeLessThan(2 ** 30)
  })

  test('debug and who called stand above it; where nobody decided yet it is asked', () => {
    trace.sample(1, () => 0)
    expect(trace.start('x', { debug: true }).enabled).toBe(true)
    const serve = (decision: string) =>
      trace.extract({ b3: `463ac35cffffffff-a2fb4a1d1a96d312${decision}` }, 'b3').start('serve')
    expect([serve('-1').enabled, serve('').enabled]).toEqual([true, false])
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
    ['gives a text', () => '1' as never],
    ['gives 2', () => 2],
    ['gives NaN', () => Number.NaN],
  ])('one that %s is as if it were not there, and is counted', (_, content) => {
    trace.sample(1, content)
    const before = status().spans.refused
    expect(trace.start('x').enabled).toBe(true)
    expect(status().spans.refused - before).toBe(1)
  })

  test('a root that it begins itself is as all others', () => {
    let asked = 0
    trace.sample(1, () => {
      asked++
      return trace.start('inside').enabled ? 1 : 0
    })
    const before = status().spans
    expect(trace.start('x').enabled).toBe(true)
    const { kept, refused } = status().spans
    expect([asked, kept - before.kept, refused - before.refused]).toEqual([1, 2, 0])
  })

  test('tags that cannot be are counted, and the span begins', () => {
    const before = status().spans.refused
    expect(trace.start('x', { tags: null as never }).enabled).toBe(true)
    expect(trace.start('x', { tags: { a: {} as never, b: 1 } }).enabled).toBe(true)
    expect(status().spans.refused - before).toBe(2)
  })

  test('what is not a share or a function is refused when it is set', () => {
    expect(() => trace.sample('often')).toThrow(/sample "often": expected/)
    expect(() => trace.sample(0)).toThrow(/expected/)
    expect(() => trace.sample(1, 'x' as never)).toThrow('content is "x"; expected a function')
    expect(() => trace.sample(1, 10n as never)).toThrow('content is 10; expected a function')
  })
})

describe('a number a second', () => {
  const tick = 250

  test('follows the load up and down', () => {
    vi.useFakeTimers()
    setTraceSample({ perSecond: 100 })
    const second = (perTurn: number) => {
      let kept = 0
      for (let turn = 0; turn < 4; turn++) {
        kept += keptOf(perTurn)
        vi.advanceTimersByTime(tick)
      }
      return kept
    }
    for (let i = 0; i < 3; i++) second(5000)
    const busy = (second(5000) + second(5000) + second(5000) + second(5000)) / 4
    expect(busy).toBeGreaterThan(50)
    expect(busy).toBeLessThan(200)
    expect(currentShare()).toBeLessThan(0.02)
    for (let i = 0; i < 6; i++) second(5)
    expect(second(5), 'few enough: all of them').toBe(20)
    expect(currentShare()).toBe(1)
  })

  test('a burst in one turn of the event loop is held down at once', () => {
    setTraceSample({ perSecond: 40 })
    expect(keptOf(1_000_000)).toBeLessThan(40 * 20)
    expect(currentShare()).toBeLessThan(0.001)
  })
})

test.each([
  ['0.01', { share: 0.01 }],
  ['1/100', { share: 0.01 }],
  ['1%', { share: 0.01 }],
  ['50/s', { perSecond: 50 }],
  ['0.5/s', { perSecond: 0.5 }],
])('%s is understood', (text, expected) => {
  expect(parseTraceSample(text)).toEqual(expected)
})

test.each(['', '0', '0/s', '-1/s', '2', '1/0', '5/m', '1e9/s', 'x', '2000000/s'])('%s is refused', (text) => {
  expect(() => parseTraceSample(text)).toThrow(/^sample ".*": expected .*(above 0|at most)/)
})

test('the environment says it, each root tells its probability, and a bad one is told and left out', async () => {
  const to = await relay()
  const program = `
    import { flush, trace } from 'blkin'
    let kept = 0
    for (let i = 0; i < 4000; i++) {
      const span = trace.start('root')
      if (span.enabled) kept++
      span.end()
    }
    await flush()
    console.log(kept)`
  const kept = await result<number>(program, { env: { ...to.env, BLKIN_TRACE_SAMPLE: '1/4' } })
  const { events } = await recorded(to.output)
  const begun = events.filter((one) => spanEvent(one) === 'span_begin')
  expect(begun.length).toBe(kept)
  expect(kept).toBeGreaterThan(1000 - 7 * 27)
  expect(kept).toBeLessThan(1000 + 7 * 27)
  expect(new Set(begun.map(({ fields }) => fields.probability))).toEqual(new Set([0.25]))
  const bad = await run(program, { env: { ...to.env, BLKIN_TRACE_SAMPLE: 'often' } })
  expect(bad.stderr).toMatch(/^blkin: BLKIN_TRACE_SAMPLE: sample "often": expected .*; left out\n$/)
  expect(bad.stdout).toBe('4000\n')
})

describe('ids', () => {
  test('every byte is uniform', () => {
    const counts = Array.from({ length: 4 }, () => new Uint32Array(256))
    for (let i = 0; i < 400_000; i++) {
      const word = randomWord()
      for (let byte = 0; byte < 4; byte++) counts[byte]![(word >>> (byte * 8)) & 255]!++
    }
    for (const one of counts) expectUniform(one)
  })

  test('one word says nothing of the next, as far as their highest bits go', () => {
    const counts = new Uint32Array(4096)
    let before = randomWord() >>> 26
    for (let i = 0; i < 400_000; i++) {
      const now = randomWord() >>> 26
      counts[before * 64 + now]!++
      before = now
    }
    expectUniform(counts)
  })

  test('128 bits where they are asked for, all of them random; a child has the same', async () => {
    const program = `
      import { openSession, trace } from 'blkin'
      openSession('ids', { relay: null, mode: 'overwrite' }).enable('blkin:*')
      const roots = Array.from({ length: 4000 }, (_, i) => trace.start('x', { debug: i % 2 === 0 }))
      const child = trace.start('y', { parent: roots[0] })
      const passed = trace.extract(child.inject({}, 'traceparent'), 'traceparent').start('z')
      console.log(JSON.stringify([...roots, child, passed].map((span) => span.traceId)))`
    const ids = await result<string[]>(program, { env: { BLKIN_TRACE_ID: '128' } })
    const roots = ids.slice(0, -2)
    expect(ids.slice(-2)).toEqual([ids[0], ids[0]])
    expect(new Set(roots).size).toBe(4000)
    expect(roots.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true)
    const counts = new Uint32Array(256)
    for (const id of roots) for (const byte of Buffer.from(id, 'hex')) counts[byte]!++
    expectUniform(counts)
    const bad = await run(program, { env: { BLKIN_TRACE_ID: '96' } })
    expect(bad.stderr).toMatch(/^blkin: BLKIN_TRACE_ID: "96": expected 64 or 128; left out\n$/)
    expect(bad.stdout.slice(0, 20)).toMatch(/^\["[0-9a-f]{16}"/)
  })

  test('eight threads of two processes never meet', async () => {
    const program = `
      import { isMainThread, Worker } from 'node:worker_threads'
      import { once } from 'node:events'
      import { openSession, trace } from 'blkin'
      if (isMainThread) openSession('ids', { relay: null, mode: 'overwrite' }).enable('blkin:*')
      const own = Array.from({ length: 5000 }, () => trace.start('x')).flatMap((span) => [span.traceId, span.spanId])
      if (!isMainThread) (await import('node:worker_threads')).parentPort.postMessage(own)
      else {
        const source = process.execArgv.at(-1)
        const workers = [1, 2, 3].map(() => new Worker(source, { eval: true, execArgv: ['--input-type=module'] }))
        const lists = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]))
        console.log(JSON.stringify([own, ...lists].flat()))
      }`
    const lists = await Promise.all([0, 1].map(() => result<string[]>(program)))
    const all = lists.flat()
    expect(all.length).toBe(2 * 4 * 10_000)
    expect(new Set(all).size).toBe(all.length)
    expect(all.every((id) => /^[0-9a-f]{16}$/.test(id))).toBe(true)
  })
})
