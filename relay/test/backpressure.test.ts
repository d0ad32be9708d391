// relay/test/backpressure.test.ts: a client faster than the disk waits; the relay's memory does not grow with it.

import { open } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { types } from '../src/wire.js'
import { connect, makeHello, makePut, tracepoint } from './client.js'
import { StreamWriter } from './ctf-writer.js'
import { folder, relayIn } from './helpers.js'

test('while the disk is slow the relay reads no more than it can store', async () => {
  const relay = await relayIn(folder())
  const client = await connect(relay.address)
  const hello = makeHello({ ack: types.Ack.SYNCED })
  await client.hello(hello)
  await client.declare([tracepoint(0, 'p:e')])
  const handle = await open('/dev/null')
  const kind = Object.getPrototypeOf(handle)
  await handle.close()
  const sync = kind.datasync
  let release = () => {}
  const slow = new Promise<void>((resolve) => {
    release = resolve
  })
  kind.datasync = async function (...args: unknown[]) {
    await slow
    return sync.apply(this, args)
  }
  try {
    const writer = new StreamWriter(hello.uuid, 0)
    writer.start(1n)
    const answers = Array.from({ length: 64 }, (_, i) => {
      for (let k = 0; k < 250; k++) writer.event(0, 2n + BigInt(i), Buffer.alloc(3900))
      return client.put(makePut(0, i + 1, writer.take()))
    })
    for (let i = 0; i < 2000; i++) await new Promise((resolve) => setImmediate(resolve))
    expect(client.socket.writableLength, 'most of it still waits in the client').toBeGreaterThan(32 * 2 ** 20)
    release()
    const sequences = (await Promise.all(answers)).map((answer) => answer.sequence.toNumber())
    expect(sequences).toEqual(Array.from({ length: 64 }, (_, i) => i + 1))
  } finally {
    release()
    kind.datasync = sync
  }
  client.end()
})
