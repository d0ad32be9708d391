// test/trace-drawing.test.ts: how a trace is drawn, whatever is missing from it and whatever its names hold. Pure.
import { breadthFirst, type Span, treeOf } from '@blkin/relay'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { json, type Style, styleFor } from '../lib/cli/print/print.js'
import { width } from '../lib/cli/print/table.js'
import { visible } from '../lib/cli/print/visible.js'
import { drawTrace } from '../lib/cli/trace/trace-drawing.js'
import { summaryOf } from '../lib/cli/trace/trace-summary.js'
import { renderTraces } from '../lib/cli/verbs/traces.js'

const zero = 1_700_000_000_000_000
const plain = styleFor({})
const pad = (id: number) => id.toString(16).padStart(16, '0')

function span(id: number, parent: number, more: Partial<Span> & { at?: number } = {}): Span {
  const { at = 0, ...rest } = more
  const ids = { traceId: pad(0xabc), id: pad(id), ...(parent === 0 ? {} : { parentId: pad(parent) }) }
  return {
    ...{ ...ids, name: `n${id}`, localEndpoint: { serviceName: 's' } },
    ...{ timestamp: zero + at, duration: 1000, ...rest },
  }
}

function* draw(spans: Span[], columns?: number, style: Style = plain): Generator<string> {
  const root = treeOf(spans)
  yield* drawTrace(root, summaryOf(root, breadthFirst(root)), columns, style)
}

/** The lines below the two heads, without their times. */
const tree = (spans: Span[], columns?: number): string[] =>
  [...draw(spans, columns)]
    .slice(2)
    .map((line) => line.replace(/ +(\?|0|[+-][\d.]+\w+) +([\d.]+\w+|no end)( {2}.*)?$/, ''))

describe('the tree', () => {
  test('siblings stand by their begin, a server below the client whose id it has', () => {
    const server = { kind: 'SERVER', shared: true, localEndpoint: { serviceName: 't' } } as const
    const spans = [
      span(1, 0),
      span(2, 1, { at: 20, kind: 'CLIENT' }),
      span(2, 1, { at: 30, ...server }),
      span(4, 2, { at: 40, localEndpoint: { serviceName: 't' } }),
      span(3, 1, { at: 10 }),
      span(5, 3, { at: 12 }),
      span(6, 3, { at: 11 }),
    ]
    expect(tree(spans)).toEqual([
      's: n1',
      '├─ s: n3',
      '│  ├─ s: n6',
      '│  └─ s: n5',
      '└─ s: n2 [client]',
      '   └─ t: n2 [server]',
      '      └─ t: n4',
    ])
  })

  test('which host a span is from is told where there are two', () => {
    const on = (host: string) => ({ tags: { 'blkin.host': host } })
    const told = (other: string) =>
      tree([span(1, 0, on('a')), span(2, 1, on(other))]).filter((line) => line.includes('host'))
    expect(told('a')).toEqual([])
    expect(told('b').map((line) => line.replace(/^[│ ]+/, ''))).toEqual(['blkin.host = a', 'blkin.host = b'])
  })

  test('what hangs on nothing stands behind it, by its reason', () => {
    const cycle = [span(11, 12), span(12, 11), span(13, 12)]
    expect(
      tree([span(1, 0), span(2, 1), span(3, 99), span(4, 99), span(5, 98), span(6, 0), ...cycle]),
    ).toEqual([
      's: n1',
      '└─ s: n2',
      'missing parent 0000000000000063',
      '├─ s: n3',
      '└─ s: n4',
      'missing parent 0000000000000062',
      '└─ s: n5',
      'another root',
      '└─ s: n6',
      'in a cycle of parents',
      '└─ s: n11',
      '   └─ s: n12',
      '      └─ s: n13',
    ])
    expect(tree([span(3, 9)])).toEqual(['missing parent 0000000000000009', '└─ s: n3'])
    expect(tree(cycle)[0]).toBe('in a cycle of parents')
  })

  test('no end, no time, no name, no service', () => {
    const { duration: _, ...open } = span(1, 0)
    const { timestamp: __, name: ___, localEndpoint: ____, ...bare } = span(2, 1)
    expect([...draw([open, bare])].slice(1)).toEqual([
      'SPAN         START   DURATION',
      's: n1            0     no end',
      '└─ ?: ?          ?     1.00ms',
    ])
  })

  test('the other side, tags, then annotations from the root on, which may be before it', () => {
    const more = {
      at: 5,
      remoteEndpoint: { serviceName: 'db', ipv6: '2001:db8::1', port: 1 },
      tags: { b: '1', a: '2' },
      annotations: [
        { timestamp: zero - 2, value: 'before' },
        { timestamp: zero + 1500, value: 'sent' },
      ],
    }
    expect([...draw([span(1, 0), span(2, 1, more), span(3, 2)])].slice(4, 9)).toEqual([
      '   │  remote db [2001:db8::1]:1',
      '   │  b = 1',
      '   │  a = 2',
      '   │  -2.00us before',
      '   │  +1.50ms sent',
    ])
  })

  test('what failed is red, and so is what has no end', () => {
    const { duration: _, ...open } = span(3, 1)
    const mark: Style = { bold: (text) => text, dim: (text) => text, warn: (text) => `!${text}` }
    const lines = [...draw([span(1, 0), span(2, 1, { tags: { error: '', ok: '1' } }), open], undefined, mark)]
    expect(lines.map((line) => line.startsWith('!'))).toEqual([false, false, false, true, true, false, true])
  })
})

describe('on a terminal', () => {
  const spans = [span(1, 0, { duration: 100_000 }), span(2, 1, { at: 50_000, duration: 25_000 })]
  const bars = (columns: number, given = spans) =>
    [...draw(given, columns)].slice(2).map((line) => line.replace(/^.* (?:[\d.]+\w+|no end)(?: {2}|$)/, ''))

  test('bars lie where the spans lie in the whole trace', () => {
    const columns = 8 + 22 + 2 + 80 // the tree, times, a gap and bars
    expect(bars(columns)).toEqual(['█'.repeat(80), ' '.repeat(40) + '█'.repeat(20)])
    const { duration: _, ...open } = spans[1]!
    expect(bars(columns, [spans[0]!, open])[1]).toContain(' '.repeat(40) + '░'.repeat(40))
    expect(bars(columns, [spans[0]!, span(2, 1, { at: 99_999, duration: 1 })])[1]).toBe(`${' '.repeat(79)}█`)
  })

  test('below 80 columns there are none, and no line is longer than the terminal, in any', () => {
    expect(bars(79)).toEqual(['', ''])
    const long = [
      span(1, 0, { name: 'n'.repeat(500), tags: { k: 'v'.repeat(500) } }),
      span(2, 77),
      span(3, 1),
    ]
    for (const columns of [40, 79, 80, 200]) {
      for (const line of [...draw(long, columns)].slice(1)) expect(width(line)).toBeLessThanOrEqual(columns)
    }
  })

  test('a name is found at every depth', () => {
    const deep = Array.from({ length: 100 }, (_, i) => span(i + 1, i))
    const lines = tree(deep, 80)
    expect(lines[7]).toBe(`${' '.repeat(18)}└─ s: n8`)
    expect(lines[99]).toBe(`${' '.repeat(24)}┄99 s: n100`)
  })
})

describe('what comes from outside', () => {
  const evil = 'a\x00\x1b]0;title\x07\x9b2J\r\n\t\x7f\u202egnp\u2028z'

  test('no mark of it reaches the terminal', () => {
    expect(visible(evil)).toBe('a\\x00\\x1b]0;title\\x07\\x9b2J\\r\\n\\t\\x7f\\u202egnp\\u2028z')
    expect(visible('ünïcode 日本 👍🏽')).toBe('ünïcode 日本 👍🏽')
    const everywhere: Partial<Span> = {
      name: evil,
      localEndpoint: { serviceName: evil },
      remoteEndpoint: { serviceName: evil },
      tags: { [evil]: evil, error: evil },
      annotations: [{ timestamp: zero, value: evil }],
    }
    const root = treeOf([span(1, 0, everywhere), span(2, 77, everywhere)])
    const summary = summaryOf(root, breadthFirst(root))
    for (const columns of [undefined, 60, 300]) {
      const lines = [...drawTrace(root, summary, columns, plain), ...renderTraces([summary], plain)]
      for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202e]/u)
    }
    expect(json({ evil })).not.toMatch(/\p{Cc}/u)
    expect(JSON.parse(json({ evil }))).toEqual({ evil })
  })

  test('a cell of the list is cut, a line of a pipe is whole', () => {
    const huge = 'x'.repeat(2 ** 20)
    const root = treeOf([span(1, 0, { name: huge, tags: { huge } })])
    const summary = summaryOf(root, breadthFirst(root))
    expect(renderTraces([summary], plain)[1]).toMatch(/x…$/)
    expect(Math.max(...renderTraces([summary], plain).map((line) => line.length))).toBeLessThan(200)
    expect([...drawTrace(root, summary, undefined, plain)][3]).toBe(`   huge = ${huge}`)
  })

  test('of any spans each is drawn, once, whatever their parents and times', () => {
    const some = fc.record({
      id: fc.integer({ min: 1, max: 12 }),
      parent: fc.integer({ min: 0, max: 14 }),
      at: fc.integer({ min: -zero, max: zero }),
      duration: fc.option(fc.integer({ min: 1, max: zero }), { nil: undefined }),
    })
    const unique = fc.uniqueArray(some, { selector: ({ id }) => id, minLength: 1 })
    fc.assert(
      fc.property(
        unique,
        fc.option(fc.integer({ min: 60, max: 200 }), { nil: undefined }),
        (given, columns) => {
          const spans = given.map(({ id, parent, at, duration }) => {
            const { duration: _, ...open } = span(id, parent === id ? 0 : parent, { at })
            return duration === undefined ? open : { ...open, duration }
          })
          const names = [...draw(spans, columns)].flatMap((line) => /s: (n\d+)/.exec(line)?.[1] ?? [])
          expect(names.sort()).toEqual(spans.map(({ name }) => name).sort())
        },
      ),
    )
  })
})

describe('100,000 spans', () => {
  const n = 100_000
  const shapes: Record<string, (i: number) => number> = {
    'one below the other': (i) => i - 1,
    'below one': (i) => (i > 1 ? 1 : 0),
    'each with a parent that is missing': (i) => i + n,
    'below a cycle': (i) => (i === n ? n - 1 : n),
    'in cycles of two': (i) => ((i - 1) ^ 1) + 1,
  }

  test.each(Object.keys(shapes))('%s are drawn, with no stack and no time to speak of', (shape) => {
    const spans = Array.from({ length: n }, (_, k) => span(k + 1, shapes[shape]!(k + 1), { at: k }))
    for (const columns of [undefined, 120]) {
      let drawn = 0
      for (const line of draw(spans, columns)) if (line.includes('s: n')) drawn++
      expect(drawn).toBe(n)
    }
  })
})
