// relay/test/zipkin.test.ts: the same spans posted to a real Zipkin server and to us; the same answers from every endpoint.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startZipkin, whyNoZipkin } from '../../scripts/lib/zipkin.mjs'
import { startRelay } from '../src/index.js'
import type { Relay } from '../src/relay.js'
import type { Span } from '../src/spans/span.js'
import { makeTraces } from './span-makers.js'
import { type Format, zipkinJsSpans } from './zipkin-js.js'

const missing = whyNoZipkin()
if (missing) console.warn(`SKIPPED: answers are not compared with a real Zipkin server's: ${missing}`)

const KEYS = ['env', 'http.method']
const start = (Date.now() - 3_600_000) * 1000
const end = start / 1000 + 60_000
const traces = [...makeTraces(200, 42, start), ...timelessTraces()]

/** With a span that tells no time, as of who was cut off or sends in pieces; the fourth has no other, the fifth is too old. */
function timelessTraces(): Span[][] {
  const root = (timestamp: number) => ({ id: '1', timestamp, localEndpoint: { serviceName: 'edge' } })
  const timeless = { id: '2', parentId: '1', name: 'flush', localEndpoint: { serviceName: 'late' } }
  const rest = { tags: { why: 'cut off' }, annotations: [{ timestamp: start + 5, value: 'flushed' }] }
  return [
    [root(start + 10_000), { ...timeless, ...rest }],
    [root(start + 4_000_000), timeless],
    [root(start + 5_000_000), { ...timeless, remoteEndpoint: { serviceName: 'disk' }, duration: 39_000 }],
    [{ ...timeless, ...rest }],
    [root(start - 2 * 86_400_000_000), { ...timeless, ...rest }],
  ].map((spans, i) => spans.map((span): Span => ({ traceId: `7e55${i}`.padStart(16, '0'), ...span })))
}

describe.skipIf(missing)('beside a real Zipkin server', () => {
  let zipkin: Awaited<ReturnType<typeof startZipkin>>
  let relay: Relay
  let output: string
  let found = 0

  beforeAll(async () => {
    output = mkdtempSync(join(tmpdir(), 'blkin-zipkin-'))
    zipkin = await startZipkin({ autocompleteKeys: KEYS })
    const tracing = { listen: '127.0.0.1:0', autocompleteKeys: KEYS, allowOrigins: ['*'] }
    relay = await startRelay({ listen: '127.0.0.1:0', output, tracing })
    for (const url of [zipkin.url, ours()]) {
      for (let at = 0; at < traces.length; at += 50) {
        expect(await post(url, JSON.stringify(traces.slice(at, at + 50).flat()))).toMatchObject({
          status: 202,
        })
      }
    }
  }, 120_000)

  afterAll(async () => {
    await relay?.close()
    await zipkin?.stop()
    rmSync(output, { recursive: true, force: true })
  })

  const ours = () => `http://${relay.httpAddress}`

  async function both(path: string) {
    const [theirs, mine] = await Promise.all([ask(zipkin.url + path), ask(ours() + path)])
    return { theirs, mine }
  }

  test('names of services, of spans, and of whom they call', async () => {
    const { theirs, mine } = await both('/api/v2/services')
    expect(mine).toEqual(theirs)
    for (const service of [...(mine.body as string[]), 'FrontEnd', 'nobody', '']) {
      for (const what of ['spans', 'remoteServices']) {
        const { theirs, mine } = await both(`/api/v2/${what}?serviceName=${service}`)
        expect(sorted(mine), `${what} of ${service}`).toEqual(sorted(theirs))
      }
    }
  })

  const searches = [
    ...['', 'serviceName=mapper', 'serviceName=MAPPER&spanName=Write', 'spanName=all', 'spanName=flush'],
    ...['remoteServiceName=disk', 'serviceName=disk&remoteServiceName=mapper', 'serviceName=nobody'],
    ...['annotationQuery=error', 'annotationQuery=queued', 'annotationQuery=queued and error'],
    ...[
      'annotationQuery=http.method=GET and env=prod',
      'serviceName=replica&annotationQuery=env=test and cache miss',
    ],
    ...[
      'annotationQuery=http.method=nothing',
      'annotationQuery=env and env=prod',
      'annotationQuery=env=prod and env',
    ],
    ...[
      'minDuration=39000',
      'minDuration=100&maxDuration=2000',
      'serviceName=frontend&minDuration=20000&spanName=put',
    ],
    ...['serviceName=frontend&spanName=lookup&annotationQuery=error&minDuration=5000&remoteServiceName=disk'],
    ...[
      `endTs=${start / 1000 + 3000}`,
      `endTs=${start / 1000 + 5025}&lookback=1000`,
      'lookback=1000',
      'limit=3',
    ],
    ...[
      'serviceName=late',
      'serviceName=late&limit=1',
      'serviceName=late&limit=2',
      'annotationQuery=flushed',
    ],
    ...['annotationQuery=why=cut off', 'serviceName=late&annotationQuery=why', 'spanName=flush&limit=2'],
    ...['serviceName=late&remoteServiceName=disk', 'serviceName=late&minDuration=39000'],
    ...['serviceName=late&annotationQuery=why and error', `serviceName=late&endTs=${start / 1000 + 1000}`],
    ...['annotationQuery=error&limit=2', 'serviceName=mapper&limit=1', 'serviceName=&spanName='],
  ]
  for (const search of searches) {
    test(`traces: ${search || 'any'}`, async () => {
      const base = `limit=1000&endTs=${end}&lookback=86400000`
      const parameters = new URLSearchParams(base)
      for (const [key, value] of new URLSearchParams(search)) parameters.set(key, value)
      const { theirs, mine } = await both(`/api/v2/traces?${parameters}`)
      expect(mine.status).toBe(theirs.status)
      expect(mine.type).toBe(theirs.type)
      found += (mine.body as Span[][]).length
      expect((mine.body as Span[][]).map(inOrder)).toEqual((theirs.body as Span[][]).map(inOrder))
    })
  }

  test('the searches above found something', () => {
    expect(found).toBeGreaterThan(1000)
  })

  test('one trace, and many, by ids of 64 and 128 bits', async () => {
    const ids = traces.slice(0, 20).map(([span]) => span!.traceId)
    for (const id of [...ids, ids[0]!.slice(-16), '1', ids[1]!.replace(/^0+/, ''), ` ${ids[2]} `]) {
      const { theirs, mine } = await both(`/api/v2/trace/${encodeURIComponent(id)}`)
      expect({ ...mine, body: inOrder(mine.body) }, id).toEqual({ ...theirs, body: inOrder(theirs.body) })
    }
    const { theirs, mine } = await both(`/api/v2/traceMany?traceIds=${ids.join(',')},abc`)
    const byId = (body: unknown) => (body as Span[][]).map(inOrder).sort((a, b) => compare(a, b))
    expect(byId(mine.body)).toEqual(byId(theirs.body))
  })

  test('who calls whom, and how often it failed', async () => {
    for (const window of [
      `endTs=${end}`,
      `endTs=${start / 1000 + 4000}&lookback=2000`,
      `endTs=${end}&lookback=1`,
    ]) {
      const { theirs, mine } = await both(`/api/v2/dependencies?${window}`)
      expect(sorted(mine), window).toEqual(sorted(theirs))
    }
  })

  test('keys and values for completion', async () => {
    expect(sorted((await both('/api/v2/autocompleteKeys')).mine)).toEqual(
      sorted((await both('/api/v2/autocompleteKeys')).theirs),
    )
    for (const key of ['env', 'http.method', 'error']) {
      const { theirs, mine } = await both(`/api/v2/autocompleteValues?key=${key}`)
      expect(sorted(mine), key).toEqual(sorted(theirs))
    }
  })

  test('requests that are wrong are refused alike, in the same words', async () => {
    const wrong = [
      ...[
        'spans',
        'remoteServices',
        'traces?limit=0',
        'traces?limit=x',
        'traces?limit=',
        'traces?minDuration=0',
      ],
      ...[
        'traces?maxDuration=5',
        'traces?minDuration=5&maxDuration=2',
        'traces?endTs=0',
        'traces?lookback=0',
      ],
      ...['trace/zz', 'trace/ab', 'trace/0', 'trace/123456789012345678901234567890123456', 'trace/ABC'],
      ...[
        'traceMany',
        'traceMany?traceIds=',
        'traceMany?traceIds=1',
        'traceMany?traceIds=1,1',
        'traceMany?traceIds=1,zz',
      ],
      ...[
        'dependencies',
        'dependencies?endTs=x',
        'dependencies?endTs=',
        'dependencies?endTs=0',
        'dependencies?endTs=1&lookback=0',
      ],
      ...['autocompleteValues', 'autocompleteValues?key=', 'nothing'],
    ]
    for (const path of wrong) {
      const { theirs, mine } = await both(`/api/v2/${path}`)
      expect(mine, path).toEqual(theirs)
    }
  })

  test('Lens finds all below /zipkin too, and nobody posts there', async () => {
    const [id] = traces[0]!.map(({ traceId }) => traceId)
    const asked = ['services', 'spans?serviceName=frontend', 'spans', `trace/${id}`, 'trace/ab', 'nothing']
    for (const path of asked) {
      const { theirs, mine } = await both(`/zipkin/api/v2/${path}`)
      expect(sorted(mine), path).toEqual(sorted(theirs))
    }
    for (const path of [
      '/zipkin/api/v1/spans',
      '/zipkin/health',
      '/zipkin/api/v2/services/',
      '/api/v1/services',
    ]) {
      const { theirs, mine } = await both(path)
      expect(mine, path).toEqual(theirs)
    }
    for (const path of [
      '/zipkin/api/v2/spans',
      '/zipkin/api/v1/spans',
      '/api/v2/services',
      '/api/v1/traces',
    ]) {
      const [theirs, mine] = await Promise.all([zipkin.url, ours()].map((url) => post(url, '[]', {}, path)))
      expect(mine, path).toEqual(theirs)
    }
  })

  test('pages of other origins hear what they may, as from Zipkin with its usual *', async () => {
    const [origin, type] = ['http://ui.example', 'application/json']
    const asks: [string, RequestInit][] = [
      ['/api/v2/services', { headers: { origin } }],
      ['/nothing', { headers: { origin } }],
      ['/api/v2/services', {}],
      ['/api/v2/spans', { method: 'POST', body: '[]', headers: { origin, 'content-type': type } }],
      ['/api/v2/spans', { method: 'POST', body: '[1]', headers: { origin, 'content-type': type } }],
      ['/api/v2/spans', { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } }],
      ['/nothing', { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'PUT' } }],
    ]
    for (const [path, init] of asks) {
      const [theirs, mine] = await Promise.all(
        [zipkin.url, ours()].map(async (url) => {
          const { status, headers } = await fetch(url + path, init)
          const of = (name: string) => headers.get(`access-control-allow-${name}`)
          return { status, origin: of('origin'), methods: of('methods'), vary: headers.get('vary') }
        }),
      )
      expect(mine, `${init.method} ${path}`).toEqual(theirs)
    }
  })

  test('bodies: what one refuses the other refuses, what one takes the other takes', async () => {
    const same = [
      ...[
        '',
        '[]',
        '{}',
        '[{"id":"1"}]',
        '[{"traceId":"1"}]',
        '[{"traceId":"0","id":"1"}]',
        '[{"traceId":"xyz","id":"1"}]',
      ],
      ...['[{"traceId":"1","id":"12345678901234567"}]', '[{"traceId":"f1","id":"1","kind":"FOO"}]'],
      ...['[{"traceId":"f1","id":"1","duration":"x"}]', '[{"traceId":"f1","id":"0000000000000000"}]'],
      '[{"traceId":"f1","id":"1","localEndpoint":{"serviceName":"a","port":70000}}]',
      '[{"traceId":"f1","id":"1","tags":{"a":null}}]',
    ]
    for (const body of same) {
      const [theirs, mine] = [await post(zipkin.url, body), await post(ours(), body)]
      expect(mine, body).toEqual(theirs)
    }
    const alike = [
      '[{"traceId":"1","id":"1"',
      '[{"traceId":"1","id":null}]',
      '[1]',
      'null',
      '[{"traceId":"f1","id":"1","annotations":[{"timestamp":1}]}]',
      '[{"traceId":"f1","id":"1","tags":{"a":true}}]',
      '[{"traceId":"f2","id":[]}]',
    ]
    for (const body of alike) {
      expect((await post(ours(), body)).status, body).toBe((await post(zipkin.url, body)).status)
    }
  })

  const formats: [Format, path: string][] = [
    ['JSON_V1', '/api/v1/spans'],
    ['JSON_V2', '/api/v2/spans'],
  ]
  test.each(formats)(
    "what Zipkin's tracer for JavaScript posts as %s comes back alike",
    async (format, path) => {
      const body = zipkinJsSpans(format)
      for (const url of [zipkin.url, ours()])
        expect(await post(url, body, {}, path)).toEqual({ status: 202, text: '' })
      const { theirs, mine } = await both(`/api/v2/trace/${JSON.parse(body)[0].traceId}`)
      expect((mine.body as Span[]).map(({ kind }) => kind).sort()).toEqual(['CLIENT', 'PRODUCER', 'SERVER'])
      expect(inOrder(mine.body)).toEqual(inOrder(theirs.body))
    },
  )

  test('odd spans come back alike', async () => {
    const odd = [
      { id: '1', name: 'GET /Über', localEndpoint: { serviceName: 'Größe', ipv4: '999.1.1.1' }, kind: null },
      { id: '2', parentId: '2', timestamp: '17', duration: -5, tags: { b: 1, '': 'empty' } },
      {
        id: '3',
        parentId: '0',
        kind: 'CLIENT',
        shared: true,
        localEndpoint: {},
        remoteEndpoint: { port: 5 },
      },
      {
        id: '4',
        annotations: [
          { timestamp: 5, value: 'z' },
          { timestamp: 5, value: 'a' },
          { timestamp: 5, value: 'z' },
        ],
      },
      {
        id: '5',
        name: '',
        extra: { deep: [1] },
        localEndpoint: { ipv6: '::FFFF:1.2.3.4', ipv4: '2001:DB8::C' },
        timestamp: 0,
      },
      {
        id: '6',
        tags: { nul: 'a\u0000b', quote: '"\\\n', emoji: '😀', long: 'x'.repeat(2 ** 20) },
        debug: false,
      },
    ].map((span) => ({ traceId: 'abcdef', ...span }))
    for (const span of odd) {
      const body = gzipSync(JSON.stringify([span]))
      const [theirs, mine] = await Promise.all(
        [zipkin.url, ours()].map((url) => post(url, body, { 'content-encoding': 'gzip' })),
      )
      expect(mine, `span ${span.id}`).toEqual(theirs)
    }
    const { theirs, mine } = await both('/api/v2/trace/abcdef')
    expect(inOrder(mine.body)).toEqual(inOrder(theirs.body))
  })
})

async function ask(url: string) {
  const response = await fetch(url)
  const text = await response.text()
  const type = response.headers.get('content-type')
  const isJson = type === 'application/json'
  return { status: response.status, type: isJson ? type : 'text', body: isJson ? JSON.parse(text) : text }
}

async function post(
  url: string,
  body: string | Buffer,
  headers: Record<string, string> = {},
  path = '/api/v2/spans',
) {
  const init = { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } }
  const response = await fetch(url + path, init as RequestInit)
  return { status: response.status, text: (await response.text()).trim() }
}

const compare = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

const inOrder = (trace: unknown): unknown[] =>
  Array.isArray(trace) ? trace.map(withSortedKeys).sort(compare) : (trace as never)

const withSortedKeys = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, one) =>
    one && typeof one === 'object' && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  )

const sorted = ({ status, body }: { status: number; body: unknown }) => ({ status, body: inOrder(body) })
