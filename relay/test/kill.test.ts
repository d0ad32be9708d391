// relay/test/kill.test.ts: a relay killed at any moment leaves whole packets, and each put is stored once.
// The relay runs in a child and dies by SIGKILL; its successor says what it holds and the client goes on from there.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { connect, makeHello, makePut, tracepoint } from './client.js'
import { encode, StreamWriter } from './ctf-writer.js'
import { babeltrace, folder, hasBabeltrace } from './helpers.js'

const root = join(import.meta.dirname, '..')

beforeAll(() => {
  execFileSync(process.execPath, [join(root, '../node_modules/typescript/bin/tsc'), '-b', root])
})

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

/** How many events are in the packets of a file; throws where it ends inside one. */
function wholePackets(file: Buffer): number {
  let packets = 0
  for (let at = 0; at < file.length; packets++) {
    if (file.readUInt32LE(at) !== 0xc1fc1fc1) throw new Error(`no packet at ${at}`)
    at += Number(file.readBigUInt64LE(at + 56)) / 8
    if (at > file.length) throw new Error(`the file ends in the middle of a packet: ${file.length} of ${at}`)
  }
  return packets
}

test('a relay killed at any moment leaves whole packets, and holds each put once', async () => {
  const output = folder()
  const hello = makeHello()
  const writer = new StreamWriter(hello.uuid, 3)
  const puts: Buffer[] = []
  let events = 0
  writer.start(1000n)
  for (let put = 0; put < 80; put++) {
    for (let i = 0; i < 4000 + put * 37; i++, events++)
      writer.event(0, 2000n + BigInt(events), encode('u32', events))
    puts.push(writer.take())
  }
  let stored = 0
  let acknowledged = 0
  let cuts = 0
  for (let round = 0; stored < puts.length; round++) {
    const relay = await startChild(output)
    const client = await connect(relay.address)
    const reply = await client.hello(hello)
    const held = reply.held[0]
    stored = held?.sequence.toNumber() ?? 0
    expect(stored, 'what was acknowledged is there').toBeGreaterThanOrEqual(acknowledged)
    expect(reply.tracepoints).toBe(round === 0 ? 0 : 1)
    await client.declare([tracepoint(0, 'p:e')])
    const path = join(output, readdirSync(output)[0]!, 'events_3')
    if (held) expect(readFileSync(path).length, 'nothing but whole puts is left').toBe(held.bytes.toNumber())
    let dead = false
    const sending = puts.slice(stored).map((packets, i) =>
      client.put(makePut(3, stored + i + 1, packets)).then((answer) => {
        acknowledged = answer.sequence.toNumber()
      }),
    )
    const all = Promise.allSettled(sending)
    const killed = new Promise<void>((resolve) => {
      setTimeout(() => void relay.kill().then(resolve), round > 40 ? 10_000 : 1 + ((round * 7) % 23))
    }).then(() => {
      dead = true
    })
    void all.then(() => relay.kill())
    while (!dead) {
      if (existsSync(path)) wholePackets(readFileSync(path))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await killed
    await all
    const left = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
    wholePackets(left)
    if (!puts.some((_, i) => Buffer.concat(puts.slice(0, i)).length === left.length)) cuts++
    if (hasBabeltrace && round % 4 === 0 && left.length > 0) babeltrace(output, '-o', 'dummy')
    client.end()
    stored = acknowledged
  }
  const [trace] = readdirSync(output)
  expect(readFileSync(join(output, trace!, 'events_3')).equals(Buffer.concat(puts))).toBe(true)
  if (hasBabeltrace) expect(babeltrace(output).text.split('\n').length - 1).toBe(events)
  console.log(`killed in the middle of a put ${cuts} times`)
})
