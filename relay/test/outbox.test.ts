// relay/test/outbox.test.ts: spans on their way to a server that is away, slow, picky, or gone for good: each is accounted for.

import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  type Batch,
  NotTaken,
  Outbox,
  type OutboxLimits,
  type OutboxStats,
  spansOf,
  usualLimits,
} from '../src/pipeline/delivery/outbox.js'
import type { Span } from '../src/spans/span.js'

const quick: OutboxLimits = { ...usualLimits, linger: 1, pause: [1, 4], patience: 500, farewell: 100 }

const span = (n: number, more: Partial<Span> = {}): Span => ({
  traceId: '00000000000000ab',
  id: (n + 1).toString(16).padStart(16, '0'),
  ...more,
})
const spans = (count: number, from = 0) => Array.from({ length: count }, (_, i) => span(from + i))

/** `answer` does what the other side does with a batch. */
function outbox(answer: (batch: Batch, signal: AbortSignal) => Promise<number> | number, limits = quick) {
  const taken: string[] = []
  const lines: string[] = []
  const transport = {
    name: 'them',
    async send(batch: Batch, signal: AbortSignal) {
      const refused = await answer(batch, signal)
      taken.push(...spansOf(batch).map(({ id }) => id))
      return refused
    },
  }
  const box = new Outbox(transport, (line) => lines.push(line), limits)
  onTestFinished(() => box.close())
  return { box, taken, lines }
}

const until = (holds: () => boolean) => expect.poll(holds, { interval: 2, timeout: 5000 }).toBe(true)

test('what comes goes, in order, in batches', async () => {
  const sizes: number[] = []
  const { box, taken } = outbox(
    ({ count, json }) => {
      sizes.push(json.length)
      expect(count).toBeGreaterThan(0)
      return 0
    },
    { ...quick, batch: 1000 },
  )
  box.add(spans(100))
  box.add(spans(1, 100))
  await box.close()
  expect(taken).toEqual(spans(101).map(({ id }) => id))
  expect(sizes.length).toBeGreaterThan(5)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(1000)
  expect(box.stats()).toEqual({
    name: 'them',
    offered: 101,
    delivered: 101,
    refused: 0,
    dropped: 0,
    waiting: 0,
  })
})

test('a server that is away for a while gets everything once it is back, once, and this is told twice', async () => {
  let isAway = true
  const { box, taken, lines } = outbox(() => {
    if (isAway) throw new Error('ECONNREFUSED')
    return 0
  })
  box.add(spans(500))
  await until(() => box.stats().error === 'ECONNREFUSED')
  box.add(spans(500, 500))
  expect(box.stats()).toMatchObject({ offered: 1000, waiting: 1000, delivered: 0 })
  isAway = false
  await until(() => box.stats().delivered === 1000)
  expect(taken).toEqual(spans(1000).map(({ id }) => id))
  expect(lines).toEqual(['them: ECONNREFUSED', 'them: takes spans again'])
  expect(box.stats().error).toBeUndefined()
})

test('a span that is refused takes no other with it', async () => {
  const bad = span(77).id
  const { box, taken, lines } = outbox((batch) => {
    if (spansOf(batch).some(({ id }) => id === bad)) throw new NotTaken('ids of 78 are not taken here')
    return 0
  })
  box.add(spans(200))
  await until(() => box.stats().waiting === 0)
  expect(box.stats()).toMatchObject({ offered: 200, delivered: 199, refused: 1, dropped: 0 })
  expect(taken.toSorted()).toEqual(
    spans(200)
      .map(({ id }) => id)
      .filter((id) => id !== bad),
  )
  expect(lines).toEqual(['them: refuses a span: ids of 78 are not taken here'])
})

test('the last answer says how the server is: one that refuses fails, also when it was away, until it takes something', async () => {
  let answer: Error | undefined = new Error('ECONNREFUSED')
  const { box, lines } = outbox(() => {
    if (answer) throw answer
    return 0
  })
  box.add(spans(1))
  await until(() => box.stats().error === 'ECONNREFUSED')
  const since = box.stats().failingSince
  answer = new NotTaken('it answers 400')
  await until(() => box.stats().refused === 1)
  expect(box.stats()).toMatchObject({ error: 'it answers 400', failingSince: since })
  expect(lines).toEqual(['them: ECONNREFUSED', 'them: refuses a span: it answers 400'])
  answer = undefined
  box.add(spans(1, 1))
  await until(() => box.stats().delivered === 1)
  expect(box.stats().error).toBeUndefined()
  expect(box.stats().failingSince).toBeUndefined()
  expect(lines.slice(2)).toEqual(['them: takes spans again'])
})

test('what is too much to wait goes, the oldest first, and is counted', async () => {
  let isAway = true
  const { box, taken, lines } = outbox(
    () => {
      if (isAway) throw new Error('away')
      return 0
    },
    { ...quick, most: 10_000, batch: 1000 },
  )
  box.add(spans(1000))
  const { dropped, waiting } = box.stats()
  expect(dropped).toBeGreaterThan(700)
  expect(dropped + waiting).toBe(1000)
  expect(lines[0]).toBe('them: too much waits; the oldest spans are dropped')
  isAway = false
  await until(() => box.stats().waiting === 0)
  expect(taken.at(-1)).toBe(span(999).id)
  expect(box.stats().delivered).toBe(1000 - box.stats().dropped)
})

describe('an end', () => {
  test('waits for what is on its way', async () => {
    const { box } = outbox(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      return 0
    })
    box.add(spans(10))
    await box.close()
    expect(box.stats()).toMatchObject({ delivered: 10, waiting: 0 })
  })

  test.each([
    ['says nothing', () => new Promise<number>(() => {})],
    [
      'is away',
      () => {
        throw new Error('away')
      },
    ],
  ])('comes in its time where the other side %s, and what is left is dropped', async (_, answer) => {
    const { box } = outbox(
      (batch, signal) =>
        new Promise<number>((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason))
          Promise.resolve().then(answer).then(resolve, reject)
          expect(batch.count).toBeGreaterThan(0)
        }),
      { ...quick, batch: 1000 },
    )
    box.add(spans(100))
    await until(() => box.stats().waiting === 100)
    await box.close()
    expect(box.stats()).toMatchObject({ offered: 100, delivered: 0, dropped: 100, waiting: 0 })
  })

  test('that cuts an attempt short is its reason', async () => {
    let isAsked = false
    const { box, lines } = outbox(
      (_, signal) =>
        new Promise<number>((_, reject) => {
          isAsked = true
          signal.addEventListener('abort', () => reject(signal.reason))
        }),
      { ...quick, patience: 600_000 },
    )
    box.add(spans(1))
    await until(() => isAsked)
    await box.close()
    expect(lines).toEqual(['them: no answer within the 0.1 s for what is left at the end'])
  })
})

function check({ delivered, refused, dropped, waiting, ...stats }: OutboxStats, offered: number) {
  const counts = [delivered, refused, dropped, waiting]
  expect(stats.offered).toBe(offered)
  expect(delivered + refused + dropped + waiting).toBe(offered)
  expect(counts.every((count) => Number.isInteger(count) && count >= 0)).toBe(true)
}

test('whatever the other side does and says, every span is delivered, refused, dropped, or waits', async () => {
  // or it takes them, and says how many it refused, which may be any nonsense
  const deed = fc.oneof(fc.constantFrom('take', 'away', 'refuse', 'part'), fc.double(), fc.integer())
  const script = fc.record({
    adds: fc.array(fc.nat(40), { maxLength: 10 }),
    deeds: fc.array(deed, { maxLength: 40 }),
  })
  await fc.assert(
    fc.asyncProperty(script, async ({ adds, deeds }) => {
      let at = 0
      const { box } = outbox(
        ({ count }) => {
          const now = deeds[at++] ?? 'take'
          if (now === 'away') throw new Error('away')
          if (now === 'refuse') throw new NotTaken('no')
          if (typeof now === 'number') return now
          return now === 'part' ? Math.min(count, 1) : 0
        },
        { ...quick, most: 4000, batch: 700 },
      )
      let offered = 0
      for (const count of adds) {
        box.add(spans(count, offered))
        offered += count
        await new Promise((resolve) => setTimeout(resolve, 1))
        check(box.stats(), offered)
      }
      await box.close()
      check(box.stats(), offered)
      expect(box.stats().waiting).toBe(0)
    }),
    { numRuns: 60 },
  )
})
