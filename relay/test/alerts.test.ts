// relay/test/alerts.test.ts: alerts as their rules say, on a clock that the test moves: when each fires and is resolved, what
// it tells, and that it holds no more than it may, whatever comes.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Alerts } from '../src/pipeline/alerts/alerts.js'
import { parseAlerts } from '../src/pipeline/alerts/parse.js'
import { ERROR, Steps } from '../src/pipeline/alerts/steps.js'
import { MOST_VALUES, Watch } from '../src/pipeline/alerts/watch.js'
import { Window } from '../src/pipeline/alerts/window.js'
import type { GatheringLimits } from '../src/spans/assembly/gathering.js'
import type { Span } from '../src/spans/span.js'

const hex = (n: number) => n.toString(16).padStart(16, '0')

/** The root of trace `n`: a write that took a millisecond. */
const write = (n: number, more: Partial<Span> = {}): Span => ({
  ...{ traceId: hex(n), id: hex(n), name: 'write', timestamp: 1, duration: 1000 },
  localEndpoint: { serviceName: 'store' },
  ...more,
})
const failed = (n: number) => write(n, { tags: { error: 'x' } })
const child = (n: number, more: Partial<Span> = {}): Span =>
  write(n, { id: hex(n + 2 ** 40), parentId: hex(n), name: 'replica', ...more })
const many = (count: number, of: (n: number) => Span, from = 1) =>
  Array.from({ length: count }, (_, i) => of(from + i))

/** Rules that begin at 0, and a log of what they told. */
function alerts(rules: string, limits: Partial<GatheringLimits> = {}) {
  const log: string[] = []
  const context = { log: (line: string) => log.push(line), wall: () => 1e12 }
  const made = new Alerts({ rules: parseAlerts(rules) }, { ...context, isThere: () => true }, 0, limits)
  const at = (now: number, spans: Span[] = []) => {
    made.add(spans, now)
    made.due(now)
    return log.splice(0)
  }
  const states = (now: number) => made.stats(now).alerts.map(({ state }) => state)
  return { made, at, states }
}

describe('a percentile', () => {
  test('fires when it is above, with at least so many spans, and is resolved when it has not been for a while', () => {
    const { made, at, states } = alerts('slow: p90(span=write) > 20ms over 10s min 10 keep 2s')
    const slow = (n: number) => write(n, { duration: 30_000 })
    expect(at(0, many(8, write)), '8 fast').toEqual([])
    expect(at(100, [slow(9)]), 'too few').toEqual([])
    expect(at(200, [slow(10)])).toEqual([
      expect.stringMatching(
        /^alert slow fires: p90\(span=write\) is (29\.|30\.|30)\d*ms, above 20ms, over 10s \(10 spans\), such as trace 0{15}[9a]$/,
      ),
    ])
    expect(at(300, many(10, write, 11)), '2 of 20 are slow: the 18th is not').toEqual([])
    expect(states(300), 'for keep it goes on firing').toEqual(['firing'])
    expect(at(2199)).toEqual([])
    expect(at(2300)).toEqual([
      expect.stringMatching(/^alert slow is resolved: p90\(span=write\) is 1\.0\dms, threshold 20ms/),
    ])
    expect(states(2300)).toEqual(['inactive'])
    expect(made.stats(2300)).toMatchObject({ fired: 1, resolved: 1 })
  })

  test('is not above at the threshold itself, and is a microsecond later', () => {
    const { at } = alerts('slow: p50() > 20ms over 10s min 1 keep 1ms')
    expect(at(0, [write(1, { duration: 20_000 })])).toEqual([])
    expect(
      at(
        1,
        many(2, (n) => write(n, { duration: 20_001 }), 2),
      ),
    ).toEqual([expect.stringContaining('fires')])
  })

  test('of spans without an end, of other names and of other kinds says nothing', () => {
    const { made } = alerts('slow: p50(span=write kind=server) > 1us over 10s min 1')
    const { duration: _, ...open } = write(1, { kind: 'SERVER' })
    made.add([open, write(2), write(3, { name: 'read', kind: 'SERVER' }), write(4, { kind: 'CLIENT' })], 0)
    expect(made.stats(0).alerts).toMatchObject([
      { count: 0, value: 0, shown: { value: '-', threshold: '1us' } },
    ])
  })

  test('a window of 10 s holds what came in the last 9 to 10 s', () => {
    const { made, at } = alerts('slow: p50() > 1us over 10s min 1 keep 1ms')
    expect(at(999, [write(1)])).toHaveLength(1)
    expect(at(9_999)).toEqual([])
    expect(made.stats(9_999).alerts).toMatchObject([{ count: 1, traces: [hex(1)] }])
    expect(at(10_000)).toEqual([
      expect.stringMatching(/is resolved: no span came for p50\(\), threshold 1us, over 10s$/),
    ])
    expect(made.stats(10_000).alerts).toMatchObject([{ count: 0, traces: [], state: 'inactive' }])
  })

  test('has the worst for examples, each trace once', () => {
    const { made } = alerts('slow: p50() > 1us over 100s min 1')
    for (let n = 1; n <= 50; n++) made.add([write(n, { duration: 1000 * ((n * 37) % 100) + 2 })], n * 1000)
    made.add([write(27, { duration: 99_999 })], 50_500)
    const worst = [...Array(50).keys()]
      .map((i) => [i + 1, ((i + 1) * 37) % 100] as const)
      .sort((a, b) => b[1] - a[1])
    expect(made.stats(51_000).alerts[0]!.traces).toEqual(worst.slice(0, 5).map(([n]) => hex(n)))
  })

  test('whatever comes and goes: whether it is above is exact, and the value is within the error', () => {
    const duration = fc.oneof(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 4_000_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }).map((x) => Math.ceil(2 ** (x * 31.9))),
    )
    const times = fc.array(fc.record({ duration, gap: fc.integer({ min: 0, max: 400 }) }), {
      minLength: 1,
      maxLength: 200,
    })
    const percents = fc.constantFrom(50, 75, 90, 99, 99.9)
    fc.assert(
      fc.property(times, duration, percents, (spans, threshold, percent) => {
        const window = new Window(10_000, new Steps(threshold))
        const all: { duration: number; slice: number }[] = []
        let now = 0
        for (const { duration, gap } of spans) {
          now += gap
          const slice = Math.floor(now / 1000)
          expect(window.addDuration(duration, now)).toBe(duration > threshold)
          all.push({ duration, slice })
          const held = all.filter((one) => one.slice > slice - 10).map((one) => one.duration)
          held.sort((a, b) => a - b)
          const rank = Math.ceil((percent * 100 * held.length) / 10_000)
          const exact = held[rank - 1]!
          expect(window.count).toBe(held.length)
          expect(window.isAbove(rank)).toBe(exact > threshold)
          expect(Math.abs(window.duration(rank) / exact - 1)).toBeLessThanOrEqual(ERROR + 1e-9)
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('an error rate', () => {
  test('fires above its share, not at it', () => {
    const { at, made } = alerts('failing: errors(service=store) > 10% over 10s min 10 keep 1s')
    expect(at(0, [...many(9, write), failed(10)])).toEqual([])
    expect(at(100, [failed(11)])).toEqual([
      'alert failing fires: errors(service=store) is 18.2%, above 10%, over 10s (11 spans), such as trace 000000000000000b',
    ])
    expect(made.stats(100).alerts).toMatchObject([
      { value: 2 / 11, threshold: 0.1, traces: [hex(11), hex(10)] },
    ])
    expect(at(200, many(9, write, 20))).toEqual([])
    expect(at(1200)).toEqual([
      'alert failing is resolved: errors(service=store) is 10%, threshold 10%, over 10s (20 spans)',
    ])
  })

  test('a tag whose name means something to JavaScript is no error', () => {
    const { made } = alerts('failing: errors() > 0% over 10s')
    made.add([write(1, { tags: {} }), write(2)], 0)
    expect(made.stats(0).alerts).toMatchObject([{ value: 0, count: 2 }])
  })
})

describe('a state', () => {
  test('with "for" it is pending until it has been above that long, and a moment below begins it anew', () => {
    const { at, states } = alerts('failing: errors() > 50% over 1s min 1 for 3s keep 2s')
    const every = (from: number, to: number, of: (n: number) => Span) => {
      const told: string[] = []
      for (let now = from; now < to; now += 100) told.push(...at(now, [of(now + 1)]))
      return told
    }
    expect(every(0, 2500, failed)).toEqual([])
    expect(states(2500)).toEqual(['pending'])
    expect(every(2500, 3500, write)).toEqual([])
    expect(states(3500)).toEqual(['inactive'])
    expect(every(3500, 10_000, failed)).toEqual([expect.stringContaining('fires')])
    expect(every(10_000, 11_000, write), 'below for less than 2 s').toEqual([])
    expect(every(11_000, 13_000, failed)).toEqual([])
    expect(states(13_000)).toEqual(['firing'])
    expect(every(13_000, 20_000, write)).toEqual([expect.stringContaining('is resolved')])
  })

  test('no spans at all are not above', () => {
    const { at } = alerts('failing: errors() > 0% over 1s min 1 keep 5s')
    expect(at(0, [failed(1)])).toHaveLength(1)
    at(999)
    expect(at(5_998)).toEqual([])
    expect(at(5_999)).toEqual([expect.stringContaining('no span came for errors()')])
  })
})

describe('"by"', () => {
  test('a rule of which no value came yet is inactive since it is there', () => {
    const { made } = alerts('slow: p50() > 20ms over 10s by tag.disk')
    const since = (now: number) => made.stats(now).alerts[0]!.since
    expect(since(5000)).toBe(1e12 - 5000)
  })

  const to = (disk: string) => (n: number) => write(n, { tags: { disk }, duration: 50_000 })

  test('there is an alert for each value, and one for spans without the tag', () => {
    const { at, made } = alerts('slow: p50() > 20ms over 10s min 2 by tag.disk')
    expect(at(0, [to('a')(1), to('b')(2), write(3), to('a')(4), write(5)])).toEqual([
      expect.stringMatching(/^alert slow\{tag\.disk=a\} fires: /),
    ])
    expect(made.stats(0).alerts.map(({ by, state, count }) => [by?.value, state, count])).toEqual([
      ['a', 'firing', 2],
      ['b', 'inactive', 1],
      ['', 'inactive', 2],
    ])
  })

  test('a value that nobody sends any more is forgotten, and one that fires when it is resolved', () => {
    const { at, made } = alerts('slow: p50() > 20ms over 10s min 2 keep 1s by tag.disk')
    at(0, [to('a')(1), to('b')(2), to('a')(3)])
    expect(at(10_000)).toHaveLength(1)
    at(10_001)
    expect(made.stats(10_001).alerts).toMatchObject([{ alert: 'slow', state: 'inactive', count: 0 }])
    expect(made.stats(10_001).alerts[0]!.by).toBeUndefined()
  })

  test('further values are counted as one, "other", and long ones are cut', () => {
    const { at, made } = alerts('slow: p50() > 20ms over 10s min 2 by tag.disk')
    for (let n = 0; n < 10_000; n++) made.add([to(`${'disk'.repeat(50)}${n}`)(n + 1)], 0)
    for (let n = 0; n < 10_000; n++) made.add([to(`${n} disk`)(n + 1)], 0)
    at(1)
    const all = made.stats(1).alerts
    expect(all).toHaveLength(MOST_VALUES + 1)
    expect(all.reduce((sum, { count }) => sum + count, 0)).toBe(20_000)
    expect(all.find(({ by }) => by!.value === 'other')).toMatchObject({ state: 'firing' })
    expect(Math.max(...all.map(({ by }) => by!.value.length))).toBe(100)
  })

  test('by service and by span too', () => {
    for (const [key, value] of [
      ['service', 'store'],
      ['span', 'write'],
    ] as const) {
      const { made } = alerts(`slow: p50() > 20ms over 10s by ${key}`)
      made.add([write(1)], 0)
      expect(made.stats(0).alerts).toMatchObject([{ by: { key, value }, count: 1 }])
    }
  })
})

describe('a missing span', () => {
  const rule = 'lost: missing(span=write -> span=replica) > 0 over 10s keep 1s'
  const quick = { quietMs: 100, rootMs: 1000 }

  test('is one that is nowhere below when the trace is whole', () => {
    const { at, made } = alerts(rule, quick)
    at(0, [child(1), write(3)])
    at(90, [
      write(1),
      write(2),
      child(3, { name: 'map' }),
      child(3, { id: hex(7), parentId: hex(3 + 2 ** 40) }),
    ])
    expect(at(150), 'it may come yet').toEqual([])
    expect(at(250)).toEqual([
      'alert lost fires: missing(span=write -> span=replica) is 1, above 0, over 10s (3 spans), such as trace 0000000000000002',
    ])
    expect(made.stats(250).missing).toEqual({ judged: 3, givenUp: 0, late: 0, waiting: 0 })
    expect(at(10_100)).toEqual([expect.stringMatching(/is resolved: .* is 0, threshold 0/)])
  })

  test('above it, beside it, or in another trace it is missing', () => {
    const { at, made } = alerts(rule, quick)
    at(0, [
      ...[write(1, { name: 'replica' }), write(1, { id: hex(11), parentId: hex(1) })],
      ...[write(2, { name: 'get' }), child(2), write(2, { id: hex(12), parentId: hex(2) })],
      ...[write(3), write(4, { name: 'replica', parentId: hex(3) })],
    ])
    at(200)
    at(1200)
    expect(made.stats(1200).alerts).toMatchObject([{ value: 3, count: 3 }])
  })

  test('a span is not below itself', () => {
    const { at, made } = alerts('lost: missing(span=write -> service=store) > 0 over 10s', quick)
    at(0, [write(1), write(2), child(2)])
    at(200)
    expect(made.stats(200).alerts).toMatchObject([{ value: 1, count: 2, traces: [hex(1)] }])
  })

  test("a server's span under its client's id is below the client", () => {
    const rules = 'lost: missing(span=put kind=client -> kind=server) > 0 over 10s'
    const { at, made } = alerts(rules, quick)
    const client = write(1, { name: 'put', kind: 'CLIENT' })
    at(0, [client, { ...client, kind: 'SERVER', shared: true, localEndpoint: { serviceName: 'osd' } }])
    at(200)
    expect(made.stats(200).alerts).toMatchObject([{ value: 0, count: 1 }])
  })

  test('a trace without its root is judged later; what comes when it has been judged is late, and changes nothing', () => {
    const { at, made } = alerts(rule, quick)
    at(0, [write(1, { parentId: hex(99) })])
    for (let now = 50; now < 1000; now += 50) expect(at(now)).toEqual([])
    expect(at(1100)).toHaveLength(1)
    at(1200, [child(1), write(1, { id: hex(5) })])
    at(5000)
    expect(made.stats(5000)).toMatchObject({
      missing: { judged: 1, late: 2 },
      alerts: [{ value: 1, count: 1 }],
    })
  })

  test('what had to go for want of room is counted, and not called missing', () => {
    const { at, made } = alerts(rule, { ...quick, spans: 100 })
    expect(at(0, many(1000, write))).toEqual([])
    expect(made.stats(0).missing).toMatchObject({ waiting: 100, givenUp: 900 })
    at(200)
    expect(made.stats(200)).toMatchObject({ missing: { judged: 100, waiting: 0 }, alerts: [{ value: 100 }] })
    const narrow = alerts(rule, { ...quick, bytes: 10_000 })
    narrow.at(0, many(1000, write))
    expect(narrow.made.stats(0).missing.waiting).toBeLessThanOrEqual(16)
  })

  test('without such a rule nothing is gathered', () => {
    const { made } = alerts('failing: errors() > 0% over 10s')
    made.add(many(100, write), 0)
    expect(made.stats(0).missing.waiting).toBe(0)
  })
})

test('an example is a trace that will be there to be looked at', () => {
  const [rule] = parseAlerts('failing: errors() > 0% over 10s min 1')
  const asked: string[] = []
  const watch = new Watch(rule!, (traceId) => asked.push(traceId) % 2 === 0, 0)
  for (const span of many(4, failed)) watch.add(span, 0)
  const [alert] = watch.alerts
  expect(asked).toEqual([1, 2, 3, 4].map(hex))
  expect(alert!.window.examples()).toEqual([hex(2), hex(4)])
})
