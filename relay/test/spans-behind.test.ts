// relay/test/spans-behind.test.ts: spans are assembled behind the puts, from the streams' files, by a thread of their own.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync } from 'node:fs'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import type { Behind } from '../src/pipeline/progress.js'
import { i64 } from '../src/protocol/wire.js'
import { Snapshot } from '../src/thread/snapshot.js'
import { TracingThread } from '../src/thread/tracing-thread.js'
import { connect, makeHello, makePut } from './client.js'
import { StreamWriter } from './ctf-writer.js'
import { folder, relayIn, until } from './helpers.js'
import { SpanWriter, spanTracepoints } from './span-events.js'

const SPANS = 262144
const tracing = { listen: '127.0.0.1:0' }

afterEach(() => vi.restoreAllMocks())

/** A process that puts spans, one a call, each a trace of its own. */
async function speaker(address: string) {
  const client = await connect(address)
  const hello = makeHello()
  await client.hello(hello)
  await client.declare(spanTracepoints(i64))
  const writer = new StreamWriter(hello.uuid, SPANS)
  writer.start(1n)
  const spans = new SpanWriter(writer)
  let puts = 0
  return (trace: number) => {
    const ids = { low: BigInt(trace), span: 1n }
    spans.begin(trace * 1000, ids, 'work')
    spans.end(trace * 1000 + 10, ids)
    const packets = writer.take()
    return client.put(makePut(SPANS, ++puts, packets)).then(() => packets.length)
  }
}

/** Calls back for each put that was told of, before the thread has heard of it. */
function afterPuts(look: (thread: TracingThread) => void): void {
  const { room } = TracingThread.prototype
  vi.spyOn(TracingThread.prototype, 'room').mockImplementation(async function (this: TracingThread) {
    look(this)
    return room.call(this)
  })
}

test('who asks for a trace by its id is answered with what was put before, its span once', async () => {
  const relay = await relayIn(folder(), { tracing })
  const put = await speaker(relay.address)
  await put(7)
  const url = `http://${relay.httpAddress}/api/v2/trace/${'7'.padStart(16, '0')}`
  const spans = await vi.waitUntil(async () => {
    const answer = await fetch(url)
    return answer.ok && ((await answer.json()) as object[])
  }, 20_000)
  expect(spans).toMatchObject([{ name: 'work', duration: 1 }])
  expect(relay.stats()).toMatchObject({ behind: { bytes: 0, ms: 0 }, tracing: { received: 1, stored: 1 } })
})

test('what is stored and not assembled is counted, and closing assembles and stores it', async () => {
  const seen: Behind[] = []
  afterPuts((thread) => seen.push(thread.behind))
  const relay = await relayIn(folder(), { tracing })
  const put = await speaker(relay.address)
  const first = await put(1)
  expect(seen).toEqual([{ bytes: first, ms: expect.any(Number) }])
  for (let trace = 2; trace <= 50; trace++) await put(trace)
  await relay.close()
  expect(relay.stats()).toMatchObject({
    behind: { bytes: 0, ms: 0 },
    tracing: { events: 100, received: 50, stored: 50, waiting: 0, held: 0 },
  })
})

test('puts wait while the spans are too far behind, and only then', async () => {
  const relay = await relayIn(folder(), { tracing })
  const put = await speaker(relay.address)
  await put(1)
  const far = vi.spyOn(TracingThread.prototype, 'behind', 'get').mockReturnValue({ bytes: 2 ** 31, ms: 9000 })
  let isAnswered = false
  const answered = put(2).then(() => (isAnswered = true))
  await until(() => far.mock.calls.length > 2)
  expect(isAnswered).toBe(false)
  far.mockRestore()
  await answered
})

test('a file that went before its spans were assembled costs these spans, which is told', async () => {
  const output = folder()
  const relay = await relayIn(output, { tracing })
  const put = await speaker(relay.address)
  const files = () =>
    readdirSync(output, { recursive: true, encoding: 'utf8' }).filter((name) => /\/spans_0$/.test(name))
  afterPuts(() => {
    for (const name of files()) rmSync(join(output, name))
  })
  const bytes = await put(1)
  await until(() => relay.stats().rejections.length > 0)
  expect(relay.stats().rejections).toMatchObject([
    { what: 'put', reason: 'spans not readable', isLost: true },
  ])
  expect(relay.stats().rejections[0]!.message).toMatch(/spans of stream 262144, put 1: .*spans_0: ENOENT/)
  expect(bytes, 'it was put').toBeGreaterThan(0)
  await until(() => relay.stats().behind!.bytes === 0)
})

test.skipIf(process.platform !== 'linux')(
  'a relay is as nice as it is told, and its spans are the nicest',
  async () => {
    const index = pathToFileURL(join(import.meta.dirname, '../dist/index.js'))
    const nicesOf = async (more: object) => {
      const options = { listen: '127.0.0.1:0', output: folder(), nice: 7, tracing: { ...tracing, ...more } }
      const source = `const { startRelay } = await import('${index}')
      await startRelay(${JSON.stringify(options)})
      console.log('listening')`
      const child = spawn(process.execPath, ['--input-type=module', '-e', source])
      onTestFinished(() => void child.kill('SIGKILL'))
      await once(child.stdout, 'data')
      return readdirSync(`/proc/${child.pid}/task`).map((thread) => getPriority(Number(thread)))
    }
    const [usual, sampled] = await Promise.all([nicesOf({}), nicesOf({ sample: { share: 1 } })])
    expect(Math.min(...usual)).toBe(7)
    expect(usual).toContain(19)
    expect(new Set(sampled), 'somebody decides on them').toEqual(new Set([7]))
    const wrong = relayIn(folder(), { nice: 20 })
    await expect(wrong).rejects.toThrow(new RangeError('nice is 20; expected a whole number from 0 to 19'))
  },
)

test('a snapshot is what was written last, however long, in every view of its memory', () => {
  const written = Snapshot.make<{ text: string }>()
  const read = Snapshot.of<{ text: string }>(written.buffers)
  expect(read.read()).toBeUndefined()
  for (const length of [1, 200_000, 3, 3_000_000, 0]) {
    const value = { text: 'ü'.repeat(length) }
    written.write(value)
    written.write(value)
    expect(read.read()).toEqual(value)
  }
  written.write({ text: 'x'.repeat(17 * 2 ** 20) })
  expect(read.read(), 'what does not fit is left out').toEqual({ text: '' })
})
