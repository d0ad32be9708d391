// relay/test/kill.test.ts: a relay killed at any moment leaves whole packets, and each put is stored once.
// The relay runs in a child and dies by SIGKILL; its successor says what it holds and the client goes on from there.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { types } from '../src/protocol/wire.js'
import { connect, field, makeHello, makePut, tracepoint } from './client.js'
import { encode, StreamWriter } from './ctf-writer.js'
import { babeltrace, buildRelay, folder, hasBabeltrace, until } from './helpers.js'

const root = join(import.meta.dirname, '..')

beforeAll(buildRelay)

async function startChild(output: string) {
  const child = spawn(process.execPath, [join(root, 'test/relay-child.mjs'), output], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout!, 'data')) as [Buffer]
  const exited = once(child, 'exit')
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  return { address: line.toString().trim(), kill }
}

/** Walks whole packets from `at` to the end of the file as it is now; throws where it ends inside one. */
function walk(path: string, at: number): number {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const header = Buffer.alloc(84)
    while (at < size) {
      if (readSync(file, header, 0, 84, at) < 84 || header.readUInt32LE(0) !== 0xc1fc1fc1) {
        throw new Error(`no packet at ${at} of ${size}`)
      }
      at += Number(header.readBigUInt64LE(56)) / 8
      if (at > size) throw new Error(`the file ends in the middle of a packet: ${size} of ${at}`)
    }
    return at
  } finally {
    closeSync(file)
  }
}

test('a relay killed at any moment leaves whole packets, and holds each put once', async () => {
  const output = folder()
  const hello = makeHello()
  const writer = new StreamWriter(hello.uuid, 3)
  const puts: Buffer[] = []
  let events = 0
  writer.start(1000n)
  for (let put = 0; put < 40; put++) {
    for (let i = 0; i < 1600; i++, events++) {
      writer.event(0, 2000n + BigInt(events), encode('bytes', Buffer.alloc(500 + (i % 90), events)))
    }
    puts.push(writer.take())
  }
  let stored = 0
  let acknowledged = 0
  for (let round = 0; stored < puts.length; round++) {
    const relay = await startChild(output)
    const client = await connect(relay.address)
    const reply = await client.hello(hello)
    const held = reply.held[0]
    stored = held?.sequence.toNumber() ?? 0
    expect(stored, 'what was acknowledged is there').toBeGreaterThanOrEqual(acknowledged)
    acknowledged = stored
    expect(reply.tracepoints).toBe(round === 0 ? 0 : 1)
    await client.declare([tracepoint(0, 'p:e', [field('b', types.Type.BYTES)])])
    const path = join(output, `node-4711-${hello.uuid.toString('hex', 0, 4)}`, 'events_3')
    let seen = held?.bytes.toNumber() ?? 0
    if (held) expect(statSync(path).size, 'nothing but whole puts is left').toBe(seen)
    const sending = puts.slice(stored).map((packets, i) =>
      client.put(makePut(3, stored + i + 1, packets)).then((answer) => {
        acknowledged = answer.sequence.toNumber()
      }),
    )
    const answered = Promise.allSettled(sending)
    const from = stored
    let dead = false
    // the kill falls anywhere within the put after one that was acknowledged
    const late = (round * 7) % 13
    const killed = until(() => acknowledged > from + (round % 2) || acknowledged === puts.length)
      .then(() => until(within(late / 5)))
      .then(relay.kill)
      .then(() => {
        dead = true
      })
    while (!dead) {
      if (existsSync(path)) seen = walk(path, seen)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all([killed, answered])
    if (existsSync(path)) walk(path, seen)
    if (hasBabeltrace && round % 8 === 0 && existsSync(path)) babeltrace(output, '-o', 'dummy')
    client.end()
    stored = acknowledged
  }
  const [trace] = readdirSync(output)
  expect(readFileSync(join(output, trace!, 'events_3')).equals(Buffer.concat(puts))).toBe(true)
  if (hasBabeltrace)
    expect(babeltrace(output, '-c', 'sink.utils.counter').text).toMatch(`${events} Event messages`)
})

function within(milliseconds: number): () => boolean {
  const end = performance.now() + milliseconds
  return () => performance.now() >= end
}
