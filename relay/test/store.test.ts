// relay/test/store.test.ts: what a put leaves on the disk, and what the relay says it holds.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { types } from '../src/wire.js'
import { connect, field, makeHello, makePut, tracepoint } from './client.js'
import { encode, StreamWriter } from './ctf-writer.js'
import { babeltrace, folder, hasBabeltrace, relayIn } from './helpers.js'

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
