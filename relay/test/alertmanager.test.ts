// relay/test/alertmanager.test.ts: what a real Alertmanager knows of a relay's alerts, by its own API: that they fire, with their labels,
// and are resolved, also when it was away, or the relay was; and, of a receiver that only listens, what is told again and when.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freePort } from '../../scripts/lib/ports.mjs'
import { hasAlertmanager, startAlertmanager } from '../../scripts/lib/prometheus.mjs'
import { parseAlerts, startRelay } from '../src/index.js'
import { Alertmanagers } from '../src/pipeline/alerts/alertmanager.js'
import type { PostedAlert } from '../src/pipeline/alerts/payload.js'
import { folder, postSpans } from './helpers.js'

if (!hasAlertmanager)
  console.warn('SKIPPED: no real Alertmanager is told: prometheus-alertmanager is not installed')

const rule =
  'failing: errors(service=store) > 0% over 1s min 1 keep 100ms by tag.export severity=page team="on call"'

async function relayWith(alertmanagers: string[], output = folder()) {
  const lines: string[] = []
  const tracing = { listen: '127.0.0.1:0', alerts: { rules: parseAlerts(rule), alertmanagers } }
  const log = (line: string) => lines.push(line)
  const relay = await startRelay({ listen: '127.0.0.1:0', output, tracing, log })
  onTestFinished(() => relay.close())
  const fail = () =>
    postSpans(`http://${relay.httpAddress}`, [
      {
        ...{ traceId: '00000000000000ab', id: '00000000000000cd', name: 'write', duration: 1 },
        ...{ localEndpoint: { serviceName: 'store' }, tags: { error: 'x', export: 'disk "0"' } },
      },
    ])
  const stats = () => relay.stats().tracing!.alerts!.alertmanagers!
  return { relay, output, lines, fail, stats }
}

async function manager(port?: number) {
  const made = await startAlertmanager(port === undefined ? {} : { port })
  onTestFinished(made.stop)
  const alerts = async () => (await (await fetch(`${made.url}/api/v2/alerts`)).json()) as PostedAlert[]
  return { ...made, alerts }
}

const firing = {
  labels: { alertname: 'failing', export: 'disk "0"', severity: 'page', team: 'on call' },
  annotations: expect.objectContaining({ value: '100%', threshold: '0%', traces: '00000000000000ab' }),
  status: expect.objectContaining({ state: 'active' }),
}
const soon = { timeout: 20_000, interval: 50 }

describe.skipIf(!hasAlertmanager)('a real Alertmanager', () => {
  test('knows that an alert fires, with all its labels, and that it is resolved', async () => {
    const { url, alerts } = await manager()
    const { relay, fail, stats } = await relayWith([url])
    await fail()
    await expect.poll(alerts, soon).toMatchObject([firing])
    const [{ endsAt, generatorURL } = { endsAt: '' }] = await alerts()
    expect(Date.parse(endsAt!) - Date.now(), 'it is told again long before').toBeGreaterThan(180_000)
    expect(generatorURL).toBe(`http://${relay.httpAddress}/api/v2/trace/00000000000000ab`)
    await expect.poll(alerts, soon).toEqual([])
    const told = [{ name: `alertmanager ${url}`, offered: 2, delivered: 2, refused: 0 }]
    await expect.poll(stats, soon).toMatchObject(told)
  })

  test('that was away hears of it when it is back, as the others of its cluster did at once', async () => {
    const { url, alerts } = await manager()
    const away = await freePort()
    const { fail, stats, lines } = await relayWith([url, `127.0.0.1:${away}`])
    await fail()
    await expect.poll(alerts, soon).toMatchObject([firing])
    await expect.poll(() => stats()[1], soon).toMatchObject({ error: 'ECONNREFUSED', delivered: 0 })
    const late = await manager(away)
    await fail() // so that it fires still, or again
    await expect.poll(late.alerts, soon).toMatchObject([firing])
    await expect.poll(late.alerts, soon).toEqual([])
    expect(lines).toContain(`alertmanager http://127.0.0.1:${away}: takes alerts again`)
  })

  test('is told by the next relay what fires, as the same alert, and then that it is resolved', async () => {
    const { url, alerts } = await manager()
    const first = await relayWith([url])
    await first.fail()
    await expect.poll(alerts, soon).toMatchObject([firing])
    const [before] = await alerts()
    await first.relay.close()
    const second = await relayWith([url], first.output)
    await expect.poll(() => second.stats()[0]!.delivered, soon).toBeGreaterThan(0)
    await expect.poll(alerts, soon).toEqual([])
    expect(second.lines.filter((line) => line.includes('failing'))).toEqual([
      expect.stringMatching(/^from before: alert failing\{tag\.export="disk \\"0\\""\} fires/),
      expect.stringMatching(/is resolved/),
    ])
    expect(before).toMatchObject(firing)
  })
})

/** Hears what is posted. */
async function receiver() {
  const heard: { path: string; alerts: PostedAlert[] }[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request.setEncoding('utf8')) body += part
    heard.push({ path: request.url!, alerts: JSON.parse(body) })
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close().closeAllConnections())
  return { heard, address: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test('what fires is told again each minute, with a later end, and what is resolved is not', async () => {
  const { heard, address } = await receiver()
  const managers = new Alertmanagers([address], () => {})
  onTestFinished(() => managers.close())
  const alert = (name: string): PostedAlert => ({
    ...{ labels: { alertname: name }, annotations: {}, startsAt: '2026-01-01T00:00:00.000Z' },
  })
  const isTaken = () => managers.stats().every(({ waiting }) => waiting === 0)
  const names = () => heard.map(({ alerts }) => alerts.map(({ labels }) => labels.alertname).join())
  managers.tell('a', alert('a'))
  managers.tell('b', alert('b'))
  managers.due(0)
  await expect.poll(isTaken, soon).toBe(true)
  managers.due(59_999)
  expect(isTaken()).toBe(true)
  managers.due(60_000)
  await expect.poll(isTaken, soon).toBe(true)
  managers.tell('a', { ...alert('a'), endsAt: '2026-01-01T00:00:01.000Z' })
  await expect.poll(isTaken, soon).toBe(true)
  managers.due(120_000)
  await expect.poll(isTaken, soon).toBe(true)
  expect(names()).toEqual(['a,b', 'a,b', 'a', 'b'])
  const ends = heard.map(({ alerts }) => Date.parse(alerts[0]!.endsAt!))
  expect(ends[1]).toBeGreaterThan(ends[0]!)
  expect(ends[2]).toBe(Date.parse('2026-01-01T00:00:01.000Z'))
})

test('below a path that it is given, and of a name without the secret', async () => {
  const { heard, address } = await receiver()
  const targets = [`http://${address}/prefix/`, `http://user:secret@${address}/api/v2/alerts`]
  const managers = new Alertmanagers(targets, () => {})
  onTestFinished(() => managers.close())
  managers.tell('a', { labels: {}, annotations: {}, startsAt: '' })
  await expect.poll(() => heard.length, soon).toBe(2)
  expect(heard.map(({ path }) => path).sort()).toEqual(['/api/v2/alerts', '/prefix/api/v2/alerts'])
  const names = ['/prefix', ''].map((prefix) => `alertmanager http://${address}${prefix}`)
  expect(managers.stats().map(({ name }) => name)).toEqual(names)
  const twice = ['http://am:9093', 'am:9093/']
  expect(() => new Alertmanagers(twice, () => {})).toThrow(
    'alertmanager http://am:9093 is given twice; expected each',
  )
  expect(() => new Alertmanagers(['ftp://x'], () => {})).toThrow(
    'alertmanager "ftp://x": expected a URL such as',
  )
})
