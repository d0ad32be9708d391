// test/cli-units.test.ts: the parts of the command that are pure: names, numbers, tables, bars, quantiles, pairs.

import type { SessionSpec } from '@blkin/relay'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { gathered, generalName } from '../lib/cli/names/frequent.js'
import { compileGlob, globsMeet } from '../lib/cli/names/glob.js'
import { nearest } from '../lib/cli/names/nearest.js'
import { duration, parseDuration, parseMicroseconds, short, uptime } from '../lib/cli/print/amounts.js'
import { typeText } from '../lib/cli/print/field-text.js'
import { Lines, slowText } from '../lib/cli/print/lines.js'
import { styleFor } from '../lib/cli/print/print.js'
import { filterText } from '../lib/cli/print/rule-text.js'
import { cutTo, renderTable, width } from '../lib/cli/print/table.js'
import { attach } from '../lib/cli/process/attach.js'
import { listed, type Target } from '../lib/cli/process/find.js'
import { mergeSpec } from '../lib/cli/process/session.js'
import { takenBack, withoutStanding, withStanding } from '../lib/cli/process/standing.js'
import { followedText, readFollowed, timeOf } from '../lib/cli/relay/followed.js'
import { Latencies, RecentLatencies } from '../lib/cli/top/latency.js'
import { findPairs, Matcher, parsePair } from '../lib/cli/top/pairs.js'
import { sparkline } from '../lib/cli/top/sparkline.js'
import { renderTop } from '../lib/cli/top/top-frame.js'
import { type Event, TopModel } from '../lib/cli/top/top-model.js'
import { renderPs } from '../lib/cli/verbs/ps.js'

describe('names', () => {
  test('a star in a program name stands for anything, in a tracepoint only for its side of the colon', () => {
    expect(compileGlob('server*')('server:x.js')).toBe(true)
    expect(compileGlob('a.b')('axb')).toBe(false)
    expect(compileGlob('block*:re*')('blockstore:reply')).toBe(true)
    expect(compileGlob('*')('anything')).toBe(true)
    expect(compileGlob('*:*')('a:b:c')).toBe(false)
    expect(compileGlob('a*:b')('a')).toBe(false)
    expect(compileGlob('a*a')('a'), 'a letter is not used twice').toBe(false)
  })

  test.each([
    ['a*', '*b', true],
    ['a*b', 'ac*', true],
    ['a*b*', '*c', true],
    ['*', '', true],
    ['a', 'b*', false],
    ['a*c', 'ab', false],
    ['a:*', '*:x', true],
    ['a:*', 'b*:x', false],
    ['a*:x', 'ab:y*', false],
  ])('%s and %s have a name in common: %s', (one, two, does) => {
    expect(globsMeet(one, two)).toBe(does)
    expect(globsMeet(two, one)).toBe(does)
  })

  test('many stars over a name that almost fits are no work', () => {
    const stars = '*a'.repeat(120)
    expect(compileGlob(`${stars}:*`)(`${'a'.repeat(119)}b:x`)).toBe(false)
    expect(compileGlob(stars)(`${'a'.repeat(250)}b`)).toBe(false)
  })

  test('the nearest come first, and none that is far', () => {
    const names = ['blockstore:request', 'blockstore:reply', 'objstore:send']
    expect(nearest('blockstore:requst', names)[0]).toBe('blockstore:request')
    expect(nearest('blokstore:*', names)).toEqual(['blockstore:reply', 'blockstore:request'])
    expect(nearest('net:packet', names)).toEqual([])
    expect(nearest('blk*:reqest', names)).toEqual(['blockstore:request'])
    expect(nearest('nope:*', names), 'a star is no excuse for the rest').toEqual([])
    expect(nearest('*zz*:*', names)).toEqual([])
  })
})

describe('what is shown', () => {
  test('a filter in a table is one line, and cut', () => {
    const text = `a > 1\n&& b == "${'x'.repeat(100)}"`
    const shown = filterText({ filter: text })
    expect(shown).toMatch(/^a > 1 && b == "x+…$/)
    expect(shown).toHaveLength(60)
  })

  test('of many processes ten are named', () => {
    const many = Array.from({ length: 12 }, (_, i) => ({ state: { pid: i, program: 'p' } }) as Target)
    expect(listed(many)).toMatch(/^0 \(p\), .*9 \(p\), and 2 more$/)
    expect(listed(many.slice(0, 2))).toBe('0 (p), 1 (p)')
  })

  test('one that does not answer when it is let go is told; one that has ended is not', async () => {
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const before = process.exitCode
    onTestFinished(() => {
      written.mockRestore()
      process.exitCode = before
    })
    const target = (pid: number, code: string) =>
      ({
        state: { pid, program: 'p' },
        control: {
          ...{ openSession: async () => {}, enable: async () => ({ covered: 1, unfit: [] }) },
          process: async () => ({ sessions: [] }),
          closeSession: () => Promise.reject(Object.assign(new Error(code), { code })),
          closed: Promise.resolve(),
        },
      }) as unknown as Target
    const targets = [target(1, 'ERR_BLKIN_SILENT'), target(2, 'ERR_BLKIN_AWAY')]
    const to = { purpose: 'tail', relay: '127.0.0.1:1', token: '' }
    await (await attach(targets, [{ pattern: '*:*' }], {}, to)).detach()
    expect(written.mock.calls.map(([text]) => text)).toEqual([
      expect.stringMatching(/^blkin: 1 \(p\) did not answer; /),
    ])
    expect(process.exitCode).toBe(1)
  })

  test('rules that are taken back leave those that stood, where they stood', () => {
    const rule = (pattern: string, level: number) => ({ pattern, target: 't', level })
    const before = [rule('a:*', 1), rule('b:*', 1)]
    const own = rule('a:*', 2)
    const now = [...withStanding(before, own), rule('c:*', 1)]
    expect(takenBack(now, [own], before)).toEqual([...before, rule('c:*', 1)])
  })
})

describe('amounts', () => {
  test('are short', () => {
    expect([0, 3.14, 950, 999.6, 12_345, 2_500_000].map(short)).toEqual([
      '0',
      '3.1',
      '950',
      '1.00k',
      '12.3k',
      '2.50M',
    ])
    expect([5, 1234, 4_500_000, 2e9].map(duration)).toEqual(['5ns', '1.23us', '4.50ms', '2.00s'])
    expect([5, 61, 3700, 93_784].map(uptime)).toEqual(['5s', '1m01s', '1h01m', '1d02h'])
  })

  test('a time needs its unit', () => {
    expect(['1us', '20ms', '1.5s', '2m', '0.1us'].map(parseMicroseconds)).toEqual([
      1, 20_000, 1.5e6, 120e6, 1,
    ])
    for (const text of ['20', '0ms', '-1s', '1d', '']) {
      expect(() => parseMicroseconds(text)).toThrow(`${JSON.stringify(text)}: expected a time such as 500us`)
    }
    expect(['500ms', '10s', '1.5m', '1h'].map(parseDuration)).toEqual([500, 10_000, 90_000, 3_600_000])
    for (const text of ['10', '0s', '-1s', '99999999h', 's']) {
      expect(() => parseDuration(text)).toThrow(`${JSON.stringify(text)}: expected a time such as 500ms`)
    }
  })
})

describe('tables', () => {
  test('columns are as wide as what they hold; colour takes no room; nothing trails', () => {
    const rows = [
      ['1', '\x1b[31mred\x1b[0m', 'x'],
      ['200', 'longest', ''],
    ]
    expect(renderTable([{ head: 'N', right: true }, { head: 'NAME' }, { head: 'Z' }], rows)).toEqual([
      '  N  NAME     Z',
      '  1  \x1b[31mred\x1b[0m      x',
      '200  longest',
    ])
    expect(width('▁▂\x1b[1mé\x1b[0m')).toBe(3)
    expect(cutTo('blockstore', 6)).toBe('block…')
  })

  test('colour is for a terminal without NO_COLOR', () => {
    expect(styleFor({ isTTY: true }, {}).bold('x')).toBe('\x1b[1mx\x1b[0m')
    expect(styleFor({ isTTY: true }, { NO_COLOR: '1' }).bold('x')).toBe('x')
    expect(styleFor({}, {}).bold('x')).toBe('x')
  })

  test('ps gives each further session a line of its own', () => {
    const sessions = [
      { name: 'default', state: 'connected', more: {} },
      { name: 'flight', state: 'in memory', more: {} },
    ]
    const row = {
      pid: 7,
      program: 'server',
      host: 'h',
      startedAt: 1_000_000_000n,
      rate: 1500,
      lost: { noRoom: 1, tooBig: 0, badValue: 2, noRing: 0, overwritten: 0, unstored: 0 },
      sessions,
    }
    expect(renderPs([row], 61_000, styleFor({}))).toEqual([
      'PID  NAME       UP  EVENTS/S  LOST  SESSION  RELAY',
      '  7  server  1m00s     1.50k     3  default  connected',
      '                                    flight   in memory',
    ])
  })

  test('types read as a declaration writes them', () => {
    expect(
      typeText({
        name: 'a',
        type: 'u8',
        labels: [
          ['false', 0],
          ['true', 1],
        ],
      }),
    ).toBe('bool')
    expect(
      typeText({
        name: 'a',
        type: 'u8',
        labels: [
          ['r', 0],
          ['w', 1],
        ],
      }),
    ).toBe('enum(r, w)')
    expect(typeText({ name: 'a', type: 'u16', length: 4 })).toBe('u16[4]')
    expect(typeText({ name: 'a', type: 'f64', length: 'counted' })).toBe('f64[]')
  })
})

test('a bar a second: none yet, nothing, something, the most', () => {
  expect(sparkline([undefined, 0, 1, 50, 100])).toBe(' ▁▂▅█')
  expect(sparkline([0, 0])).toBe('▁▁')
})

describe('latencies', () => {
  test('a quantile is right within 5 % of the one that sorting finds', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 2, max: 1e12 }), { minLength: 1, maxLength: 200 }), (values) => {
        const latencies = new Latencies()
        for (const value of values) latencies.add(value)
        const sorted = values.toSorted((a, b) => a - b)
        for (const share of [0.5, 0.99]) {
          const exact = sorted[Math.ceil(share * sorted.length) - 1] as number
          expect(Math.abs((latencies.quantile(share) as number) / exact - 1)).toBeLessThan(0.05)
        }
      }),
    )
  })

  test('what is older than the windows is forgotten', () => {
    const recent = new RecentLatencies(2)
    recent.add(1000)
    recent.turn()
    expect(recent.sum().total).toBe(1)
    recent.turn()
    expect(recent.sum().quantile(0.5)).toBeUndefined()
  })
})

describe('pairs', () => {
  const declared = (name: string, ...fields: string[]) => ({ name, fields })

  test('are found by custom, within a provider and a stem, each half once', () => {
    const all = ['a:request', 'a:reply', 'a:io_start', 'a:io_done', 'b:client_send', 'b:client_receive'].map(
      (one) => declared(one),
    )
    const more = ['b:server_receive', 'b:server_done', 'c:begin', 'd:end'].map((one) => declared(one))
    expect(findPairs([...all, ...more]).map(({ begin, end }) => `${begin} ${end}`)).toEqual([
      'a:io_start a:io_done',
      'a:request a:reply',
      'b:client_send b:client_receive',
      'b:server_receive b:server_done',
    ])
  })

  test('are matched by the fields of custom that both have, all of them', () => {
    expect(
      findPairs([declared('a:begin', 'id', 'tag', 'size'), declared('a:end', 'tag', 'id', 'error')])[0]?.keys,
    ).toEqual(['id', 'tag'])
  })

  test('halves may come in either order; the newest of a key waits; the oldest key goes', () => {
    const matcher = new Matcher(2)
    expect(matcher.event(true, 'k', 100)).toBeUndefined()
    expect(matcher.event(false, 'k', 130)).toBe(30)
    expect(matcher.event(false, 'k', 230)).toBeUndefined()
    expect(matcher.event(true, 'k', 200)).toBe(30)
    matcher.event(true, 'k', 300)
    matcher.event(true, 'k', 310)
    expect(matcher.event(false, 'k', 320)).toBe(10)
    for (const key of ['a', 'b', 'c']) matcher.event(true, key, 400)
    expect(matcher.waiting).toBe(2)
    expect(matcher.event(false, 'a', 410)).toBeUndefined()
  })

  test('may be given, with fields to match by', () => {
    expect(parsePair('a:x,b:y')).toEqual({ begin: 'a:x', end: 'b:y', keys: [] })
    expect(parsePair('a:x,a:y,id,tag').keys).toEqual(['id', 'tag'])
    for (const text of ['a:x', 'a,b', 'a:x,a:x', 'a:x,a:y,', 'a:*,a:y'])
      expect(() => parsePair(text)).toThrow('expected')
  })
})

describe('top', () => {
  const event = (name: string, ns: number, id: number, pid = 1): Event => ({
    ...{ name, pid, ns, fields: { id } },
    fieldNames: () => ['id'],
  })

  test('counts, rates and times between', () => {
    const model = new TopModel()
    model.event(event('a:request', 0, 1))
    for (let i = 1; i <= 100; i++) {
      model.event(event('a:request', i * 1000, i))
      model.event(event('a:reply', i * 1000 + 500, i))
    }
    model.event(event('a:reply', 900_000, 50, 2)) // of another process: not the end of ours
    model.tick(0.5)
    const [reply, request] = model.rows().toSorted((a, b) => (a.name < b.name ? -1 : 1))
    expect(request).toMatchObject({ name: 'a:request', rate: 202, total: 101, until: 'a:reply' })
    expect(request?.p50).toBeGreaterThan(475)
    expect(request?.p99).toBeLessThan(525)
    expect(reply?.until).toBeUndefined()
    for (let i = 0; i < 30; i++) model.tick(1)
    expect(model.rows().find(({ name }) => name === 'a:request')).toMatchObject({ rate: 0, total: 101 })
    expect(model.rows().find(({ name }) => name === 'a:request')?.p50).toBeUndefined()
  })

  test('a given pair takes the place of the one by custom', () => {
    const model = new TopModel([parsePair('a:request,a:done')])
    for (const name of ['a:request', 'a:reply', 'a:done']) model.event(event(name, 0, 1))
    expect(model.rows().find(({ name }) => name === 'a:request')?.until).toBe('a:done')
  })

  test('a picture is never wider nor higher than the screen', () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({
      ...{ name: `provider${i}:a_rather_long_event_name`, rate: i * 1000, total: i * 1e6 },
      ...{ history: Array.from({ length: 30 }, () => i), until: 'provider:end', p50: 1234, p99: 1e7 },
    }))
    const heading = { processes: '4711 (server)', sessions: 2, relay: 'connected', lost: 0 }
    for (const size of [
      { width: 80, height: 24 },
      { width: 40, height: 10 },
      { width: 200, height: 60 },
      { width: 10, height: 3 },
    ]) {
      const lines = renderTop(heading, rows, size, styleFor({ isTTY: true }, {}))
      expect(lines.length).toBeLessThanOrEqual(size.height)
      for (const line of lines) expect(width(line)).toBeLessThanOrEqual(size.width)
      if (size.height === 24) expect(lines.at(-1)).toContain('and 21 more')
    }
  })
})

describe('a slow reader', () => {
  test('loses lines, is told how many, and nothing grows', () => {
    const written: string[] = []
    const output = { writableLength: 0, write: (text: string) => void written.push(text) }
    const lines = new Lines(output as never, slowText)
    const say = (line: string) => (lines.room ? lines.add(line) : lines.drop())
    say('one')
    lines.flush()
    output.writableLength = 2 ** 20
    for (let i = 0; i < 1234; i++) say('lost')
    lines.flush()
    expect(written.join('')).toBe('one\n')
    output.writableLength = 0
    say('two')
    lines.flush()
    expect(written.join('')).toBe('one\n… 1,234 events dropped: the terminal is slow\ntwo\n')
  })

  test('is told also where nothing more comes', () => {
    const written: string[] = []
    const lines = new Lines(
      { writableLength: 0, write: (text: string) => void written.push(text) } as never,
      slowText,
    )
    lines.drop()
    lines.flush()
    expect(written).toEqual(['… 1 event dropped: the terminal is slow\n'])
  })
})

describe('a session', () => {
  const before: SessionSpec = {
    ...{ name: 's', relay: 'a:1', ack: 'written', attached: false, contexts: ['tid'] },
    channel: { subBuffers: 4, subBufferBytes: 1024, mode: 'block', blockMs: 5 },
  }

  test('changes where the flags say so, and nowhere else', () => {
    const spec = { ...before, contexts: ['tid'] }
    expect(mergeSpec(spec, {})).toEqual(before)
    expect(mergeSpec(spec, { mode: { mode: 'discard' } }).channel).toEqual({
      ...{ subBuffers: 4, subBufferBytes: 1024, mode: 'discard' },
    })
    expect(mergeSpec(spec, { buffer: { subBuffers: 8, subBufferBytes: 8192 } }).channel).toMatchObject({
      ...{ subBuffers: 8, subBufferBytes: 8192, mode: 'block', blockMs: 5 },
    })
    expect(mergeSpec(spec, { to: 'b:2' }).relay).toBe('b:2')
  })
})

describe('standing rules', () => {
  const rule = (target: string, pattern: string, on = true) => ({ target, pattern, on })

  test('the same for the same programs stands once, and counts last', () => {
    const rules = [rule('*', 'a:*'), rule('*', 'b:*')]
    expect(withStanding(rules, { ...rule('*', 'a:*'), level: 3 })).toEqual([
      rule('*', 'b:*'),
      { ...rule('*', 'a:*'), level: 3 },
    ])
  })

  test('what a pattern covers whole goes; over what remains an off stands', () => {
    expect(withoutStanding([rule('*', 'a:x')], '*', 'a:*')).toEqual([])
    expect(withoutStanding([rule('server*', 'a:x')], '*-1', 'a:*')).toEqual([
      rule('server*', 'a:x'),
      rule('*-1', 'a:*', false),
    ])
    expect(withoutStanding([rule('*', 'a:*')], '*', 'a:x')).toEqual([
      rule('*', 'a:*'),
      rule('*', 'a:x', false),
    ])
    const others = [rule('server*', 'a:x'), rule('*', 'b:*')]
    expect(withoutStanding(others, 'other', 'a:*'), 'no rule for what nothing switches on').toBe(others)
    const none: ReturnType<typeof rule>[] = []
    expect(withoutStanding(none, '*', 'a:*')).toBe(none)
  })
})

test("a fleet's event reads as a line of babeltrace", () => {
  const line =
    '{"time":"2023-11-14T22:13:20.000000005Z","host":"h","pid":7,"program":"node","provider":"disk","event":"io","level":"info","cpu":0,"context":{"tid":7},"fields":{"op":"read","list":[1,2],"none":[]}}'
  const event = readFollowed(line)
  const hour = new Date('2023-11-14T22:13:20Z').toTimeString().slice(0, 8)
  expect(timeOf(event)).toBe(1_700_000_000_000_000_005n)
  expect(followedText(event, event)).toBe(
    `[${hour}.000000005] (+0.000000000) h:node:(7) disk:io: { cpu_id = 0 }, { tid = 7 }, { op = "read", list = [ [0] = 1, [1] = 2 ], none = [ ] }`,
  )
})

test('span names that come often are one row of list, and count as what they stand for in top', () => {
  const names = [
    'shop:io',
    'blkin:span_begin',
    'blkin:span_begin.0',
    'blkin:span_begin.1',
    'blkin:span_begin.shop.x',
  ]
  expect(gathered(names, (name) => name).map(({ name, count }) => `${name} ${count}`)).toEqual([
    ...['shop:io 1', 'blkin:span_begin 1', 'blkin:span_begin.* 2', 'blkin:span_begin.shop.x 1'],
  ])
  expect(names.map(generalName).filter((name) => name === 'blkin:span_begin')).toHaveLength(3)
})
