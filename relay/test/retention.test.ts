// relay/test/retention.test.ts: which traces of a relay's folder go by its limits, and which never do.

import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { types } from '../src/protocol/wire.js'
import { connect, makeHello, makePut, tracepoint } from './client.js'
import { encode, StreamWriter } from './ctf-writer.js'
import { babeltrace, folder, hasBabeltrace, relayIn, until } from './helpers.js'

const HOUR = 3_600_000

/** Traces of four processes that have ended, pid 1000001 to 1000004, the first the oldest: as many hours ago as `hours` says. */
async function tracesOf(hours: number[]) {
  const output = folder()
  const relay = await relayIn(output)
  for (const [i] of hours.entries()) await record(relay.address, 1_000_001 + i)
  await until(() => relay.stats().connections.open === 0)
  await relay.close()
  for (const name of readdirSync(output)) {
    const ago = hours[Number(/^node-100000(\d)-/.exec(name)![1]) - 1]!
    for (const file of readdirSync(join(output, name)))
      utimesSync(join(output, name, file), new Date(), new Date(Date.now() - ago * HOUR))
  }
  return output
}

async function record(address: string, pid: number, stays = false) {
  const client = await connect(address)
  const hello = makeHello({ pid })
  await client.hello(hello)
  await client.declare([tracepoint(0, 'p:e')])
  const stream = new StreamWriter(hello.uuid, 0)
  stream.start(1000n)
  for (let i = 0; i < 10; i++) stream.event(0, BigInt(2000 + i), encode('u32', i))
  await client.put(makePut(0, 1, stream.take(), { events: 10 }))
  if (!stays) client.end()
  return { client, hello }
}

const pids = (output: string) =>
  readdirSync(output)
    .flatMap((name) => Number(/^node-100000(\d)-/.exec(name)?.[1]) || [])
    .sort()

const sizeOf = (path: string): number =>
  readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0)

test('nothing goes where no limit was given, and what is kept is counted', async () => {
  const output = await tracesOf([1000, 20, 10, 1])
  const relay = await relayIn(output)
  expect(pids(output)).toEqual([1, 2, 3, 4])
  const { kept, removed } = relay.stats().traces!
  const bytes = readdirSync(output).reduce((sum, name) => sum + sizeOf(join(output, name)), 0)
  expect({ kept, removed }).toEqual({
    ...{ kept: { traces: 4, bytes, isOver: false }, removed: { traces: 0, bytes: 0, events: 0 } },
  })
})

test.each([
  ['age', { maxAge: 15 * HOUR }, [3, 4]],
  ['number', { maxTraces: 3 }, [2, 3, 4]],
  ['all three', { maxAge: 15 * HOUR, maxTraces: 1, maxBytes: 1e9 }, [4]],
])('the oldest go by %s, whole, and are counted', async (_, retention, left) => {
  const output = await tracesOf([1000, 20, 10, 1])
  const relay = await relayIn(output, { retention })
  expect(pids(output)).toEqual(left)
  const { kept, removed } = relay.stats().traces!
  expect({ kept: kept.traces, removed: removed.traces, events: removed.events }).toEqual({
    ...{ kept: left.length, removed: 4 - left.length, events: 10 * (4 - left.length) },
  })
  expect(relay.lines.join('\n')).toMatch(/traces removed, the oldest: \d+ events/)
  if (hasBabeltrace)
    expect(babeltrace(output).text.split('\n').filter(Boolean)).toHaveLength(10 * left.length)
})

test('the oldest go by size, as many as are too many', async () => {
  const output = await tracesOf([1000, 20, 10, 1])
  const one = sizeOf(join(output, readdirSync(output)[0]!))
  const relay = await relayIn(output, { retention: { maxBytes: Math.ceil(2.5 * one) } })
  expect(pids(output)).toEqual([3, 4])
  expect(relay.stats().traces!.removed.bytes).toBe(2 * one)
})

test('a trace stays while its process is connected, runs on this machine, or wrote a moment ago; it is said that it is too much', async () => {
  const output = await tracesOf([1000])
  const bootId = Buffer.from(
    readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').replaceAll(/[^0-9a-f]/g, ''),
    'hex',
  )
  const first = await relayIn(output)
  const client = await connect(first.address)
  const clock = new types.Clock({ ...makeHello().clock, bootId })
  const hello = makeHello({ pid: process.pid, clock })
  await client.hello(hello)
  await client.declare([tracepoint(0, 'p:e')])
  const stream = new StreamWriter(hello.uuid, 0)
  stream.start(1000n)
  await client.put(makePut(0, 1, stream.take(), { events: 0 }))
  client.end()
  await until(() => first.stats().connections.open === 0)
  await first.close()
  const alive = readdirSync(output).find((name) => name.startsWith(`node-${process.pid}-`))!
  for (const file of readdirSync(join(output, alive))) utimesSync(join(output, alive, file), 0, 0)
  const relay = await relayIn(output, { retention: { maxTraces: 1 } })
  expect(readdirSync(output), 'the other went').toEqual([alive])
  await record(relay.address, 1_000_009)
  await relay.close()
  const again = await relayIn(output, { retention: { maxTraces: 1 } })
  expect(readdirSync(output)).toHaveLength(2)
  expect(again.stats().traces!.kept).toMatchObject({ traces: 2, isOver: true })
})

test('what a kill left of a trace that was being removed is removed, and what is no trace stays', async () => {
  const output = folder()
  for (const name of ['.removed-node-4711-6f1c2a90', 'notes', '.rules.old']) mkdirSync(join(output, name))
  await relayIn(output, { retention: { maxTraces: 1 } })
  expect(readdirSync(output).sort()).toEqual(['.rules.old', 'notes'])
})

test.each([
  [{ maxAge: 0 }, 'retention.maxAge is 0; expected a number above 0'],
  [{ age: 1 }, 'retention has "age"; expected maxAge, maxBytes, maxTraces'],
  [7, 'retention is 7; expected an object'],
])('a limit that is none is refused: %j', async (retention, message) => {
  await expect(relayIn(folder(), { retention: retention as never })).rejects.toThrow(message)
})

test('a trace goes while the relay runs too, and its process, should it come again, begins a new one', async () => {
  const output = folder()
  const relay = await relayIn(output, { retention: { maxTraces: 1 } })
  const { hello, client } = await record(relay.address, 1_000_001)
  await client.closed
  for (const file of readdirSync(join(output, readdirSync(output)[0]!)))
    utimesSync(join(output, readdirSync(output)[0]!, file), 0, 0)
  const second = await record(relay.address, 1_000_002, true)
  await until(() => relay.stats().traces!.removed.traces === 1)
  expect(pids(output)).toEqual([2])
  const again = await connect(relay.address)
  const { held, tracepoints } = await again.hello(hello)
  expect({ held, tracepoints }).toEqual({ held: [], tracepoints: 0 })
  again.end()
  second.client.end()
})
