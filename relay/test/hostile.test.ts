// relay/test/hostile.test.ts: what a bad client can do to others: nothing. It loses its own connection at most.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect as dial, type Socket } from 'node:net'
import { expect, test, vi } from 'vitest'
import { startRelay } from '../src/index.js'
import { connect, makeHello, makePut, tracepoint } from './client.js'
import { StreamWriter } from './ctf-writer.js'
import { folder, relayIn, until } from './helpers.js'

async function raw(address: string): Promise<Socket> {
  const socket = dial(Number(address.split(':')[1]), '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

const length = (n: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(n)
  return bytes
}
const frame = (...parts: Buffer[]) => Buffer.concat([length(Buffer.concat(parts).length), ...parts])
const callHeader = (name: string, type = 1) =>
  Buffer.concat([Buffer.from([0x80, 1, 0, type]), length(name.length), Buffer.from(name), length(1)])
const hugeList = Buffer.concat([Buffer.from([15, 0, 1, 12]), length(2 ** 31 - 1)])

const bad: [string, Buffer, RegExp][] = [
  [
    'random bytes',
    Buffer.concat([Buffer.from([0xff]), randomBytes(5000)]),
    /frame length is -\d+; expected 1 to/,
  ],
  ['a length of 2^31 - 1', length(2 ** 31 - 1), /frame length is 2147483647; expected 1 to 65536/],
  ['a frame that is no message', frame(randomBytes(64).fill(0x41)), /No protocol version header/],
  [
    'a list longer than its frame',
    frame(callHeader('declareTracepoints'), hugeList),
    /claims 2147483647 elements/,
  ],
  [
    'structs in structs without end',
    frame(callHeader('nothing'), ...Array.from({ length: 3000 }, () => Buffer.from([12, 0, 9]))),
    /depth/,
  ],
]

for (const [name, bytes, reason] of bad) {
  test(`${name}: ends its own connection, with the reason in the log, and no other`, async () => {
    const relay = await relayIn(folder())
    const good = await connect(relay.address)
    const hello = makeHello()
    await good.hello(hello)
    const socket = await raw(relay.address)
    socket.resume()
    socket.write(bytes)
    await once(socket, 'close')
    await until(() => relay.stats().connections.ended === 1)
    expect(relay.lines.join('\n')).toMatch(reason)
    await good.declare([tracepoint(0, 'p:e')])
    good.end()
  })
}

test('half a frame and a closed socket leaves nothing behind', async () => {
  const relay = await relayIn(folder())
  const socket = await raw(relay.address)
  socket.end(Buffer.concat([length(1000), Buffer.alloc(10)]))
  await until(() => relay.stats().connections.ended === 1)
  expect(relay.lines.join()).toMatch(/closed in the middle of a frame/)
  expect(relay.stats().connections.open).toBe(0)
})

test('a client that says no hello, or stops inside a frame, is ended in time; an idle one lives on', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const lines: string[] = []
    const relay = await startRelay({
      listen: '127.0.0.1:0',
      output: folder(),
      log: (line) => lines.push(line),
    })
    const idle = await connect(relay.address)
    const stuck = await connect(relay.address)
    await idle.hello()
    await stuck.hello()
    stuck.socket.write(length(100))
    const silent = await raw(relay.address)
    silent.resume()
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
    vi.advanceTimersByTime(10_000)
    await once(silent, 'close')
    await until(() => lines.length === 1)
    expect(lines.join()).toMatch(/no hello within 10 s/)
    vi.advanceTimersByTime(30_000)
    await stuck.closed
    await until(() => lines.length === 2)
    expect(lines.join()).toMatch(/half a frame, then silence for 30 s/)
    vi.advanceTimersByTime(3_600_000)
    await idle.declare([tracepoint(0, 'p:e')])
    idle.end()
    vi.useRealTimers()
    await relay.close()
  } finally {
    vi.useRealTimers()
  }
})

test('an unknown method is answered with an exception, and the connection goes on', async () => {
  const relay = await relayIn(folder())
  const socket = await raw(relay.address)
  socket.write(frame(callHeader('no_such_method'), Buffer.from([0])))
  const [answer] = (await once(socket, 'data')) as [Buffer]
  expect(answer.readUInt8(7), 'an EXCEPTION').toBe(3)
  expect(answer.toString('latin1')).toContain('Unknown function no_such_method')
  expect(relay.stats().connections.open).toBe(1)
  socket.destroy()
})

test('a token is needed off loopback, and on every hello where one is set', async () => {
  await expect(startRelay({ listen: '0.0.0.0:0', output: folder() })).rejects.toThrow(
    /"0.0.0.0:0" and token is missing; expected a token on anything but loopback/,
  )
  const relay = await relayIn(folder(), { token: 'right' })
  for (const token of [undefined, 'wrong']) {
    const client = await connect(relay.address)
    await expect(client.hello(makeHello({ token }))).rejects.toThrow(/hello.token is/)
    await client.closed
  }
  const client = await connect(relay.address)
  await client.hello(makeHello({ token: 'right' }))
  client.end()
})

test('200 clients at once each get their trace', async () => {
  const relay = await relayIn(folder())
  const clients = await Promise.all(Array.from({ length: 200 }, () => connect(relay.address)))
  await Promise.all(
    clients.map(async (client) => {
      const hello = makeHello()
      await client.hello(hello)
      await client.declare([tracepoint(0, 'p:e')])
      const writer = new StreamWriter(hello.uuid, 0)
      writer.start(1n)
      const first = writer.take()
      writer.event(0, 5n, Buffer.alloc(4))
      const puts = [client.put(makePut(0, 1, first, { events: 0 })), client.put(makePut(0, 2, writer.take()))]
      const answers = await Promise.all(puts)
      expect(answers.map((answer) => answer.sequence.toNumber())).toEqual([1, 2])
    }),
  )
  const { processes } = relay.stats()
  expect(processes.length).toBe(200)
  expect(processes.every((process) => process.connected && process.events === 1 && process.puts === 2)).toBe(
    true,
  )
  for (const client of clients) client.end()
})
