// relay/test/descriptors.test.ts: more streams than a relay has descriptors for: files are closed and opened again, and nothing is lost.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { connect, makeHello, makePut, tracepoint } from './client.js'
import { encode, StreamWriter } from './ctf-writer.js'
import { buildRelay, folder } from './helpers.js'

const relayChild = join(import.meta.dirname, 'relay-child.mjs')

beforeAll(buildRelay)

test('a relay that may open 128 files takes 100 streams of a process in turn', async () => {
  const output = folder()
  const args = ['-c', 'ulimit -n 128; exec "$0" "$@"', process.execPath, relayChild, output]
  const child = spawn('sh', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const client = await connect(line.toString().trim())
  const hello = makeHello()
  await client.hello(hello)
  await client.declare([tracepoint(0, 'p:e')])
  const streams = Array.from({ length: 100 }, (_, i) => new StreamWriter(hello.uuid, i))
  for (const stream of streams) stream.start(1000n)
  for (let sequence = 1; sequence <= 3; sequence++) {
    for (const stream of streams) {
      stream.event(0, 1000n + BigInt(sequence), encode('u32', sequence))
      await client.put(makePut(stream.stream, sequence, stream.take()))
    }
    const open = readdirSync(`/proc/${child.pid}/fd`).length
    expect(open, 'room for sockets and for whatever else').toBeLessThan(100)
  }
  client.end()
  const again = await connect(line.toString().trim())
  const { held } = await again.hello(hello)
  expect(held.map(({ sequence }) => sequence.toNumber())).toEqual(streams.map(() => 3))
  again.end()
})
