// test/cli-status.test.ts: `blkin relay --alerts` and `blkin status` as a user has them: a traced program fails, its alerts
// fire at a webhook and in the status, and are resolved; a relay that is well; what is refused, and in which words.
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { RelayStatus } from '@blkin/relay'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readAlerts } from '../lib/cli/relay/alerts-file.js'
import { askRelay } from '../lib/cli/relay/zipkin.js'
import { readStatus } from '../lib/cli/status/status-answer.js'
import { isWell, renderStatus } from '../lib/cli/status/status-frame.js'
import { blkin, type Done, json, startBlkin } from './support/cli.js'
import { freeAddress, relay, until } from './support/relays.js'
import { folder, program, result, root } from './support/run.js'

const postText = (http: string, body: string) =>
  fetch(`http://${http}/api/v2/spans`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
const post = (http: string, spans: object[]) => postText(http, JSON.stringify(spans))

/** A server that hears what is posted, and answers what it is told to. */
async function server(answer = '', status = 200) {
  const heard: { status: string; commonLabels: { alertname: string } }[] = []
  const says = { status }
  const made = createServer(async (request, response) => {
    let body = ''
    for await (const part of request.setEncoding('utf8')) body += part
    if (request.headers['content-encoding'] === undefined && body !== '') heard.push(JSON.parse(body))
    response.writeHead(says.status).end(answer)
  }).listen(0, '127.0.0.1')
  await once(made, 'listening')
  onTestFinished(() => void made.close().closeAllConnections())
  return { heard, says, address: `127.0.0.1:${(made.address() as AddressInfo).port}` }
}

function rules(text: string): string {
  const file = join(folder(), 'alerts')
  writeFileSync(file, text)
  return file
}

/** Lines, with what is another each time as a word, and columns apart by one space. */
const shown = ({ out }: Done): string[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) =>
      line
        .replace(/\b\d+(\.\d+)?(us|ms|s)\b/g, 'TIME')
        .replace(/ {2,}/g, ' ')
        .trim(),
    )

test('a program whose spans fail, are slow and lack a child makes alerts fire, until others make up for it', async () => {
  const { heard, address } = await server()
  const file = rules(`# of two-processes.mjs
failing:  errors(service=store) > 10% over 60s min 1 keep 100ms
slow:     p50(service=front) > 1us over 60s min 1 keep 100ms by service
unsynced: missing(service=front span=write -> service=store span=replica) > 0 over 60s
well:     missing(service=front span=write -> service=store span=sync) > 0 over 60s`)
  const [listen, http, output] = [await freeAddress(), await freeAddress(), folder()]
  const to = startBlkin(['relay', '-l', listen, '-o', output, '--http', http, '--alerts', file], {
    ...{ BLKIN_WEBHOOK: `http://${address}/alerts` },
  })
  await to.says("Zipkin's API is on")
  const { traceId, stored } = await result<{ traceId: string; stored: boolean }>(
    program('two-processes.mjs'),
    { env: { BLKIN_RELAY: listen, BLKIN_ENABLE: 'blkin:*', BLKIN_NAME: 'front' } },
  )
  expect(stored).toBe(true)
  const told = () => heard.map(({ status, commonLabels }) => `${commonLabels.alertname} ${status}`).sort()
  await until(() => heard.length === 3)
  expect(told()).toEqual(['failing firing', 'slow firing', 'unsynced firing'])

  const firing = await blkin('status', '--http', http)
  expect({ code: firing.code, err: firing.err }).toEqual({ code: 1, err: '' })
  const lines = shown(firing)
  expect(lines[0]).toMatch(/^relay \S+ at http:\/\/127\.0\.0\.1:\d+, up TIME: 3 alerts fire$/)
  expect(lines.slice(1, 7)).toEqual([
    '',
    'ALERT STATE SINCE VALUE ABOVE OVER SPANS OF TRACE',
    `failing firing TIME 50% 10% TIME 2 errors(service=store) ${traceId}`,
    `slow{service=front} firing TIME TIME TIME TIME 3 p50(service=front) ${traceId}`,
    `unsynced firing TIME 1 0 TIME 1 missing(service=front span=write -> service=store span=repl… ${traceId}`,
    'well inactive TIME 0 0 TIME 1 missing(service=front span=write -> service=store span=sync) -',
  ])
  expect(lines.slice(7)).toEqual([
    '',
    'SINK STATE SINCE DELIVERED WAITING REFUSED DROPPED WHY',
    `webhook http://${address} takes - 3 0 0 0 -`,
    '',
    'SPANS RECEIVED STORED SAMPLED OUT REFUSED WAITING BEHIND',
    '5 5 0 0 0 -',
    '',
    'TRACES KEPT SIZE REMOVED EVENTS REPAIRED MISSING',
    expect.stringMatching(/^\d \S+ \w+ 0 0 0 0$/), // as many as there were when it looked last
    '',
    expect.stringMatching(/^(2 gone, )?no process is connected$/),
  ])

  const good = Array.from({ length: 100 }, (_, i) => ({
    ...{ traceId: `${1000 + i}`.padStart(16, 'a'), id: `${1000 + i}`.padStart(16, 'b') },
    ...{ timestamp: Date.now() * 1000, duration: 1, name: 'put' },
    localEndpoint: { serviceName: i % 2 ? 'store' : 'front' },
  }))
  await post(http, good)
  await until(() => heard.length === 5)
  expect(told().filter((one) => one.endsWith('resolved'))).toEqual(['failing resolved', 'slow resolved'])
  const [status] = json<RelayStatus>(await blkin('status', '--http', http, '--json'))
  expect(status!.alerts).toMatchObject({
    ...{ fired: 3, resolved: 2, missing: { judged: expect.any(Number), givenUp: 0 } },
    webhook: { offered: 5, delivered: 5 },
  })
  await postText(http, '{')
  to.child.kill('SIGINT')
  const { code, err } = await to.done
  expect(code).toBe(0)
  expect(err).toContain('alerts: 3 fired, 2 resolved, still: unsynced\n')
  expect(err).toContain('refused: 1 post (400)\n')
  expect(err).toContain(`webhook http://${address}: 5 delivered\n`)
  expect(err).toMatch(/alert failing fires: errors\(service=store\) is 50%, above 10%, over 60s \(2 spans\)/)
})

describe('a relay', () => {
  test('that is well is told so, with the exit code 0', async () => {
    const { httpAddress } = await relay({ tracing: { listen: '127.0.0.1:0' } })
    const well = await blkin('status', '--http', httpAddress!)
    expect(well).toMatchObject({ code: 0, err: '' })
    expect(well.out).toMatch(/^relay \S+ at \S+, up \d+s: all is well\n\nSPANS /)
    expect(well.out).not.toContain('ALERT')
  })

  test('that takes messages by Scribe says how many', async () => {
    const { httpAddress } = await relay({
      ...{ tracing: { listen: '127.0.0.1:0' }, scribe: { listen: '127.0.0.1:0' } },
    })
    const [status] = json<RelayStatus>(await blkin('status', '--http', httpAddress!, '--json'))
    expect(status!.scribe).toEqual({ good: 0, bad: 0, denied: 0, bytes: 0 })
  })

  test('whose sink fails has that first, and since when, and why', async () => {
    const { address, says } = await server('', 503)
    const { httpAddress, stats } = await relay({
      tracing: { listen: '127.0.0.1:0', sinks: { zipkin: address } },
    })
    await post(httpAddress!, [{ traceId: 'ab', id: 'cd' }])
    await until(() => stats().tracing!.sinks[0]!.error !== undefined)
    const failing = await blkin('status', '--http', httpAddress!)
    expect(failing.code).toBe(1)
    expect(shown(failing).slice(0, 4)).toEqual([
      expect.stringMatching(/: 1 sink fails$/),
      '',
      'SINK STATE SINCE DELIVERED WAITING REFUSED DROPPED WHY',
      `zipkin http://${address} fails TIME 0 1 0 0 it answers 503`,
    ])
    says.status = 200
  })

  test('that refused a post has that first, with why, until it ends', async () => {
    const { httpAddress } = await relay({ tracing: { listen: '127.0.0.1:0' } })
    for (let i = 0; i < 2; i++) await postText(httpAddress!, '{')
    const refused = await blkin('status', '--http', httpAddress!)
    expect(refused).toMatchObject({ code: 1, err: '' })
    expect(shown(refused).slice(0, 4)).toEqual([
      expect.stringMatching(/: 2 posts refused$/),
      '',
      'REFUSED WHY TIMES LAST THE LAST',
      expect.stringMatching(/^post 400 2 TIME ago 127\.0\.0\.1:\d+: POST \/api\/v2\/spans: .*JSON/i),
    ])
  })

  test('that is none, or is away, is told, with what to do', async () => {
    const away = await freeAddress()
    const { code, out, err } = await blkin('status', '--http', away)
    const words = /^blkin: nobody answers at \S+ \(ECONNREFUSED\); start a relay there/
    expect({ code, out, err }).toEqual({ code: 1, out: '', err: expect.stringMatching(words) })
    const cases: [body: string, status: number, words: RegExp][] = [
      ['', 404, /no relay at http\S+; --http says where one is/],
      ['<html>', 200, /no relay at http\S+: what it answers is no JSON/],
    ]
    for (const [body, status, words] of cases) {
      const { address } = await server(body, status)
      await expect(askRelay(`http://${address}`, 'status')).rejects.toThrow(words)
    }
  })
})

test.each(['--scribe', '--scribe-listen'])('an address of %s that is none is bad usage', async (flag) => {
  const { code, err } = await blkin('relay', '-l', '127.0.0.1:0', '-o', folder(), flag, 'nohost')
  expect({ code, err }).toEqual({
    code: 2,
    err: expect.stringContaining(`${flag}: "nohost": expected HOST:PORT`),
  })
})

test('rules that are none are refused before anything listens', async () => {
  const bad = rules('\na: p99() > 20 over 1s')
  const { code, out, err } = await blkin('relay', '-l', '127.0.0.1:0', '-o', folder(), '--alerts', bad)
  expect({ code, out, err }).toEqual({
    ...{ code: 2, out: '' },
    err: `blkin: --alerts ${bad}: line 2: alert "a": threshold is "20"; expected a time from 1us to 1h, such as 20ms\n`,
  })
  const cases: [file: string, words: RegExp][] = [
    [rules(''), /there is no rule; expected NAME: p99\(SPANS\) > 20ms over 30s/],
    [join(folder(), 'none'), /ENOENT.*; expected a file of rules$/],
    [folder(), /EISDIR.*; expected a file of rules$/],
    ['/dev/zero', /^--alerts \/dev\/zero: more than 1 MiB; expected a file of rules$/],
  ]
  for (const [file, words] of cases) await expect(readAlerts(file)).rejects.toThrow(words)
  const alone = await blkin('relay', '-l', '127.0.0.1:0', '-o', folder(), '--webhook', 'http://x')
  expect(alone).toMatchObject({ code: 2, err: expect.stringContaining('expected --alerts with it') })
  const also = await blkin('relay', '-l', '127.0.0.1:0', '-o', folder(), '--alertmanager', 'http://x')
  expect(also).toMatchObject({
    code: 2,
    err: expect.stringContaining('--alertmanager is told of alerts; expected --alerts'),
  })
  const good = ['--alerts', rules('a: p99() > 20ms over 1s'), '--webhook', 'ftp://x']
  const nowhere = await blkin('relay', '-l', '127.0.0.1:0', '-o', folder(), ...good)
  expect(nowhere).toMatchObject({
    code: 2,
    err: expect.stringContaining('webhook "ftp://x": expected a URL'),
  })
})

describe('the picture', () => {
  const lost = { noRoom: 0, tooBig: 0, badValue: 0, noRing: 0, overwritten: 0, unstored: 0 }
  const status = {
    ...{ version: '1', since: 0, now: 61_000, gone: 3, sinks: [] },
    spans: { received: 1, stored: 1, sampledOut: 0, refused: 0, waiting: 0 },
    processes: Array.from({ length: 30 }, (_, i) => ({ pid: i, program: 'a\x1b[31m', events: i, lost })),
  }
  const plain = { bold: String, dim: String, warn: String }

  test('has twenty processes, those that lost first, and no mark that a terminal obeys', () => {
    const processes = status.processes.with(25, { ...status.processes[25]!, lost: { ...lost, noRoom: 7 } })
    const lines = renderStatus('http://x', readStatus('x', { ...status, processes }), plain)
    expect(lines[0]).toBe('relay 1 at http://x, up 1m01s: 1 process lost events')
    expect(lines.slice(2, 5).map((line) => line.replace(/ +/g, ' ').trim())).toEqual([
      ...['PID NAME EVENTS LOST', '25 a\\x1b[31m 25 7', '0 a\\x1b[31m 0 0'],
    ])
    expect(lines).toContain('10 more, 3 gone')
    expect(lines.join('')).not.toContain('\x1b')
  })

  test('says first what is wrong, whatever it is of, and is well only without any of it', () => {
    const scribe = { good: 1200, bad: 0, denied: 3, bytes: 2048 }
    const headline = (more: object) => {
      const given = readStatus('x', { ...status, processes: [], ...more })
      const [first = '', , head = ''] = renderStatus('http://x', given, plain)
      return [first.slice(first.indexOf(': ') + 2), head.split(' ')[0], isWell(given)]
    }
    expect(headline({})).toEqual(['all is well', 'SPANS', true])
    expect(headline({ scribe })).toEqual(['all is well', 'SPANS', true])
    const full = { ...scribe, trouble: 'there are 1000 folders of 1000' }
    expect(headline({ scribe: full })).toEqual(["Scribe's files fail", 'SCRIBE', false])
    expect(headline({ spans: { ...status.spans, refused: 1 } })).toEqual(['1 span refused', 'SPANS', false])
    const traces = {
      ...{ kept: { traces: 3, bytes: 4096, isOver: true }, removed: { traces: 1, bytes: 1, events: 2 } },
      repaired: { streams: 0, bytes: 0, events: 0 },
    }
    expect(headline({ traces })).toEqual(['all is well', 'SPANS', true])
    const repaired = { streams: 2, bytes: 8192, events: 700 }
    expect(headline({ traces: { ...traces, repaired } })).toEqual([
      ...['2 files cut by the disk', 'TRACES', false],
    ])
    const refusal = { what: 'post', reason: '413', isLost: true, count: 3, last: 1000, message: 'a\x1b[31m' }
    const put = { ...refusal, what: 'put', reason: 'EFBIG', isLost: false, count: 2, last: 60_500 }
    const gone = { ...refusal, what: 'span' }
    expect(headline({ rejections: [refusal, put, gone] })).toEqual([
      '3 posts refused, 2 puts refused',
      'REFUSED',
      false,
    ])
    expect(headline({ rejections: [{ ...put, last: 1000 }, gone] }), 'it was tried again').toEqual([
      ...['all is well', 'REFUSED', true],
    ])
    const sink = { name: 'zipkin', offered: 5, delivered: 4, refused: 1, dropped: 0, waiting: 0 }
    expect(headline({ sinks: [sink] })).toEqual(['1 sink refused or dropped some', 'SINK', false])
    expect(headline({ goneLost: 7 })).toEqual(['7 events lost by processes that are gone', '3', false])
    const processes = [1, 2].map((pid) => ({ pid, program: 'a', events: 1, lost: { ...lost, noRoom: 1 } }))
    const both = { processes, scribe: full }
    expect(headline(both)).toEqual(["Scribe's files fail, 2 processes lost events", 'SCRIBE', false])
    expect(renderStatus('http://x', readStatus('x', { ...status, ...both }), plain).slice(2, 4)).toEqual([
      'SCRIBE  STATE  TAKEN  BAD  PUT OFF  WRITTEN  WHY',
      '        fails  1,200    0        3  2.05 kB  there are 1000 folders of 1000',
    ])
  })

  test.each(['README.md', 'docs/alerts.md'])('in %s is what is drawn, from the words of its rows', (file) => {
    const text = readFileSync(join(root, file), 'utf8')
    const [, block = ''] = /```\n((?:relay [^\n]*\n\n)?ALERT .*?)```/s.exec(text) ?? []
    const shown = block.trimEnd().split('\n')
    const table = shown.slice(shown.findIndex((line) => line.startsWith('ALERT ')))
    const seconds = (text: string) =>
      [...text.matchAll(/(\d+)([hms])/g)].reduce(
        (sum, [, n, unit]) => sum + Number(n) * { h: 3600, m: 60, s: 1 }[unit as 's'],
        0,
      )
    const now = 1e12
    const alerts = table.slice(1).map((row) => {
      const [name, state, since, value, threshold, over, count, measure, trace] = row.split(
        / {2,}/,
      ) as string[]
      return {
        ...{
          alert: name,
          state,
          since: now - seconds(since!) * 1000,
          kind: 'errors',
          value: 0,
          threshold: 0,
        },
        shown: { name, value, threshold, measure },
        ...{
          windowMs: Number.parseFloat(over!) * 1000,
          count: Number(count!.replace(',', '')),
          traces: trace === '-' ? [] : [trace],
        },
      }
    })
    expect(alerts.length).toBeGreaterThan(0)
    const up = /^relay (\S+) at (\S+), up (\S+):/.exec(shown[0]!)
    const { length } = shown
    const missing = { judged: 0, givenUp: 0, late: 0, waiting: 0 }
    const given = {
      ...{
        ...status,
        processes: [],
        version: up?.[1] ?? '0',
        now,
        since: now - seconds(up?.[3] ?? '') * 1000,
      },
      alerts: { alerts, fired: 0, resolved: 0, missing },
    }
    const drawn = renderStatus(up?.[2] ?? '', readStatus('x', given), plain)
    expect(up ? drawn.slice(0, length) : drawn.slice(2, 2 + length)).toEqual(shown)
  })

  test('has the labels of its alerts, where one has some, and every Alertmanager among the sinks', () => {
    const shown = { name: 'a', value: '1%', threshold: '0%', measure: 'errors()' }
    const alert = {
      alert: 'a',
      state: 'inactive',
      since: 0,
      value: 0,
      threshold: 0,
      windowMs: 1000,
      count: 0,
      shown,
    }
    const labels = { severity: 'page', team: 'on call' }
    const alerts = [
      { ...alert, traces: [], labels },
      { ...alert, traces: [] },
    ]
    const names = ['alertmanager http://a:9093', 'alertmanager http://b:9093']
    const alertmanagers = names.map((name) => ({
      name,
      offered: 0,
      delivered: 0,
      refused: 0,
      dropped: 0,
      waiting: 0,
    }))
    const given = readStatus('x', { ...status, alerts: { alerts, fired: 0, resolved: 0, alertmanagers } })
    const lines = renderStatus('http://x', given, plain)
    expect(lines.slice(2, 5).map((line) => line.split(/ {2,}/).at(-1))).toEqual([
      ...['LABELS', 'severity=page team=on call', '-'],
    ])
    expect(lines.filter((line) => line.startsWith('alertmanager'))).toHaveLength(2)
  })

  test('in docs/cli.md is what is drawn of what was refused', () => {
    const text = readFileSync(join(root, 'docs/cli.md'), 'utf8')
    const [, block = ''] = /```\n(relay [^\n]*\n\nREFUSED .*?)\n```/s.exec(text) ?? []
    const rows = block.split('\n').slice(3)
    expect(rows).toHaveLength(2)
    const rejections = rows.map((row, i) => {
      const [what, reason, count, ago, message] = row.split(/ {2,}/)
      const last = 7_800_000 - Number.parseInt(ago!, 10) * 1000
      return { what, reason, isLost: i === 0, count: Number(count), last, message }
    })
    const given = { ...status, version: '0.1.0', now: 7_800_000, processes: [], rejections }
    const drawn = renderStatus('http://127.0.0.1:4651', readStatus('x', given), plain)
    expect(drawn.slice(0, 5).join('\n')).toBe(block)
  })

  test('is of nothing else than a status, wherever it is wrong', () => {
    const wrong: [unknown, string][] = [
      [null, 'it is no object'],
      [[], 'version is no string'],
      [{ ...status, spans: { ...status.spans, stored: '1' } }, 'spans.stored is no number'],
      [{ ...status, sinks: {} }, 'sinks is no list'],
      [{ ...status, processes: [{ pid: 1 }] }, 'processes[0].program is no string'],
      [{ ...status, alerts: { alerts: [{}], fired: 0, resolved: 0 } }, 'alerts.alerts[0].alert is no string'],
      [
        { ...status, alerts: { alerts: [{ labels: { a: 1 } }] } },
        'alerts.alerts[0].labels is no object of texts',
      ],
    ]
    for (const [given, words] of wrong) {
      expect(() => readStatus('http://x', given)).toThrow(
        `http://x answers with what is no relay's status: ${words};`,
      )
    }
  })
})
