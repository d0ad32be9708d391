// relay/test/strangers.test.ts: clients that never show that they belong. They have places, bytes and time of their own, however many
// of them come: whoever has said hello stays, whoever wants to say it can, and the log tells of them in a few lines.

import { once } from 'node:events'
import { connect as dial, type Socket } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { LogRate } from '../src/common/log-rate.js'
import { type Client, Places } from '../src/ports/places.js'
import { types } from '../src/protocol/wire.js'
import { connect, field, makeHello, makePut, tracepoint } from './client.js'
import { StreamWriter } from './ctf-writer.js'
import { folder, relayIn, until } from './helpers.js'

const MiB = 2 ** 20

/** They may be ended at any time. */
function strangers(address: string, count: number, bytes?: Buffer): Socket[] {
  const port = Number(address.split(':')[1])
  const sockets = Array.from({ length: count }, () => {
    const socket = dial(port, '127.0.0.1')
    socket.on('error', () => {}).resume()
    if (bytes) socket.write(bytes)
    return socket
  })
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  return sockets
}

/** Not once() of node:events, which rejects where the connection is reset. */
const closed = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => (socket.closed ? resolve(0) : socket.once('close', resolve)))

/** Says hello and has an event stored. */
async function storesAnEvent(address: string, token: string): Promise<void> {
  const client = await connect(address)
  const hello = makeHello({ token })
  await client.hello(hello)
  await client.declare([tracepoint(0, 'p:e')])
  const writer = new StreamWriter(hello.uuid, 0)
  writer.start(1n)
  writer.event(0, 5n, Buffer.alloc(4))
  await client.put(makePut(0, 1, writer.take()))
  client.end()
}

test('half frames of strangers take no memory: a frame before hello is small', async () => {
  const relay = await relayIn(folder(), { token: 'secret' })
  const half = Buffer.alloc(MiB)
  half.writeInt32BE(2 * MiB)
  const before = process.memoryUsage().arrayBuffers
  const sockets = strangers(relay.address, 200, half)
  await Promise.all(sockets.map(closed))
  await until(() => relay.stats().connections.open === 0)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * MiB)
  const [rejection, ...others] = relay.stats().rejections
  expect(rejection).toMatchObject({ what: 'connection', reason: 'bad bytes' })
  expect(rejection!.message).toMatch(/frame length is 2097152; expected 1 to 65536$/)
  expect(others).toEqual([])
  expect(relay.lines).toHaveLength(1)
})

test('the longest hello there can be is heard', async () => {
  const token = 't'.repeat(4096)
  const relay = await relayIn(folder(), { token })
  const contexts = Array.from({ length: 32 }, (_, i) => field(`c${i}`.padEnd(100, '_'), types.Type.STRING))
  const [hostname, program, session] = ['h'.repeat(255), 'p'.repeat(255), 's'.repeat(64)]
  const client = await connect(relay.address)
  await client.hello(makeHello({ token, contexts, hostname, program, session }))
  client.end()
})

test('once it has said hello a client sends the largest frame there is, in the same breath', async () => {
  const relay = await relayIn(folder(), { token: 'secret' })
  const client = await connect(relay.address)
  const hello = client.hello(makeHello({ token: 'secret' }))
  const put = client.put(makePut(0, 1, Buffer.alloc(MiB)))
  await hello
  await expect(put, 'heard, and refused for what it holds').rejects.toThrow(/packet 0/)
  client.end()
})

test('1,100 silent strangers keep nobody out, and nobody who said hello goes for them', async () => {
  const relay = await relayIn(folder(), { token: 'secret' })
  const first = await connect(relay.address)
  await first.hello(makeHello({ token: 'secret' }))
  const sockets = strangers(relay.address, 1100)
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  await storesAnEvent(relay.address, 'secret')
  await first.declare([tracepoint(0, 'p:e')])
  const { connections, totals, rejections } = relay.stats()
  expect(totals.events).toBe(1)
  expect(connections.open).toBeLessThanOrEqual(256 + 2)
  expect(rejections).toMatchObject([{ what: 'connection', reason: 'no place', isLost: false }])
  expect(relay.lines.length).toBeLessThan(10)
  first.end()
})

test('clients that break off write no line each', async () => {
  const relay = await relayIn(folder(), { token: 'secret' })
  for (let i = 0; i < 20; i++) {
    const sockets = strangers(relay.address, 50, Buffer.of(0, 0, 1, 0, 0))
    for (const socket of sockets) socket.end()
    await Promise.all(sockets.map(closed))
  }
  await until(() => relay.stats().connections.ended === 1000)
  expect(relay.lines).toHaveLength(5)
  await relay.close()
  expect(relay.lines.slice(5).join()).toMatch(
    /^and 995 more lines like these, the last: .*: ended a client without hello: it closed in the middle of a frame$/,
  )
})

test('lines of a kind are written, then counted, and a minute later begin anew; kinds do not meet', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const lines: string[] = []
  const rate = new LogRate((line) => lines.push(line))
  for (let i = 1; i <= 7; i++) rate.line(`a ${i}`, 'a')
  rate.line('b 1', 'b')
  expect(lines).toEqual(['a 1', 'a 2', 'a 3', 'a 4', 'a 5', 'b 1'])
  vi.advanceTimersByTime(60_000)
  expect(lines.slice(6)).toEqual(['and 2 more lines like these, the last: a 7'])
  rate.line('a 8', 'a')
  for (let i = 0; i < 1050; i++) rate.line('other')
  expect(lines.slice(7)).toEqual(['a 8', ...Array.from({ length: 1000 }, () => 'other')])
  rate.flush()
  expect(lines.at(-1)).toBe('and 50 more lines like these, the last: other')
})

class FakeClient implements Client {
  ended = false
  constructor(
    readonly address: string,
    readonly silentSince: number,
    public belongs = false,
  ) {}
  end(): void {
    this.ended = true
  }
}

test('one host does not drive out the others: who goes is of the address that has most strangers', () => {
  const places = new Places<FakeClient>({ most: 2, idleMs: Number.POSITIVE_INFINITY, strangers: 4 })
  const add = (address: string, silentSince: number, belongs = false) => {
    const client = new FakeClient(address, silentSince, belongs)
    if (places.makeRoom()) places.add(client)
    else client.end()
    return client
  }
  const far = add('10.0.0.1', 1)
  const [busy, older, newer] = [add('10.0.0.2', Infinity), add('10.0.0.2', 2), add('10.0.0.2', 3)]
  const next = add('10.0.0.2', 4)
  expect([far, busy, older, newer, next].map(({ ended }) => ended)).toEqual([
    false,
    false,
    true,
    false,
    false,
  ])
  next.belongs = newer.belongs = true
  expect(add('10.0.0.3', 5).ended, 'all places of those who belong are taken').toBe(true)
  places.delete(next)
  expect(add('10.0.0.3', 5).ended).toBe(false)
})

test('where all strangers are worked for the next one is turned away', () => {
  const places = new Places<FakeClient>({ most: 2, idleMs: 0, strangers: 1 })
  const busy = new FakeClient('10.0.0.1', Infinity)
  places.add(busy)
  expect(places.makeRoom()).toBe(false)
  expect(busy.ended).toBe(false)
})
