// relay/test/store.test.ts: what a put leaves on the disk, and what the relay says it holds.

import fs, { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { i64, types } from '../src/protocol/wire.js'
import { connect, field, makeHello, makePut, tracepoint } from './client.js'
import { encode, StreamWriter } from './ctf-writer.js'
import { babeltrace, folder, hasBabeltrace, relayIn, until } from './helpers.js'

test('a put becomes a folder that babeltrace2 reads', async (t) => {
  if (!hasBabeltrace) t.skip('babeltrace2 is not installed')
  const output = folder()
  const relay = await relayIn(output)
  const client = await connect(relay.address)
  const hello = makeHello()
  const reply = await client.hello(hello)
  expect(reply.tracepoints).toBe(0)
  expect(reply.held).toEqual([])
  await client.declare([
    tracepoint(0, 'disk:io', [field('op', types.Type.STRING), field('bytes', types.Type.U32)]),
  ])
  const stream = new StreamWriter(hello.uuid, 0)
  stream.start(1000n)
  stream.event(0, 2000n, Buffer.concat([encode('string', 'read'), encode('u32', 4096)]))
  const answer = await client.put(makePut(0, 1, stream.take()))
  expect([answer.stream, answer.sequence.toNumber()]).toEqual([0, 1])
  const [trace] = readdirSync(output)
  expect(trace).toBe(`node-4711-${hello.uuid.toString('hex', 0, 4)}`)
  expect(readdirSync(join(output, trace!)).sort()).toEqual(['.events_0', 'events_0', 'metadata'])
  const { text, warnings } = babeltrace(output)
  expect(warnings).toBe('')
  expect(text).toMatch(
    /\(\+\?\.\?{9}\) host:node:\(4711\) disk:io: \{ cpu_id = 0 \}, \{ op = "read", bytes = 4096 \}\n$/,
  )
  client.end()
})

/** A stream of `count` puts, each of them a page or so. */
function putsOf(uuid: Buffer, stream: number, count: number): Buffer[] {
  const writer = new StreamWriter(uuid, stream)
  writer.start(1000n)
  return Array.from({ length: count }, (_, put) => {
    for (let i = 0; i < 100; i++) writer.event(0, 2000n + BigInt(put * 100 + i), encode('u32', i))
    return writer.take()
  })
}

const onlyFolder = (output: string) =>
  join(output, readdirSync(output).find((name) => !name.startsWith('.'))!)

test('a put seen before is answered again and stored once; a gap is refused with the number expected', async () => {
  const output = folder()
  const relay = await relayIn(output)
  const client = await connect(relay.address)
  const hello = makeHello()
  await client.hello(hello)
  await client.declare([tracepoint(0, 'p:e')])
  const puts = putsOf(hello.uuid, 0, 3)
  await client.put(makePut(0, 1, puts[0]!))
  expect((await client.put(makePut(0, 1, puts[0]!))).sequence.toNumber()).toBe(1)
  await expect(client.put(makePut(0, 3, puts[2]!))).rejects.toMatchObject({
    reason: types.Refusal.SEQUENCE,
    message: 'put.sequence of stream 0 is 3; expected 2',
  })
  await client.put(makePut(0, 2, puts[1]!))
  expect(readFileSync(join(onlyFolder(output), 'events_0')).equals(Buffer.concat(puts.slice(0, 2)))).toBe(
    true,
  )
  client.end()
})

test('after a restart the relay says what it holds, and the same tracepoints are taken, others refused', async () => {
  const output = folder()
  const hello = makeHello({ ack: types.Ack.SYNCED })
  const puts = putsOf(hello.uuid, 5, 2)
  const first = await relayIn(output)
  const before = await connect(first.address)
  await before.hello(hello)
  await before.declare([tracepoint(0, 'p:e'), tracepoint(1, 'p:f')])
  const lost = { noRoom: i64(1), tooBig: i64(2), badValue: i64(3), noRing: i64(4), overwritten: i64(5) }
  await before.put(makePut(5, 1, puts[0]!, { events: 2, lost: new types.Lost(lost) }))
  await first.close()
  const second = await relayIn(output)
  const after = await connect(second.address)
  const reply = await after.hello(hello)
  expect(reply.tracepoints).toBe(2)
  const held = reply.held[0]!
  expect([held.stream, held.sequence.toNumber(), held.bytes.toNumber()]).toEqual([5, 1, puts[0]!.length])
  expect(held.events!.toNumber(), 'a sender in overwrite mode counts on from there').toBe(2)
  expect(second.stats().processes[0]!.lost).toEqual({
    ...{ noRoom: 1, tooBig: 2, badValue: 3, noRing: 4, overwritten: 5, unstored: 0 },
  })
  const fewer = new types.Lost({ ...lost, overwritten: i64(4) })
  await expect(after.put(makePut(5, 2, puts[1]!, { lost: fewer }))).rejects.toThrow(
    /put.overwritten is 4; expected 5/,
  )
  await after.declare([tracepoint(1, 'p:f')])
  await expect(after.declare([tracepoint(1, 'p:other')])).rejects.toThrow(
    /tracepoint 1 differs from the one declared/,
  )
  await expect(after.declare([tracepoint(3, 'p:g')])).rejects.toThrow(/id is 3; expected 0 to 2/)
  await after.put(makePut(5, 2, puts[1]!, { lost: new types.Lost(lost) }))
  expect(readFileSync(join(onlyFolder(output), 'events_5')).equals(Buffer.concat(puts))).toBe(true)
  after.end()
})

test('the same process on a newer connection takes over, and the older one is ended', async () => {
  const relay = await relayIn(folder())
  const hello = makeHello()
  const older = await connect(relay.address)
  await older.hello(hello)
  const newer = await connect(relay.address)
  await newer.hello(hello)
  await older.closed
  await newer.declare([tracepoint(0, 'p:e')])
  expect(relay.lines.join()).toMatch(/said hello on a newer connection/)
  expect(relay.stats().processes.map((process) => process.connected)).toEqual([true])
  newer.end()
})

test('what the disk refuses is refused, cut back, and taken when sent again', async () => {
  const output = folder()
  const relay = await relayIn(output)
  const client = await connect(relay.address)
  const hello = makeHello()
  await client.hello(hello)
  await client.declare([tracepoint(0, 'p:e')])
  const puts = putsOf(hello.uuid, 0, 2)
  await client.put(makePut(0, 1, puts[0]!))
  const write = fs.writeSync as (...given: (number | Buffer)[]) => number
  const full = (file: number, bytes: Buffer, from: number, count: number, at: number) => {
    if (count <= 104) return write(file, bytes, from, count, at)
    if (from > 0) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    return write(file, bytes, from, 100, at)
  }
  fs.writeSync = full as typeof fs.writeSync
  syncBuiltinESMExports()
  try {
    await expect(client.put(makePut(0, 2, puts[1]!))).rejects.toMatchObject({ reason: types.Refusal.STORAGE })
  } finally {
    fs.writeSync = write as typeof fs.writeSync
    syncBuiltinESMExports()
  }
  expect(readFileSync(join(onlyFolder(output), 'events_0')).length).toBe(puts[0]!.length)
  await client.put(makePut(0, 2, puts[1]!))
  expect(readFileSync(join(onlyFolder(output), 'events_0')).equals(Buffer.concat(puts))).toBe(true)
  client.end()
})

const damage: [string, (put: Buffer) => void, RegExp][] = [
  ['magic', (put) => put.writeUInt32LE(1, 0), /magic is 0x1/],
  ['another uuid', (put) => put.writeUInt8(put[4]! ^ 1, 4), /uuid differs/],
  ['another stream', (put) => put.writeUInt32LE(9, 24), /stream_instance_id is 9; expected 0/],
  ['a packet beyond the put', (put) => put.writeUInt32LE(2 ** 14, 56), /only \d+ are left in the put/],
  ['a packet across a page', (put) => put.writeUInt32LE(2 ** 16, 56), /crosses a boundary of 4096/],
  ['time going back', (put) => put.writeUInt32LE(1, 32), /timestamp_begin is 1; expected/],
  ['a gap in packets', (put) => put.writeUInt32LE(7, 64), /packet_seq_num is 7; expected \d/],
  ['a content beyond its packet', (put) => put.writeUInt32LE(2 ** 30, 48), /content_size is/],
]

for (const [name, change, message] of damage) {
  test(`a put with ${name} is refused, the file is untouched and the connection lives`, async () => {
    const output = folder()
    const relay = await relayIn(output)
    const client = await connect(relay.address)
    const hello = makeHello()
    await client.hello(hello)
    await client.declare([tracepoint(0, 'p:e')])
    const [first, second] = putsOf(hello.uuid, 0, 2) as [Buffer, Buffer]
    await client.put(makePut(0, 1, first))
    const bad = Buffer.from(second)
    change(bad)
    await expect(client.put(makePut(0, 2, bad))).rejects.toThrow(message)
    expect(readFileSync(join(onlyFolder(output), 'events_0')).equals(first)).toBe(true)
    await client.put(makePut(0, 2, second))
    client.end()
  })
}

test('whatever a kill left of a put is cut off, and the put before it is what is held', async () => {
  const output = folder()
  const hello = makeHello()
  const puts = putsOf(hello.uuid, 0, 3)
  const ends = [0, 1, 2, 3].map((count) => Buffer.concat(puts.slice(0, count)).length)
  const relay = await relayIn(output)
  const heldAfter = async (stored: number, size: number) => {
    const client = await connect(relay.address)
    await client.hello(hello)
    if (stored === 1) await client.declare([tracepoint(0, 'p:e')])
    await client.put(makePut(0, stored, puts[stored - 1]!))
    client.end()
    await until(() => relay.stats().connections.open === 0)
    const path = join(onlyFolder(output), 'events_0')
    truncateSync(path, size)
    const again = await connect(relay.address)
    const { held } = await again.hello(hello)
    again.end()
    await until(() => relay.stats().connections.open === 0)
    expect(statSync(path).size).toBe(held[0]?.bytes.toNumber() ?? 0)
    return held[0]?.sequence.toNumber() ?? 0
  }
  expect(await heldAfter(1, 96), 'of the first put, its first packet').toBe(0)
  expect(await heldAfter(1, ends[1]!), 'all of it').toBe(1)
  expect(await heldAfter(2, ends[1]!), 'its mark alone').toBe(1)
  expect(await heldAfter(2, ends[1]! + 8), 'its mark and a little').toBe(1)
  expect(await heldAfter(2, ends[2]!), 'all of it').toBe(2)
  expect(await heldAfter(3, ends[3]! - 8), 'all but a little').toBe(2)
  expect(await heldAfter(3, ends[1]! - 8), 'less than both marks say, which is told by fewer events').toBe(3)
})

test('a process that is connected and records nothing leaves no folder; its first put makes one, metadata and all', async () => {
  const output = folder()
  const relay = await relayIn(output)
  const client = await connect(relay.address)
  const hello = makeHello()
  await client.hello(hello)
  await client.declare([tracepoint(0, 'p:e')])
  expect(readdirSync(output)).toEqual([])
  await client.put(makePut(0, 1, putsOf(hello.uuid, 0, 1)[0]!))
  expect(readFileSync(join(onlyFolder(output), 'metadata'), 'utf8')).toContain('name = "p:e"')
  client.end()
})

test('a sync of a folder that fails is a put that is refused, and the same put is taken when it comes again', async () => {
  const output = folder()
  const relay = await relayIn(output)
  const client = await connect(relay.address)
  const hello = makeHello({ ack: types.Ack.SYNCED })
  await client.hello(hello)
  await client.declare([tracepoint(0, 'p:e')])
  const { fsync } = fs
  const put = makePut(0, 1, putsOf(hello.uuid, 0, 1)[0]!)
  for (const failing of [2, 1, 1]) {
    let syncs = 0
    vi.spyOn(fs, 'fsync').mockImplementation((fd, done) => {
      if (++syncs === failing) done(Object.assign(new Error('a fault'), { code: 'EIO' }))
      else fsync(fd, done)
    })
    await client.put(put).catch((error) => expect(error).toMatchObject({ reason: types.Refusal.STORAGE }))
    expect(syncs, 'there is a sync to fail').toBeGreaterThan(0)
  }
  vi.restoreAllMocks()
  await client.put(put)
  expect(readdirSync(output), 'one name').toHaveLength(1)
  if (hasBabeltrace) expect(babeltrace(output).text.split('\n').filter(Boolean)).toHaveLength(100)
  client.end()
})
