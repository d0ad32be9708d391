// relay/test/alert-memory.test.ts: alerts over the end of a relay and the beginning of the next: none is forgotten, none fires for good,
// and a receiver hears of each change.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Alerts } from '../src/pipeline/alerts/alerts.js'
import { Memory } from '../src/pipeline/alerts/memory.js'
import { parseAlerts } from '../src/pipeline/alerts/parse.js'
import type { AlertChange } from '../src/pipeline/alerts/payload.js'
import type { Span } from '../src/spans/span.js'
import { folder } from './helpers.js'

const failed = (n: number, disk = 'disk0'): Span => ({
  ...{
    traceId: `${n}`.padStart(16, '0'),
    id: `${n}`.padStart(16, '0'),
    name: 'write',
    timestamp: 1,
    duration: 1,
  },
  ...{ localEndpoint: { serviceName: 'store' }, tags: { error: 'x', disk } },
})
const rule = 'failing: errors(service=store) > 0% over 10s min 1 keep 2s by tag.disk'

/** A relay's alerts, which begin at 0 by their own clock and at `wall` by everybody's. */
function begun(file: string, rules = rule, wall = 1e12) {
  const log: string[] = []
  let now = 0
  const told = { log: (line: string) => log.push(line), isThere: () => true }
  const made = new Alerts({ rules: parseAlerts(rules) }, { ...told, wall: () => wall + now }, 0)
  made.resume(new Memory(file, told.log), 0)
  const at = (then: number, spans: Span[] = []) => {
    now = then
    made.add(spans, now)
    made.due(now)
    return log.splice(0)
  }
  const states = () => made.stats(now).alerts.map(({ state, since }) => [state, since])
  return { at, states, fresh: () => log.splice(0) }
}

describe('an alert that fired when its relay ended', () => {
  test('fires since then, and is resolved when a whole window has not shown it above', () => {
    const file = join(folder(), 'alerts.json')
    const first = begun(file)
    expect(first.at(5000, [failed(1)])).toEqual([
      expect.stringMatching(/^alert failing\{tag.disk=disk0\} fires/),
    ])
    const second = begun(file, rule, 1e12 + 60_000)
    expect(second.fresh()).toEqual([
      expect.stringMatching(/^from before: alert failing\{tag.disk=disk0\} fires: .* is 100%, above 0%/),
    ])
    expect(second.states()).toEqual([['firing', 1e12 + 5000]])
    for (const now of [50, 2100, 9999, 11_999]) expect(second.at(now)).toEqual([])
    expect(second.at(12_000)).toEqual([expect.stringMatching(/^alert failing\{tag.disk=disk0\} is resolved/)])
    expect(begun(file).fresh(), 'what was resolved is forgotten').toEqual([])
  })

  test('goes on while it is above, and does not fire anew', () => {
    const file = join(folder(), 'alerts.json')
    begun(file).at(0, [failed(1)])
    const second = begun(file)
    second.fresh()
    for (let now = 0; now < 30_000; now += 500) expect(second.at(now, [failed(2)])).toEqual([])
    expect(second.states()).toEqual([['firing', 1e12]])
  })

  test.each([
    ['is there no more', 'other: errors() > 0% over 10s'],
    ['goes by something else', rule.replace('tag.disk', 'service')],
    ['has other labels', `${rule} severity=page`],
  ])('is resolved at once where its rule %s', (_, rules) => {
    const file = join(folder(), 'alerts.json')
    begun(file).at(0, [failed(1)])
    const second = begun(file, rules)
    expect(second.fresh()).toEqual([
      'from before: alert failing{tag.disk=disk0} is resolved: the rule that looked at errors(service=store) is there no more',
    ])
    expect(second.states()).toMatchObject([['inactive', 1e12]])
    expect(begun(file).fresh()).toEqual([])
  })

  test('is not known where what was written is spoilt, which is told, and nothing ends', () => {
    const file = join(folder(), 'alerts.json')
    begun(file).at(0, [failed(1)])
    const good = readFileSync(file, 'utf8')
    const whole = ['', '{', '{}', '[]', 'null', '{"firing":[]}', good.slice(0, -9)]
    const one = [
      good.replace('true', '1'),
      good.replace('"disk0"', '7'),
      good.replace('1000000000000', '1e18'),
      '{"firing":[null],"untold":[]}',
    ]
    for (const bad of [...whole, ...one]) {
      writeFileSync(file, bad)
      const second = begun(file)
      expect(second.fresh(), bad).toEqual([expect.stringMatching(/is not known$/)])
      expect(second.at(0, [failed(1)]), bad).toHaveLength(1)
    }
    writeFileSync(file, good.replace('"firing":[', '"firing":[{},'))
    expect(begun(file).fresh(), 'the others are').toEqual([
      expect.stringMatching(/is not known$/),
      expect.stringMatching(/^from before: alert failing/),
    ])
  })

  test('is known by the longest line of a rule that there may be', () => {
    const file = join(folder(), 'alerts.json')
    const tight = rule.replace(': ', ':') // it is kept with the blank
    const name = 's'.repeat(1000 - tight.length + 'store'.length)
    const long = tight.replace('store', name)
    expect(long).toHaveLength(1000)
    begun(file, long).at(0, [{ ...failed(1), localEndpoint: { serviceName: name } }])
    expect(begun(file, long).fresh()).toEqual([expect.stringMatching(/^from before: alert failing/)])
  })

  test('ends no sooner than it began, whatever the clock says', () => {
    const file = join(folder(), 'alerts.json')
    begun(file, rule, 2e12).at(0, [failed(1)])
    const told: number[] = []
    const memory = new Memory(file, () => {})
    memory.note = ({ startsAt, endsAt }) => void told.push(startsAt, endsAt)
    const context = { log: () => {}, isThere: () => true, wall: () => 1e12 }
    const next = new Alerts({ rules: parseAlerts(rule) }, context, 0)
    next.resume(memory, 0)
    next.due(12_000)
    expect(told).toEqual([2e12, 2e12, 2e12, 2e12])
  })

  test('where it cannot be written that is told, once, and tried again', () => {
    const parent = join(folder(), 'none')
    const { at } = begun(join(parent, 'alerts.json'))
    expect(at(0, [failed(1)])).toEqual([
      expect.stringMatching(/^alert failing/),
      expect.stringMatching(/ENOENT.*: which alerts fire would not be known to the next relay$/),
    ])
    expect(at(500)).toEqual([])
    expect(at(1500)).toEqual([])
    mkdirSync(parent)
    expect(at(2500)).toEqual([])
    expect(begun(join(parent, 'alerts.json')).fresh()).toHaveLength(1)
  })
})

describe('the memory', () => {
  const told = (disk: string, isFiring: boolean): AlertChange => ({
    ...{ rule: parseAlerts(rule)[0]!, value: disk, isFiring, amount: 1, count: 2 },
    ...{ startsAt: 3, endsAt: 4, traces: ['5'] },
  })

  test('keeps the changes that have not been taken, in order, the last so many, and what fires', () => {
    const file = join(folder(), 'alerts.json')
    const memory = new Memory(file, (line) => expect.unreachable(line))
    const recalled = () => new Memory(file, (line) => expect.unreachable(line)).recall()
    for (const change of [told('a', true), told('b', true), told('a', false)]) memory.note(change)
    memory.settle(3, 0)
    expect(recalled()).toEqual({
      firing: [told('b', true)],
      untold: [told('a', true), told('b', true), told('a', false)],
    })
    memory.note(told('a', true))
    memory.settle(2, 0)
    expect(recalled()).toEqual({
      firing: [told('b', true), told('a', true)],
      untold: [told('a', false), told('a', true)],
    })
    memory.settle(0, 0)
    expect(recalled()).toEqual({ firing: [told('b', true), told('a', true)], untold: [] })
    for (let i = 0; i < 1500; i++) memory.note(told(`${i}`, false))
    memory.settle(1500, 0)
    const { untold } = recalled()
    expect([untold.length, untold[0]!.value, untold.at(-1)!.value]).toEqual([1000, '500', '1499'])
    expect(readdirSync(join(file, '..'))).toEqual(['alerts.json'])
  })
})
