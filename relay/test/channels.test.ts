// relay/test/channels.test.ts: the streams of spans beside those of ordinary events: which numbers there are, what their
// files are called, and that nothing but spans is decoded for spans.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { readTrace } from '../src/index.js'
import { i64 } from '../src/protocol/wire.js'
import { TracingThread } from '../src/thread/tracing-thread.js'
import { connect, makeHello, makePut, tracepoint } from './client.js'
import { encode, StreamWriter } from './ctf-writer.js'
import { babeltrace, folder, hasBabeltrace, relayIn, until } from './helpers.js'
import { SpanWriter, spanTracepoints } from './span-events.js'

const spans = (n: number) => 262144 + n

async function greeted(address: string, hello = makeHello()) {
  const client = await connect(address)
  const reply = await client.hello(hello)
  if (reply.tracepoints === 0) await client.declare([...spanTracepoints(i64), tracepoint(7, 'p:e')])
  return { client, hello, reply }
}

test('puts of ordinary events are decoded by nobody, those of spans once', async () => {
  const decoded = vi.spyOn(TracingThread.prototype, 'note')
  try {
    const relay = await relayIn(folder(), { tracing: { listen: '127.0.0.1:0' } })
    const { client, hello } = await greeted(relay.address)
    const ordinary = new StreamWriter(hello.uuid, 0)
    const writer = new StreamWriter(hello.uuid, spans(0))
    for (const stream of [ordinary, writer]) stream.start(1n)
    for (let put = 1; put <= 5; put++) {
      for (let n = 0; n < 100; n++) ordinary.event(7, BigInt(put * 1000 + n), encode('u32', n))
      const span = new SpanWriter(writer)
      span.begin(put * 1000, { low: 1n, span: BigInt(put) }, 'x')
      span.end(put * 1000 + 10, { low: 1n, span: BigInt(put) })
      await client.put(makePut(0, put, ordinary.take()))
      await client.put(makePut(spans(0), put, writer.take()))
    }
    const told = decoded.mock.calls.flatMap(([note]) => (note.kind === 'put' ? [note.stream] : []))
    expect(told).toEqual(Array(5).fill(spans(0)))
    await until(() => relay.stats().tracing!.spans === 5)
    expect(relay.stats().tracing).toMatchObject({ events: 10, lost: 0 })
  } finally {
    decoded.mockRestore()
  }
})

test('what was lost of ordinary events is no loss of spans', async () => {
  const relay = await relayIn(folder(), { tracing: { listen: '127.0.0.1:0' } })
  const { client, hello } = await greeted(relay.address)
  for (const [stream, lost] of [
    [0, 1000n],
    [spans(0), 3n],
  ] as const) {
    const writer = new StreamWriter(hello.uuid, stream)
    writer.start(1n)
    await client.put(makePut(stream, 1, writer.take(lost)))
  }
  await until(() => relay.stats().tracing!.lost > 0)
  expect(relay.stats().tracing).toMatchObject({ lost: 3 })
})

test('each channel has files of its name, which a relay started again goes on with and the reader reads', async () => {
  const output = folder()
  const hello = makeHello()
  const streams = [3, spans(3), spans(65536)].map((stream) => new StreamWriter(hello.uuid, stream))
  for (const stream of streams) stream.start(1n)
  const putOnce = async (sequence: number) => {
    const relay = await relayIn(output)
    const { client, reply } = await greeted(relay.address, hello)
    for (const writer of streams) {
      if (writer.stream === 3) writer.event(7, BigInt(sequence * 100), encode('u32', 1))
      else new SpanWriter(writer).end(sequence * 100, { low: 1n, span: 2n })
      await client.put(makePut(writer.stream, sequence, writer.take()))
    }
    await relay.close()
    return reply.held.map(({ stream }) => stream)
  }
  expect(await putOnce(1)).toEqual([])
  expect(await putOnce(2)).toEqual([3, spans(3), spans(65536)])
  const [trace] = readdirSync(output).filter((name) => !name.startsWith('.'))
  const files = readdirSync(join(output, trace!)).filter((name) => !name.startsWith('.'))
  expect(files.sort()).toEqual(['events_3', 'metadata', 'spans_3', 'spans_65536'])
  const read: string[] = []
  for await (const item of readTrace(output)) {
    if (item.kind === 'event') read.push(`${item.stream} ${item.tracepoint.event} ${item.cpu}`)
  }
  const each = ['3 e 3', `${spans(3)} span_end 3`, `${spans(65536)} span_end 4294967295`]
  expect(read).toEqual([...each, ...each])
  if (hasBabeltrace) expect(babeltrace(output).text.trim().split('\n')).toHaveLength(6)
})

test('numbers that no stream can have are refused, with those that it can', async () => {
  const relay = await relayIn(folder())
  const { client, hello } = await greeted(relay.address)
  const put = (stream: number) => {
    const writer = new StreamWriter(hello.uuid, stream)
    writer.start(1n)
    return client.put(makePut(stream, 1, writer.take()))
  }
  for (const stream of [0, 131072, 262144, 393215]) await put(stream)
  for (const stream of [-1, 131073, 262143, 393216]) {
    const said = `put.stream is ${stream}; expected 0 to 131072, or 262144 to 393215`
    const packets = Buffer.alloc(96)
    await expect(client.put(makePut(stream, 1, packets))).rejects.toMatchObject({ message: said })
  }
})
