// relay/test/fuzz-ports.test.ts: whole streams at each port of a relay: what real clients sent, changed as a broken or hostile one would.
// The connection ends, what is answered is of the port's protocol, and a client that belongs there has its events stored all the
// while, each of them once.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, connect as dial, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { readTrace } from '../src/index.js'
import { type Client, connect, makeHello, makePut, tracepoint } from './client.js'
import { StreamWriter } from './ctf-writer.js'
import { changed } from './fuzz/inputs.js'
import { fuzz, TIMEOUT_MS } from './fuzz/run.js'
import { folder, relayIn, until } from './helpers.js'
import { scribeClient, v1Message } from './scribe.js'

type Relay = Awaited<ReturnType<typeof relayIn>>

/** A client that belongs there, and how many events it had acknowledged. */
class Witness {
  events = 0
  private readonly hello = makeHello({ program: 'witness' })
  private readonly writer = new StreamWriter(this.hello.uuid, 0)
  private client!: Client

  static async join(address: string): Promise<Witness> {
    const witness = new Witness()
    witness.client = await connect(address)
    await witness.client.hello(witness.hello)
    await witness.client.declare([tracepoint(0, 'p:e')])
    witness.writer.start(1n)
    return witness
  }

  async emit(): Promise<void> {
    const number = Buffer.alloc(4)
    number.writeUInt32LE(this.events++)
    this.writer.event(0, BigInt(this.events) * 5n, number)
    await this.client.put(makePut(0, this.events, this.writer.take()))
  }

  async leave(relay: Relay): Promise<number[]> {
    this.client.end()
    const { folder } = relay.stats().processes.find(({ program }) => program === 'witness')!
    const numbers: number[] = []
    for await (const item of readTrace(folder)) if (item.kind === 'event') numbers.push(Number(item.fields.n))
    return numbers
  }
}

/** What a client sends to an address, while `speak` makes it do so through another one. */
async function sent(address: string, speak: (through: string) => Promise<unknown>): Promise<Buffer> {
  const bytes: Buffer[] = []
  const server = createServer((client) => {
    const behind = portOf(address)
    client.on('data', (piece) => bytes.push(piece))
    client.pipe(behind).pipe(client)
    client.on('error', () => behind.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await speak(`127.0.0.1:${port}`)
  server.close()
  return Buffer.concat(bytes)
}

const portOf = (address: string): Socket =>
  dial(Number(address.split(':')[1]), '127.0.0.1').on('error', () => {})

/** What is answered until the connection is closed, which it must be once all is said. */
async function said(address: string, bytes: Buffer): Promise<Buffer> {
  const socket = portOf(address)
  const answer: Buffer[] = []
  socket.on('data', (piece: Buffer) => answer.push(piece))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.end(bytes)
  await closed
  return Buffer.concat(answer)
}

/** Whole frames, of which the last may be cut where the connection was reset. */
function isFrames(answer: Buffer): boolean {
  for (let at = 0; at + 4 <= answer.length; at += 4 + answer.readInt32BE(at)) {
    const length = answer.readInt32BE(at)
    if (length <= 0 || length > 2 ** 26) return false
  }
  return true
}

const isHttp = (answer: Buffer): boolean => /^(HTTP\/1\.1 \d{3} |$)/.test(answer.toString('latin1'))

async function tracedProcess(address: string): Promise<void> {
  const client = await connect(address)
  const hello = makeHello()
  await client.hello(hello)
  await client.declare([tracepoint(0, 'p:e'), tracepoint(1, 'p:f')])
  const writer = new StreamWriter(hello.uuid, 0)
  writer.start(1n)
  for (let sequence = 1; sequence <= 3; sequence++) {
    writer.event(0, BigInt(sequence) * 7n, Buffer.alloc(4, sequence))
    await client.put(makePut(0, sequence, writer.take()))
  }
  client.end()
}

async function scribe(address: string): Promise<void> {
  const client = await scribeClient(address)
  const span = v1Message({ traceId: 1n, id: 2n, name: 'get', annotations: [['sr', 1n], ['ss', 9n]] }) // biome-ignore format: one thing
  await client.log([
    ['zipkin', span],
    ['log', 'a line'],
  ])
  client.end()
}

async function http(address: string): Promise<void> {
  const url = `http://${address}`
  const headers = { 'content-type': 'application/json', connection: 'close' }
  const body = JSON.stringify([{ traceId: '1'.repeat(16), id: '2'.repeat(16), name: 'get', duration: 5 }])
  await (await fetch(`${url}/api/v2/spans`, { method: 'POST', headers, body })).text()
  await (await fetch(`${url}/api/v2/traces?limit=3&annotationQuery=a%3Db`, { headers })).text()
  await (await fetch(`${url}/metrics`, { headers })).text()
}

const ports: [string, (relay: Relay) => string, (address: string) => Promise<void>, typeof isHttp][] = [
  ['relay', (relay) => relay.address, tracedProcess, isFrames],
  ['scribe', (relay) => relay.scribeAddress!, scribe, isFrames],
  ['http', (relay) => relay.httpAddress!, http, isHttp],
]

const words = ['hello', 'put', 'rules', 'Log', 'Content-Length: 9\r\n', 'Transfer-Encoding: chunked\r\n', '\r\n\r\n', '%00', '../', '\xff'] // biome-ignore format: a list

test.each(ports)('streams at the port: %s', { timeout: TIMEOUT_MS }, async (name, of, speak, isAnswer) => {
  const listen = '127.0.0.1:0'
  const relay = await relayIn(folder(), { tracing: { listen }, scribe: { listen } })
  const address = of(relay)
  const seeds = [await sent(address, speak)]
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  onTestFinished(() => void process.off('unhandledRejection', note))
  const witness = await Witness.join(relay.address)
  await fuzz(`ports-${name}`, 1 / ports.length, changed(seeds, words), async (bytes) => {
    const answer = await said(address, bytes)
    assert(isAnswer(answer), `answered ${answer.subarray(0, 100).toString('latin1')}`)
    await witness.emit()
    assert.deepEqual(unhandled, [])
  })
  await until(() => relay.stats().connections.open === 1) // the witness
  const numbers = await witness.leave(relay)
  expect(numbers).toEqual(Array.from({ length: witness.events }, (_, n) => n))
  expect(numbers.length).toBeGreaterThan(0)
})
