// relay/test/metrics.test.ts: what Prometheus gets of a relay: scraped by a real one, whose answers are what the relay's own stats say;
// the two forms of text; which histograms there are, however many names spans have; and that docs/metrics.md lists them all.

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hasPrometheus, startPrometheus } from '../../scripts/lib/prometheus.mjs'
import { parseAlerts } from '../src/index.js'
import { expose, type Family } from '../src/metrics/exposition.js'
import { Histogram } from '../src/metrics/histogram.js'
import { Latencies, MOST_OF_SERVICE, MOST_SERIES } from '../src/pipeline/latencies.js'
import { i64, types } from '../src/protocol/wire.js'
import type { Span } from '../src/spans/span.js'
import { connect, makeHello, makePut, tracepoint } from './client.js'
import { StreamWriter } from './ctf-writer.js'
import { folder, postSpans, postText, relayIn } from './helpers.js'
import { scribeClient } from './scribe.js'

const missing = 'prometheus is not installed'
if (!hasPrometheus) console.warn(`SKIPPED: no real Prometheus scrapes a relay: ${missing}`)

const listen = '127.0.0.1:0'
const open = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
const plain = 'text/plain; version=0.0.4; charset=utf-8'

const span = (n: number, more: Partial<Span> = {}): Span => ({
  ...{ traceId: n.toString(16).padStart(16, '0'), id: n.toString(16).padStart(16, '0'), name: 'write' },
  ...{ timestamp: Date.now() * 1000, duration: 1000, localEndpoint: { serviceName: 'store' } },
  ...more,
})

/** A traced process that sends events in one put, and says that it lost some. */
async function traced(address: string, token: string | undefined, events: number, noRoom: number) {
  const client = await connect(address)
  const hello = makeHello(token === undefined ? {} : { token })
  await client.hello(hello)
  await client.declare([tracepoint(0, 'p:e')])
  const stream = new StreamWriter(hello.uuid, 0)
  stream.start(1000n)
  for (let i = 0; i < events; i++) stream.event(0, 2000n + BigInt(i), Buffer.alloc(4))
  const lost = new types.Lost({ noRoom: i64(noRoom), tooBig: i64(0), badValue: i64(0), noRing: i64(0) })
  await client.put(makePut(0, 1, stream.take(), { events, lost }))
  return client
}

describe.skipIf(!hasPrometheus)('a real Prometheus', () => {
  test('has what the relay counts, and how long spans took, before any are sampled out', async () => {
    const tracing = { listen, sample: { share: 1e-9 } }
    const relay = await relayIn(folder(), { tracing, token: 'secret' })
    const url = `http://${relay.httpAddress}`
    const headers = { authorization: 'Bearer secret', 'content-type': 'application/json' }
    const post = async (body: string) =>
      (await fetch(`${url}/api/v2/spans`, { method: 'POST', headers, body })).status
    const writes = Array.from({ length: 100 }, (_, i) =>
      span(i + 1, { duration: (i + 1) * 1000, kind: 'SERVER' }),
    )
    const failed = span(200, { duration: 7, tags: { error: '' } })
    expect(await post(JSON.stringify([...writes, failed, { traceId: 'ab', id: 'cd' }]))).toBe(202)
    expect(await post('{')).toBe(400)
    const client = await traced(relay.address, 'secret', 40, 3)

    const { url: prometheus, stop } = await startPrometheus(relay.httpAddress!, { token: 'secret' })
    onTestFinished(stop)
    const ask = async (path: string, query: string) => {
      const answer = await fetch(`${prometheus}/api/v1/${path}?${new URLSearchParams({ query })}`)
      return ((await answer.json()) as { data: { result: Result[] } & Exemplars[] }).data
    }
    const value = async (query: string) => Number((await ask('query', query)).result[0]?.value[1])
    const soon = { timeout: 20_000, interval: 50 }
    await expect.poll(() => value('sum(blkin_span_duration_seconds_count)'), soon).toBe(101)
    const { tracing: spans, totals, rejections } = relay.stats()
    const same: [query: string, number: number][] = [
      ['up{job="blkin"}', 1],
      ['sum(blkin_relay_spans_received_total)', spans!.received],
      ['sum(blkin_span_duration_seconds_count) + sum(blkin_relay_spans_unmeasured_total)', spans!.received],
      ['blkin_span_duration_seconds_count{service="store",span="write",kind="server",error="false"}', 100],
      ['blkin_span_duration_seconds_count{kind="local",error="true"}', 1],
      ['blkin_span_duration_seconds_sum{kind="server"}', 5.05],
      ['blkin_span_duration_seconds_bucket{kind="server",le="0.05"}', 50],
      ['blkin_relay_events_total', totals.events],
      ['sum(blkin_relay_events_lost_total)', 3],
      ['blkin_relay_events_lost_total{reason="no_room"}', totals.lost.noRoom],
      ['blkin_relay_processes', 1],
      ['blkin_relay_rejected_total{what="post",reason="400"}', rejections[0]!.count],
      ['blkin_relay_http_requests_total{method="POST",code="202"}', 1],
    ]
    for (const [query, number] of same) expect(await value(query), query).toBe(number)
    expect([spans!.received, totals.events]).toEqual([102, 40])
    const median = await value('histogram_quantile(0.5, blkin_span_duration_seconds_bucket{kind="server"})')
    expect(median).toBeCloseTo(0.05)

    const isFinished = () => relay.stats().tracing!.stored
    await expect.poll(isFinished, soon).toBeGreaterThan(0)
    const range = { start: String(Date.now() / 1000 - 600), end: String(Date.now() / 1000 + 600) }
    const exemplars = async () => {
      const query = new URLSearchParams({ query: 'blkin_span_duration_seconds_bucket', ...range })
      const answer = await fetch(`${prometheus}/api/v1/query_exemplars?${query}`)
      const { data } = (await answer.json()) as { data: Exemplars[] }
      return data.flatMap(({ exemplars }) =>
        exemplars.map(({ labels, value }) => [labels.trace_id, Number(value)]),
      )
    }
    const kept = ['00000000000000c8', 0.000007] // the failed one: what is sampled out cannot be looked at
    await expect.poll(exemplars, soon).toContainEqual(kept)
    client.end()
  })

  interface Result {
    value: [time: number, value: string]
  }
  interface Exemplars {
    exemplars: { labels: { trace_id: string }; value: string }[]
  }
})

/** A relay of which everything is asked that there is a metric for. */
async function fullRelay() {
  const rules = parseAlerts('failing: errors(service=store) > 0% over 1s min 1 by service')
  const server = createServer((_, response) => void response.end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close().closeAllConnections())
  const taker = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const relay = await relayIn(folder(), {
    tracing: {
      ...{ listen, sample: { share: 1 }, sinks: { zipkin: taker } },
      alerts: { rules, webhook: taker, alertmanagers: [taker] },
    },
    scribe: { listen },
  })
  const url = `http://${relay.httpAddress}`
  await postSpans(url, [span(1)])
  await postText(url, '{')
  const client = await scribeClient(relay.scribeAddress!)
  await client.log([['a', 'b']])
  client.end()
  const scrape = async (accept: string) => {
    const answer = await fetch(`${url}/metrics`, { headers: { accept } })
    return { type: answer.headers.get('content-type'), text: await answer.text() }
  }
  await scrape('') // so that the answer to it is counted
  return scrape
}

test('every metric of a relay is in docs/metrics.md as it is, and nothing else is', async () => {
  const { text } = await (await fullRelay())('')
  const metrics = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => {
    const [, labels = ''] = new RegExp(`^${name}(?:_bucket)?(?:\\{(.*)\\})? `, 'm').exec(text)!
    const names = [...labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)].map(([, label]) => label)
    const [, help] = new RegExp(`^# HELP ${name} (.*)$`, 'm').exec(text)!
    const shown = names.filter((label) => label !== 'le').map((label) => `\`${label}\``)
    return `| \`${name}\` | ${type} | ${shown.join(', ')} | ${help} |`
  })
  const docs = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8')
  expect(docs.split('\n').filter((line) => /^\| `(blkin|process|nodejs)_/.test(line))).toEqual(metrics)
})

test.skipIf(!hasPrometheus)('promtool finds no fault with names, types and texts', async () => {
  const { text } = await (await fullRelay())('')
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  })
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
})

test.each([
  ['', plain],
  ['*/*', plain],
  ['text/plain', plain],
  ['application/openmetrics-text', open],
  [
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    open,
  ],
  ['text/plain;q=0.9, application/openmetrics-text;q=0.5', plain],
  ['application/openmetrics-text;q=0', plain],
])('who accepts %j gets %s', (accept, type) => {
  expect(expose([], accept)).toEqual({ type, body: type === open ? '# EOF\n' : '\n' })
})

test('labels are escaped, and each form has its own way with counters, units, exemplars and the end', () => {
  const histogram = new Histogram([1000, 2_000_000])
  for (const us of [1000, 1001, 3_000_000]) histogram.add(us)
  histogram.exemplify('ab', 1001, 1_700_000_000_500)
  const families: Family[] = [
    { name: 'a_bytes', type: 'counter', help: 'A\nb.', samples: [[{ x: 'q"\\\n\ud800' }, 1.5]] },
    { name: 'b', type: 'gauge', help: 'B.', samples: [[{}, Number.NaN]] },
    { name: 'c_seconds', type: 'histogram', help: 'C.', series: [{ labels: 'k="v"', histogram }] },
  ]
  const counts = ['c_seconds_sum{k="v"} 3.002001', 'c_seconds_count{k="v"} 3']
  expect(expose(families, '').body.split('\n')).toEqual([
    ...[
      '# HELP a_bytes_total A\\nb.',
      '# TYPE a_bytes_total counter',
      'a_bytes_total{x="q\\"\\\\\\n\ufffd"} 1.5',
    ],
    ...['# HELP b B.', '# TYPE b gauge', 'b NaN', '# HELP c_seconds C.', '# TYPE c_seconds histogram'],
    ...['c_seconds_bucket{k="v",le="0.001"} 1', 'c_seconds_bucket{k="v",le="2.0"} 2'],
    ...['c_seconds_bucket{k="v",le="+Inf"} 3', ...counts, ''],
  ])
  expect(expose(families, open).body.split('\n')).toEqual([
    ...['# HELP a_bytes A\\nb.', '# TYPE a_bytes counter', '# UNIT a_bytes bytes'],
    ...['a_bytes_total{x="q\\"\\\\\\n\ufffd"} 1.5', '# HELP b B.', '# TYPE b gauge', 'b NaN'],
    ...['# HELP c_seconds C.', '# TYPE c_seconds histogram', '# UNIT c_seconds seconds'],
    'c_seconds_bucket{k="v",le="0.001"} 1',
    'c_seconds_bucket{k="v",le="2.0"} 2 # {trace_id="ab"} 0.001001 1700000000.5',
    ...['c_seconds_bucket{k="v",le="+Inf"} 3', ...counts, '# EOF', ''],
  ])
})

describe('histograms of spans', () => {
  const named = (service: string, name: string, more: Partial<Span> = {}) =>
    span(1, { localEndpoint: { serviceName: service }, name, ...more })
  const counts = (latencies: Latencies) =>
    Object.fromEntries(
      [...latencies.series].map(({ labels, histogram }) => [
        labels.replaceAll(/\w+=/g, ''),
        histogram.counts.reduce((sum, n) => sum + n, 0),
      ]),
    )

  test('a service with more names than its share has the rest as one, and others have theirs', () => {
    const latencies = new Latencies()
    const many = Array.from({ length: MOST_OF_SERVICE + 50 }, (_, i) => named('wild', `user/${i}`))
    latencies.add(many, true)
    latencies.add([...many.slice(-1), named('tame', 'write'), named('wild', 'user/0')], true)
    const all = counts(latencies)
    expect(Object.keys(all)).toHaveLength(MOST_OF_SERVICE + 2)
    expect([all['"wild","other","local","false"'], all['"tame","write","local","false"']]).toEqual([51, 1])
    expect([all['"wild","user/0","local","false"'], latencies.folded]).toEqual([2, 51])
  })

  test('services without end are one, and nothing is lost', () => {
    const latencies = new Latencies()
    const spans = Array.from({ length: 5000 }, (_, i) =>
      named(`s${i}`, 'a', i % 2 ? { tags: { error: 'x' } } : {}),
    )
    latencies.add(spans, false)
    const all = counts(latencies)
    expect(latencies.count).toBe(MOST_SERIES + 2)
    expect([all['"other","other","local","false"'], all['"other","other","local","true"']]).toEqual([
      2000, 2000,
    ])
    expect(Object.values(all).reduce((sum, n) => sum + n, 0)).toBe(5000)
    expect(latencies.folded).toBe(4000)
  })

  test('names that are long, or no text, are what a label can hold; no two series have the same labels', () => {
    const latencies = new Latencies()
    const names = ['\ud800', '\ufffd', '\udfff', 'x'.repeat(100), 'x'.repeat(5000), '']
    latencies.add(
      names.map((name) => named('s', name)),
      false,
    )
    expect(counts(latencies)).toEqual({
      ...{ '"s","\ufffd","local","false"': 3, '"s","","local","false"': 1 },
      [`"s","${'x'.repeat(100)}","local","false"`]: 2,
    })
    expect(latencies.folded).toBe(0)
  })
})

test('what processes brought is counted since the relay began, and never less than before', async () => {
  const output = folder()
  const first = await relayIn(output)
  const hello = makeHello()
  const stream = new StreamWriter(hello.uuid, 0)
  stream.start(1000n)
  const put = (sequence: number) => {
    for (let i = 0; i < 10; i++) stream.event(0, 2000n * BigInt(sequence), Buffer.alloc(4))
    return makePut(0, sequence, stream.take(), { events: 10 })
  }
  const before = await connect(first.address)
  await before.hello(hello)
  await before.declare([tracepoint(0, 'p:e')])
  const [one, two] = [put(1), put(2)]
  await before.put(one)
  expect(first.stats().totals).toMatchObject({ events: 10, puts: 1, bytes: one.packets.length })
  await first.close()
  const second = await relayIn(output)
  const after = await connect(second.address)
  await after.hello(hello)
  expect(second.stats().processes[0]!.events, 'of its trace').toBe(10)
  expect(second.stats().totals, 'of this relay').toMatchObject({ events: 0, puts: 0 })
  await after.put(one)
  await after.put(two)
  expect(second.stats().totals).toMatchObject({ events: 10, puts: 1 })
  after.end()
})
