// relay/test/epochs.test.ts: a session whose clock is set goes on in a folder of its own, from put to put and over restarts of the
// relay; and what a sender may not say of it. Whole processes are in test/clock-steps.test.ts.

import { readdirSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Epoch, uuidOf } from '../src/ctf/epochs.js'
import { readTrace, type TraceItem } from '../src/index.js'
import { big, i64, types } from '../src/protocol/wire.js'
import { connect, makeHello, makePut, tracepoint } from './client.js'
import { encode, StreamWriter } from './ctf-writer.js'
import { babeltrace, folder, hasBabeltrace, relayIn } from './helpers.js'

const second = 1_000_000_000n
const start = 1_700_000_000n * second
const epoch = (number: number, hours: number): Epoch => ({
  number,
  offset: start + BigInt(hours * 3600) * second,
})
const lostOf = (badValue: number) =>
  new types.Lost({ noRoom: i64(0), tooBig: i64(0), badValue: i64(badValue), noRing: i64(0) })

/** A traced process with one stream, whose clock can be set. */
function sender() {
  const hello = makeHello({ clock: new types.Clock({ bootId: Buffer.alloc(16, 7), offset: i64(start) }) })
  let now = epoch(0, 0)
  let [time, sequence, lost, before] = [0n, 0, 0n, 0n]
  let writer = new StreamWriter(hello.uuid, 0)
  writer.start(0n)
  return {
    hello,
    set(next: Epoch) {
      now = next
      before += writer.lost
      writer = new StreamWriter(uuidOf(hello.uuid, next), 0)
      writer.start(time)
    },
    put(n: number, losses = 0, changes: Record<string, unknown> = {}) {
      time += second
      lost += BigInt(losses)
      writer.event(0, time, encode('u32', n))
      const packets = writer.take(lost - before)
      const said = now.number === 0 ? {} : { epoch: now.number, offset: i64(now.offset) }
      return makePut(0, ++sequence, packets, { lost: lostOf(Number(lost)), ...said, ...changes })
    },
  }
}

async function told(output: string) {
  const items: TraceItem[] = []
  for await (const item of readTrace(output)) items.push(item)
  const events = items.flatMap((item) =>
    item.kind === 'event' ? [[item.fields.n, Number((item.time - start) / second)]] : [],
  )
  const lost = items.reduce((sum, item) => sum + (item.kind === 'loss' ? Number(item.events) : 0), 0)
  return { events, lost }
}

const folders = (output: string) =>
  readdirSync(output)
    .filter((name) => !name.startsWith('.'))
    .map((name) => name.slice('node-4711-12345678'.length))
    .sort()

test('each epoch is a trace, over restarts of the relay, and no loss is told twice', async () => {
  const output = folder()
  const from = sender()
  const puts = [
    from.put(1, 2),
    from.put(2),
    ...[epoch(2, 5), epoch(3, -5)].flatMap((next, i) => {
      from.set(next)
      return [from.put(3 + 2 * i, 3), from.put(4 + 2 * i)]
    }),
  ]
  const held = [[0, 0n], [0, 0n], [2, 2n], [2, 2n], [3, 5n], [3, 5n]] // biome-ignore format: a table
  for (const [i, put] of puts.entries()) {
    const relay = await relayIn(output)
    const client = await connect(relay.address)
    const reply = await client.hello(from.hello)
    expect(reply.epochs).toBe(true)
    expect(reply.held.map((one) => [one.epoch, big(one.lostBefore!)])).toEqual(i === 0 ? [] : [held[i - 1]])
    if (i % 2 === 0)
      await client.declare(Array.from({ length: i / 2 + 1 }, (_, n) => tracepoint(n, `t:e${n}`)))
    await client.put(put)
    await client.put(put) // and once more: it is held
    expect(relay.stats().processes[0]).toMatchObject({
      events: i + 1,
      folder: expect.stringMatching(/[0-9a-f]{8}$/),
    })
    client.end()
    await relay.close()
  }
  expect(folders(output)).toEqual(['', '-2', '-3'])
  const hour = 3600
  expect(await told(output)).toEqual({
    events: [[5, 5 - 5 * hour], [6, 6 - 5 * hour], [1, 1], [2, 2], [3, 3 + 5 * hour], [4, 4 + 5 * hour]],
    lost: 8,
  }) // biome-ignore format: a table
  if (!hasBabeltrace) return
  const { text, warnings } = babeltrace(output)
  expect(
    text
      .trimEnd()
      .split('\n')
      .map((line) => Number(/n = (\d)/.exec(line)![1])),
  ).toEqual([5, 6, 1, 2, 3, 4])
  expect(warnings.match(/discarded/g)?.length).toBe(3)
})

test('a relay that was killed in the first put of an epoch goes on from the one before', async () => {
  const output = folder()
  const from = sender()
  const first = await relayIn(output)
  const client = await connect(first.address)
  await client.hello(from.hello)
  await client.declare([tracepoint(0, 't:e')])
  await client.put(from.put(1))
  from.set(epoch(1, 1))
  const put = from.put(2, 4)
  await client.put(put)
  client.end()
  await first.close()
  const made = folders(output).find((name) => name.endsWith('-1'))!
  const name = readdirSync(output).find((one) => one.endsWith(made))!
  truncateSync(join(output, name, 'events_0'), 100)
  for (const file of [undefined, '.events_0']) {
    if (file) rmSync(join(output, name, file))
    const relay = await relayIn(output)
    const again = await connect(relay.address)
    const { held } = await again.hello(from.hello)
    expect(held.map((one) => [big(one.sequence), one.epoch, big(one.bytes)])).toEqual([[1n, 1, 0n]])
    again.end()
    await relay.close()
  }
  const relay = await relayIn(output)
  const again = await connect(relay.address)
  await again.hello(from.hello)
  await again.put(put)
  again.end()
  expect(await told(output)).toEqual({ events: [[1, 1], [2, 3602]], lost: 4 }) // biome-ignore format: a table
})

test('a sender that cannot be right is told so, and nothing is stored', async () => {
  const output = folder()
  const from = sender()
  const relay = await relayIn(output)
  const client = await connect(relay.address)
  await client.hello(from.hello)
  await client.declare([tracepoint(0, 't:e')])
  await client.put(from.put(1))
  const old = from.put(2, 0)
  from.set(epoch(1, 1))
  const put = from.put(3)
  put.sequence = i64(2)
  const wrong: [string, Record<string, unknown>][] = [
    ['put.offset is missing; expected nanoseconds, 0 or more', { offset: null }],
    ['put.offset is -1; expected nanoseconds, 0 or more', { offset: i64(-1) }],
    ['put.epoch is -1; expected 0 to 2147483647', { epoch: -1 }],
    ['uuid differs; expected the one in hello', { epoch: 2 }],
  ]
  for (const [message, changes] of wrong) {
    const bad = Object.assign(new types.Put(put as never), changes)
    await expect(client.put(bad)).rejects.toThrow(message)
  }
  const { bytes } = relay.stats().processes[0]!
  await client.put(put)
  expect(relay.stats().processes[0]!.bytes, 'of both files').toBeGreaterThan(bytes)
  Object.assign(old, { sequence: i64(3), position: i64(3 * 4096) })
  await expect(client.put(old)).rejects.toThrow('put.epoch is 0; expected 1 or more')
  client.end()
  expect((await told(output)).events).toEqual([[1, 1], [3, 3603]]) // biome-ignore format: a table
})

test('an output folder that somebody removed is made again', async () => {
  const output = folder()
  const relay = await relayIn(output)
  rmSync(output, { recursive: true })
  const from = sender()
  const client = await connect(relay.address)
  await client.hello(from.hello)
  await client.declare([tracepoint(0, 't:e')])
  await client.put(from.put(1))
  client.end()
  expect((await told(output)).events).toEqual([[1, 1]])
})
