// test/traces-verbs.test.ts: `blkin traces` and `blkin trace`: against a relay with spans in it, and the drawing alone,
// which takes whatever a span may hold. The same verbs on a real block store are in blockstore-spans.test.ts and the demo.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { correctedTree, type Span, startRelay } from '@blkin/relay'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseMicros } from '../lib/cli/amounts.js'
import { styleFor } from '../lib/cli/print.js'
import { drawTrace, visible } from '../lib/cli/span-tree.js'
import { width } from '../lib/cli/table.js'
import { lineOf } from '../lib/cli/traces.js'
import { parseApi } from '../lib/cli/zipkin.js'
import { blkin, type Done, json, startBlkin } from './support/cli.js'
import { folder } from './support/run.js'

const now = (Date.now() - 60_000) * 1000
const id = (n: number) => n.toString(16).padStart(16, '0')
const plain = styleFor({}, {})

function span(n: number, parent: number | undefined, more: Partial<Span> = {}): Span {
  const parentId = parent === undefined ? {} : { parentId: id(parent) }
  const localEndpoint = { serviceName: 'front' }
  return {
    traceId: id(0xabc),
    id: id(n),
    ...parentId,
    name: 'get',
    timestamp: now + n,
    duration: 100,
    localEndpoint,
    ...more,
  }
}

const draw = (spans: Span[], columns = 120) => [
  ...drawTrace(spans, correctedTree(spans), { columns, style: plain }),
]
const names = (lines: string[]) =>
  lines.slice(2).filter((line) => / (front|back) /.test(line) || line.includes('missing'))

describe('the verbs', () => {
  let relay: Awaited<ReturnType<typeof startRelay>>
  let api: string
  let output: string
  const verb = (...args: string[]): Promise<Done> => blkin(...args, '--http', api)
  const post = (spans: Span[]) =>
    fetch(`http://${api}/api/v2/spans`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(spans),
    })
  const back = { localEndpoint: { serviceName: 'back' } }

  beforeAll(async () => {
    output = mkdtempSync(join(tmpdir(), 'blkin-traces-'))
    relay = await startRelay({ listen: '127.0.0.1:0', output, http: { listen: '127.0.0.1:0' } })
    api = relay.httpAddress as string
    await post([
      span(1, undefined, { kind: 'SERVER', duration: 30_000, tags: { 'http.path': '/a' } }),
      span(2, 1, {
        kind: 'CLIENT',
        duration: 20_000,
        remoteEndpoint: { serviceName: 'back', ipv4: '10.0.0.2', port: 80 },
      }),
      span(2, 1, {
        kind: 'SERVER',
        shared: true,
        duration: 10_000,
        timestamp: now + 5000,
        tags: { error: 'no' },
        ...back,
      }),
      span(3, 2, {
        name: 'query',
        timestamp: now + 6000,
        annotations: [{ timestamp: now + 6500, value: 'queued' }],
        ...back,
      }),
    ])
    await post([span(1, undefined, { traceId: id(0xdef), timestamp: now + 1e6 })])
  })
  afterAll(async () => {
    await relay?.close()
    rmSync(output, { recursive: true, force: true })
  })

  test('traces lists them, the newest first', async () => {
    const { code, out, err } = await verb('traces')
    const [head, ...lines] = out.trimEnd().split('\n')
    expect(head).toMatch(/^TRACE +WHEN +TOOK +SPANS +ROOT +SERVICES$/)
    const when = '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z'
    expect(lines[0]).toMatch(new RegExp(`^${id(0xdef)} +${when} +100us +1  front get +front 1$`))
    expect(lines[1]).toMatch(
      new RegExp(`^${id(0xabc)} +${when} +30.0ms +4  front get +front 2, back 2 +error$`),
    )
    expect({ code, err, lines: lines.length }).toEqual({ code: 0, err: '', lines: 2 })
  })

  test.each([
    [['--service', 'back'], [0xabc]],
    [['--min', '20ms'], [0xabc]],
    [['--max', '500us', '--min', '1us', '--service', 'front'], [0xdef]],
    [['--span', 'query'], [0xabc]],
    [['--remote', 'back'], [0xabc]],
    [['--tag', 'error and http.path=/a'], [0xabc]],
    [['--tag', 'error and http.path=/b'], []],
    [['--limit', '1'], [0xdef]],
  ])('traces %j', async (flags, expected) => {
    const found = await verb('traces', ...flags, '--json')
    expect(json<{ traceId: string }>(found).map(({ traceId }) => traceId)).toEqual(expected.map(id))
    expect(found.code).toBe(expected.length > 0 ? 0 : 3)
  })

  test('trace draws one', async () => {
    const { code, out } = await verb('trace', id(0xabc))
    expect(code).toBe(0)
    const lines = out.trimEnd().split('\n')
    expect(lines[0]).toMatch(/^trace 0{13}abc {2}4 spans {2}30\.0ms {2}\d{4}-/)
    expect(lines[1]).toMatch(/^SPAN +SERVICE +KIND +AT +TOOK$/)
    expect(lines.slice(2).map((line) => line.replace(/ +[█╎]+$/, ''))).toEqual([
      expect.stringMatching(/^get +front +server +0 +30\.0ms$/),
      '│  http.path=/a',
      expect.stringMatching(/^└─ get +front +client +\+1\.00us +20\.0ms$/),
      '   │  with back 10.0.0.2:80',
      expect.stringMatching(/^ {3}└─ get +back +server +\+5\.00ms +10\.0ms$/),
      '      │  error=no',
      expect.stringMatching(/^ {6}└─ query +back +\+6\.00ms +100us$/),
      '           +6.50ms queued',
    ])
    const raw = await verb('trace', id(0xabc), '--json')
    expect(
      json<Span>(raw)
        .map((one) => one.id)
        .sort(),
    ).toEqual([1, 2, 2, 3].map(id))
  })

  test('what is not there is said, with what there is', async () => {
    const unknown = await verb('traces', '--service', 'nobody')
    expect(unknown).toMatchObject({ code: 3, out: '' })
    expect(unknown.err).toContain('no service "nobody" has spans here; there are: back, front')
    expect(await verb('traces', '--min', '10s')).toMatchObject({
      code: 3,
      err: expect.stringContaining('no trace matches'),
    })
    const missing = await verb('trace', 'abcdef')
    expect(missing).toMatchObject({ code: 3, err: expect.stringContaining('has no trace abcdef') })
  })

  test.each([
    [['trace', 'xyz'], 2, 'trace "xyz": expected 1 to 32 hexadecimal digits'],
    [['trace', '0000'], 2, 'not all 0'],
    [['traces', '--min', 'long'], 2, '--min: "long": expected a time such as 500us'],
    [['traces', '--limit', '0'], 2, '--limit: "0": expected a whole number from 1 to 10000'],
    [['traces', '--http', 'a b'], 2, '--http: "a b": expected HOST:PORT'],
    [['traces', '--http', '127.0.0.1:1'], 1, 'nothing answers on http://127.0.0.1:1'],
  ])('%j is refused', async (args, code, words) => {
    const done = await startBlkin(args, { BLKIN_HTTP: api }).done
    expect(done).toMatchObject({ code, out: '', err: expect.stringContaining(words) })
  })

  test('a relay with a token is asked with it', async () => {
    const closed = await startRelay({
      ...{ listen: '127.0.0.1:0', output: folder(), token: 'secret' },
      http: { listen: '127.0.0.1:0' },
    })
    const http = { BLKIN_HTTP: closed.httpAddress as string }
    expect(await startBlkin(['traces'], http).done).toMatchObject({
      code: 1,
      err: expect.stringContaining('BLKIN_TOKEN'),
    })
    expect(await startBlkin(['traces'], { ...http, BLKIN_TOKEN: 'secret' }).done).toMatchObject({ code: 3 })
    await closed.close()
  })
})

describe('the drawing', () => {
  test('spans whose parent is missing, and a trace without its root', () => {
    const lines = names(draw([span(1, undefined), span(3, 2), span(4, 2), span(5, 3)]))
    expect(lines.map((line) => line.trimEnd().split('  front')[0]?.trimEnd())).toEqual([
      'get',
      `└─ (missing: ${id(2)})`,
      '   ├─ get',
      '   │  └─ get',
      '   └─ get',
    ])
    expect(names(draw([span(3, 2)]))[0]).toContain('(the root is missing)')
  })

  test('no end, no time, a second root', () => {
    const { duration: _, ...endless } = span(2, 1)
    const { timestamp: __, ...timeless } = span(3, 1)
    const text = draw([span(1, undefined), endless, timeless, span(4, undefined)]).join('\n')
    expect(text).toMatch(/\+1\.00us +no end/)
    expect(text).toMatch(/ - +100us/)
    expect(text).toContain('4 spans')
  })

  test('cycles, and an id as its own parent, are drawn once each', () => {
    expect(
      names(draw([span(1, 2), span(2, 1), span(3, 3)])).filter((line) => line.includes(' front ')),
    ).toHaveLength(3)
  })

  test('nothing of a span reaches the terminal as a command', () => {
    const hostile = '\x1b[2J\u009b31m\n\r\0\u202e\u2066end'
    const lines = draw([
      span(1, undefined, {
        name: hostile,
        localEndpoint: { serviceName: hostile },
        remoteEndpoint: { serviceName: hostile },
        tags: { [hostile]: hostile },
        annotations: [{ timestamp: now, value: hostile }],
      }),
    ])
    expect(lines.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(visible('\x1b[2Jé…')).toBe('\\u{1b}[2Jé…')
  })

  test('names of a megabyte are cut, and bars stay in the width', () => {
    const lines = draw([span(1, undefined, { name: 'x'.repeat(1 << 20) }), span(2, 1)], 160)
    expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(160)
    expect(lines[2]).toMatch(/█{10,}$/)
    expect(draw([span(1, undefined)], 40).join('\n')).not.toMatch(/█/)
  })

  test('a trace of 100,000 spans, wide or deep, is drawn with short lines', () => {
    const wide = Array.from({ length: 100_000 }, (_, i) => span(i + 1, i === 0 ? undefined : 1))
    expect(names(draw(wide))).toHaveLength(100_000)
    const deep = Array.from({ length: 100_000 }, (_, i) => span(i + 1, i === 0 ? undefined : i))
    const lines = draw(deep)
    expect(names(lines)).toHaveLength(100_000)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(250)
  })
})

test('a line of a trace tells its extent, not its root alone', () => {
  const line = lineOf([span(1, undefined), span(2, 1, { timestamp: now + 1000, duration: 500 })])
  expect(line).toMatchObject({
    timestamp: now + 1,
    duration: 1499,
    spans: 2,
    error: false,
    services: { front: 2 },
  })
  expect(lineOf([span(3, 2)])).toMatchObject({ service: '', name: '' })
})

test.each([
  ['500us', 500],
  ['20ms', 20_000],
  ['1.5s', 1_500_000],
  ['0.5ms', 500],
])('%s is %d us', (text, micros) => expect(parseMicros(text)).toBe(micros))

test.each([
  ['127.0.0.1:4651', 'http://127.0.0.1:4651/'],
  ['[::1]:9411', 'http://[::1]:9411/'],
  ['http://zipkin:9411', 'http://zipkin:9411/'],
  ['https://zipkin.example/zipkin', 'https://zipkin.example/zipkin/'],
])('%s is an API', (text, url) => expect(parseApi(text).href).toBe(url))
