// relay/test/backpressure.test.ts: a client faster than the disk waits; the relay's memory does not grow with it.

import fs from 'node:fs'
import { expect, test, vi } from 'vitest'
import { types } from '../src/protocol/wire.js'
import { connect, makeHello, makePut, tracepoint } from './client.js'
import { StreamWriter } from './ctf-writer.js'
import { folder, relayIn } from './helpers.js'

test('while the disk is slow the relay reads no more than it can store', async () => {
  const relay = await relayIn(folder())
  const client = await connect(relay.address)
  const hello = makeHello({ ack: types.Ack.SYNCED })
  await client.hello(hello)
  await client.declare([tracepoint(0, 'p:e')])
  let release = () => {}
  const slow = new Promise<void>((resolve) => {
    release = resolve
  })
  const { fdatasync } = fs
  const syncs = vi.spyOn(fs, 'fdatasync').mockImplementation((fd, done) => {
    void slow.then(() => fdatasync(fd, done))
  })
  try {
    const writer = new StreamWriter(hello.uuid, 0)
    writer.start(1n)
    const answers = Array.from({ length: 64 }, (_, i) => {
      for (let k = 0; k < 250; k++) writer.event(0, 2n + BigInt(i), Buffer.alloc(3900))
      return client.put(makePut(0, i + 1, writer.take()))
    })
    for (let i = 0; i < 2000; i++) await new Promise((resolve) => setImmediate(resolve))
    expect(client.socket.writableLength, 'most of it still waits in the client').toBeGreaterThan(32 * 2 ** 20)
    expect(syncs).toHaveBeenCalledTimes(1)
    release()
    const sequences = (await Promise.all(answers)).map((answer) => answer.sequence.toNumber())
    expect(sequences).toEqual(Array.from({ length: 64 }, (_, i) => i + 1))
  } finally {
    release()
    syncs.mockRestore()
  }
  client.end()
})
