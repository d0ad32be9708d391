// relay/test/otlp.test.ts: what goes out by OpenTelemetry's protocol, read by code that the OpenTelemetry project generates.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startRelay } from '../src/index.js'
import type { Span } from '../src/spans/span.js'
import { folder } from './helpers.js'
import { makeTraces } from './span-makers.js'

const PYTHON = '/usr/bin/python3'
const VERSION = '1.45.2'
const packages = join(import.meta.dirname, '../../.cache', `opentelemetry-proto-${VERSION}`)

function whyNot(): string | undefined {
  const pip = [
    '-m',
    'pip',
    'install',
    '-q',
    '--upgrade',
    '--target',
    packages,
    `opentelemetry-proto==${VERSION}`,
  ]
  const there = () =>
    spawnSync(PYTHON, ['-c', 'import opentelemetry.proto'], { env: { PYTHONPATH: packages } }).status === 0
  if (there()) return undefined
  spawnSync(PYTHON, pip, { timeout: 120_000 })
  return there() ? undefined : `opentelemetry-proto ${VERSION} cannot be fetched by pip`
}

const kinds = { CLIENT: 3, SERVER: 2, PRODUCER: 4, CONSUMER: 5 }
const kindNames = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER']

/** As OpenTelemetry's specification of Zipkin's model says, the other way round. */
function expected(span: Span) {
  const { timestamp = 0, duration = 0, tags = {}, annotations = [], remoteEndpoint: remote } = span
  const nanos = (micros: number) => `${BigInt(micros) * 1000n}`
  return {
    resource: { 'service.name': span.localEndpoint?.serviceName },
    traceId: span.traceId.padStart(32, '0'),
    spanId: span.id,
    parentSpanId: span.parentId ?? '',
    name: span.name,
    kind: `SPAN_KIND_${kindNames[span.kind ? kinds[span.kind] : 1]}`,
    start: nanos(timestamp),
    end: nanos(timestamp + duration),
    attributes: {
      ...tags,
      ...(remote?.serviceName && { 'peer.service': remote.serviceName }),
      ...((remote?.ipv4 ?? remote?.ipv6) && { 'network.peer.address': remote.ipv4 ?? remote.ipv6 }),
      ...(remote?.port && { 'network.peer.port': remote.port }),
    },
    events: annotations.map(({ value, timestamp }) => [value, nanos(timestamp)]),
    status: tags.error === undefined ? [0, ''] : [2, tags.error],
  }
}

type Told = ReturnType<typeof expected>

const missing = whyNot()
if (missing) console.warn(`SKIPPED: nobody else reads OpenTelemetry's protocol: ${missing}`)

describe.skipIf(missing)("OpenTelemetry's own code", () => {
  let receiver: ChildProcess
  let lines: AsyncIterator<string>

  beforeAll(() => {
    const script = join(import.meta.dirname, 'otlp-receiver.py')
    receiver = spawn(PYTHON, [script, packages], { stdio: ['ignore', 'pipe', 'inherit'] })
    lines = createInterface(receiver.stdout!)[Symbol.asyncIterator]()
  })
  afterAll(async () => {
    const ended = once(receiver, 'exit')
    receiver.kill()
    await ended
  })

  test('reads from it every span that the relay stores', async () => {
    const port = (await lines.next()).value as string
    const sinks = { otlp: `http://127.0.0.1:${port}` }
    const relay = await startRelay({
      listen: '127.0.0.1:0',
      output: folder(),
      http: { listen: '127.0.0.1:0', sinks },
    })
    const spans = makeTraces(100, 5, 1_700_000_000_000_000).flat()
    const url = `http://${relay.httpAddress}`
    const own = spans.filter(({ shared }) => !shared) // the ids of the others are new ones: sinks.test.ts
    await fetch(`${url}/api/v2/spans`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(own),
    })
    const read: Told[] = []
    while (read.length < own.length) read.push(JSON.parse((await lines.next()).value as string))
    const key = ({ spanId, start, kind }: Told) => `${spanId} ${start} ${kind}`
    const inOrder = (list: Told[]) => list.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
    expect(inOrder(read)).toEqual(inOrder(own.map(expected)))
    await relay.close()
    expect(relay.stats().tracing!.sinks[0]).toMatchObject({ delivered: own.length, refused: 0, dropped: 0 })
  })
})
