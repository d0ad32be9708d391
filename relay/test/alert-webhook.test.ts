// relay/test/alert-webhook.test.ts: what an HTTP server hears of alerts, by a relay's own clock: in Alertmanager's form, each
// change once, also when it was away; and that a trace which is told as an example is there to be looked at.

import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { parseAlerts, type RelayStatus, startRelay, type TracingOptions } from '../src/index.js'
import { openable } from '../src/pipeline/alerts/payload.js'
import { statusOf } from '../src/report/status.js'
import type { Span } from '../src/spans/span.js'
import { folder, postSpans } from './helpers.js'

interface Heard {
  status: string
  commonLabels: Record<string, string>
  alerts: { startsAt: string; endsAt: string; fingerprint: string; generatorURL: string }[]
}

/** Hears what is posted; `answer` may say something else than "taken". */
async function receiver(port = 0, answer: RequestListener = (_, response) => response.end()) {
  const heard: Heard[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    expect(request).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' } })
    heard.push(JSON.parse(Buffer.concat(parts).toString()))
    answer(request, response)
  })
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  const close = () => new Promise((done) => server.close(done).closeAllConnections())
  onTestFinished(async () => void (await close()))
  return { heard, close, port: (server.address() as AddressInfo).port }
}

async function relayWith(rules: string, more: TracingOptions & { webhook?: string; output?: string } = {}) {
  const { webhook, output = folder(), ...options } = more
  const log: string[] = []
  const alerts = { rules: parseAlerts(rules), ...(webhook === undefined ? {} : { webhook }) }
  const tracing = { listen: '127.0.0.1:0', alerts, ...options }
  const relay = await startRelay({
    listen: '127.0.0.1:0',
    output,
    tracing,
    log: (line) => log.push(line),
  })
  onTestFinished(() => relay.close())
  const url = `http://${relay.httpAddress}`
  const post = (spans: Span[]) => postSpans(url, spans)
  return { relay, log, url, post, webhook: () => relay.stats().tracing!.alerts!.webhook! }
}

const write = (n: number, more: Partial<Span> = {}): Span => ({
  ...{ traceId: n.toString(16).padStart(16, '0'), id: n.toString(16).padStart(16, '0'), name: 'write' },
  ...{ timestamp: Date.now() * 1000, duration: 1000, localEndpoint: { serviceName: 'store' } },
  ...more,
})
const failing = 'failing: errors(service=store) > 0% over 1s min 1 keep 100ms by tag.export'
const failed = (n: number) => write(n, { tags: { error: 'x', export: 'disk0' } })

const until = (holds: () => boolean) => expect.poll(holds, { interval: 5, timeout: 10_000 }).toBe(true)

test('hears that an alert fires and that it is resolved, as Alertmanager tells it', async () => {
  const { heard, port } = await receiver()
  const { post, url, webhook, log } = await relayWith(failing, { webhook: `http://127.0.0.1:${port}/hook` })
  await post([failed(1), write(2, { tags: { export: 'disk0' } })])
  await until(() => heard.length === 2)
  const labels = { alertname: 'failing', export: 'disk0' }
  const annotations = {
    ...{ value: '50%', threshold: '0%', window: '1s', count: '2', traces: '0000000000000001' },
    ...{ summary: 'errors(service=store) is 50%, above 0%, over 1s (2 spans)' },
    rule: 'errors(service=store) > 0% over 1s min 1 keep 100ms by tag.export',
  }
  const time = expect.stringMatching(/^20\d\d-\d\d-\d\dT[\d:.]+Z$/)
  expect(heard[0]).toEqual({
    ...{ version: '4', status: 'firing', receiver: 'blkin', truncatedAlerts: 0, externalURL: url },
    ...{ groupKey: JSON.stringify(labels), groupLabels: labels, commonLabels: labels },
    commonAnnotations: annotations,
    alerts: [
      {
        ...{ status: 'firing', labels, annotations, startsAt: time, endsAt: '0001-01-01T00:00:00Z' },
        generatorURL: `${url}/api/v2/trace/0000000000000001`,
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      },
    ],
  })
  const [[began], [ended]] = heard.map(({ alerts }) => alerts) as [Heard['alerts'], Heard['alerts']]
  expect(heard[1]).toMatchObject({
    status: 'resolved',
    commonAnnotations: { value: '-', count: '0', traces: '' },
  })
  expect(ended).toMatchObject({ startsAt: began!.startsAt, fingerprint: began!.fingerprint, endsAt: time })
  expect(Date.parse(ended!.endsAt)).toBeGreaterThan(Date.parse(ended!.startsAt))
  const trace = await fetch(began!.generatorURL)
  expect(await trace.json()).toMatchObject([{ name: 'write' }])
  await until(() => webhook().delivered === 2)
  expect(log.filter((line) => line.startsWith('alert '))).toEqual([
    expect.stringMatching(/^alert failing\{tag\.export=disk0\} fires: .* such as trace 0000000000000001$/),
    expect.stringMatching(/^alert failing\{tag\.export=disk0\} is resolved: /),
  ])
})

test('a server that was away hears of each change once, in order, when it is back', async () => {
  const away = await receiver()
  await away.close()
  const { post, relay, webhook, log } = await relayWith(failing, { webhook: `127.0.0.1:${away.port}` })
  await post([failed(1)])
  await until(() => relay.stats().tracing!.alerts!.resolved === 1)
  expect(webhook()).toMatchObject({ offered: 2, waiting: 2, delivered: 0, error: 'ECONNREFUSED' })
  expect(webhook().failingSince).toBeGreaterThan(Date.now() - 60_000)
  const { heard } = await receiver(away.port)
  await until(() => webhook().delivered === 2)
  expect(heard.map(({ status }) => status)).toEqual(['firing', 'resolved'])
  expect(webhook()).toMatchObject({ offered: 2, delivered: 2, waiting: 0, refused: 0, dropped: 0 })
  expect(webhook().failingSince).toBeUndefined()
  expect(log).toContain(`webhook http://127.0.0.1:${away.port}: takes alerts again`)
})

test('hears from the next relay what it may not have heard from the one before, as the same alert', async () => {
  const { heard, port } = await receiver()
  const to = { output: folder(), webhook: `http://127.0.0.1:${port}` }
  const first = await relayWith(failing, to)
  await first.post([failed(1)])
  await until(() => heard.length === 1)
  await first.relay.close()
  const second = await relayWith(failing, to)
  await until(() => heard.length === 3)
  expect(heard.map(({ status }) => status)).toEqual(['firing', 'firing', 'resolved'])
  const [one, again, ended] = heard.map(({ alerts }) => alerts[0]!)
  expect(again).toEqual({ ...one, generatorURL: one!.generatorURL.replace(first.url, second.url) })
  expect(ended).toMatchObject({ startsAt: one!.startsAt, fingerprint: one!.fingerprint })
  expect(second.relay.stats().tracing!.alerts).toMatchObject({ fired: 0, resolved: 1 })
})

test('hears from the next relay of each change that came while it was away, in order', {
  timeout: 60_000,
}, async () => {
  const away = await receiver()
  await away.close()
  const to = { output: folder(), webhook: `http://127.0.0.1:${away.port}` }
  const first = await relayWith(failing, to)
  const changes = (relay: typeof first) => {
    const { fired, resolved } = relay.relay.stats().tracing!.alerts!
    return fired + resolved
  }
  await first.post([failed(1)])
  await until(() => changes(first) === 2)
  await first.post([failed(2)])
  await until(() => changes(first) === 3)
  await first.relay.close() // waits 5 s for the receiver
  const { heard } = await receiver(away.port)
  await relayWith(failing, to)
  await until(() => heard.length === 4)
  expect(heard.map(({ status }) => status)).toEqual(['firing', 'resolved', 'firing', 'resolved'])
  const begins = heard.map(({ alerts }) => alerts[0]!.startsAt)
  expect([begins[0], begins[2]]).toEqual([begins[1], begins[3]])
  expect(begins[0]).not.toBe(begins[2])
})

test('what a server refuses for good is counted, and told once', async () => {
  const { port } = await receiver(0, (_, response) => response.writeHead(400).end('not like this'))
  const { post, webhook, log } = await relayWith(failing, { webhook: `http://127.0.0.1:${port}/secret` })
  await post([failed(1)])
  await until(() => webhook().refused === 2)
  expect(webhook()).toMatchObject({ offered: 2, delivered: 0, waiting: 0, dropped: 0 })
  expect(webhook().error).toBe('it answers 400: "not like this"')
  const refusals = log.filter((line) => line.startsWith('webhook'))
  expect(refusals).toEqual([
    `webhook http://127.0.0.1:${port}: refuses an alert: it answers 400: "not like this"`,
  ])
})

test('a webhook that is no URL is refused, and nothing stays open', async () => {
  const tracing = { alerts: { rules: parseAlerts(failing), webhook: 'ftp://x' } }
  await expect(startRelay({ listen: '127.0.0.1:0', output: folder(), tracing })).rejects.toThrow(
    'webhook "ftp://x": expected a URL of a receiver, such as http://127.0.0.1:9095/alerts, or HOST:PORT',
  )
})

test('spans that are not stored count too, and examples are stored', async () => {
  const rules = `slow: p99(span=write) > 20ms over 30s min 100
lost: missing(span=write tag.op=put -> span=replica) > 0 over 30s`
  const { post, relay, url } = await relayWith(rules, { sample: { share: 1e-9 } })
  await post(Array.from({ length: 500 }, (_, i) => write(i + 1)))
  await post([
    ...Array.from({ length: 8 }, (_, i) => write(1000 + i, { duration: 30_000 + i })),
    write(2000, { tags: { op: 'put' } }),
  ])
  const of = () => relay.stats().tracing!
  await until(() => of().alerts!.alerts.every(({ state }) => state === 'firing'))
  await until(() => of().waiting === 0)
  expect(of()).toMatchObject({ received: 509, traces: { alert: expect.any(Number), chance: 0 } })
  expect(of().sampledOut).toBeGreaterThanOrEqual(490)
  const status = (await (await fetch(`${url}/api/blkin/status`)).json()) as RelayStatus
  const [slow, lost] = status.alerts!.alerts
  expect(slow).toMatchObject({
    count: 509,
    traces: [1007, 1006, 1005, 1004, 1003].map((n) => write(n).traceId),
  })
  expect(lost).toMatchObject({ value: 1, count: 1, traces: [write(2000).traceId] })
  for (const traceId of [...slow!.traces, ...lost!.traces]) {
    expect((await fetch(`${url}/api/v2/trace/${traceId}`)).status, traceId).toBe(200)
  }
})

test('a relay that listens on every address has none that a receiver could open', () => {
  for (const api of ['http://0.0.0.0:4651', 'http://[::]:4651']) expect(openable(api)).toBeUndefined()
  expect(openable('http://10.0.0.1:4651')).toBe('http://10.0.0.1:4651')
  expect(openable(undefined)).toBeUndefined()
})

test('the status is for who shows the token, and says nothing of folders', async () => {
  const output = folder()
  const relay = await startRelay({
    listen: '127.0.0.1:0',
    output,
    tracing: { listen: '127.0.0.1:0' },
    token: 'secret',
  })
  onTestFinished(() => relay.close())
  const url = `http://${relay.httpAddress}/api/blkin/status`
  expect((await fetch(url)).status).toBe(401)
  const shown = await fetch(url, { headers: { authorization: 'Bearer secret' } })
  const text = await shown.text()
  expect(JSON.parse(text)).toMatchObject({ version: expect.any(String), processes: [], gone: 0, sinks: [] })
  expect(text).not.toContain(output)
  const scribe = { good: 0, bad: 0, denied: 1, bytes: 0, trouble: `EACCES: open '${output}/scribe/app'` }
  const { processes, tracing } = relay.stats()
  const connections = { open: 0, refused: 0, ended: 0 }
  const message = `server (pid 1): ${output}/server-1/events_0: ENOSPC`
  const rejection = { what: 'put', reason: 'ENOSPC', isLost: false, count: 1, last: 1, message } as const
  const known = { version: '0', since: 0, processes, tracing: tracing!, scribe: { ...scribe, connections } }
  const told = statusOf({ ...known, output, rejections: [rejection] })
  expect(told.scribe).toEqual({ ...scribe, trouble: "EACCES: open 'scribe/app'" })
  expect(told.rejections).toEqual([{ ...rejection, message: 'server (pid 1): server-1/events_0: ENOSPC' }])
})
