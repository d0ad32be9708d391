// blockstore-nbd.test.ts: the NBD server byte by byte: handshake, bad input, order of replies, back pressure.

import net from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Catalog } from '../examples/blockstore/src/catalog.js'
import { NbdClient, NbdError } from '../examples/blockstore/src/nbd-client.js'
import { type NbdServer, startNbd } from '../examples/blockstore/src/nbd-server.js'
import { OBJECT_SIZE } from '../examples/blockstore/src/object-store.js'
import { Pool } from '../examples/blockstore/src/pool.js'
import { BLOCK, MemoryStore, temporaryDir } from './blockstore-harness.js'

let remove: () => void
let catalog: Catalog
let store: MemoryStore
let pool: Pool
let server: NbdServer
const wires: Wire[] = []

beforeEach(async () => {
  const place = temporaryDir()
  remove = place.remove
  catalog = await Catalog.open(place.dir)
  store = new MemoryStore()
  pool = new Pool(catalog, store)
  await pool.create('disk0', 4 * OBJECT_SIZE)
  await pool.create('disk1', 64 * OBJECT_SIZE)
  server = await startNbd(pool, '127.0.0.1', 0)
})

afterEach(async () => {
  for (const wire of wires.splice(0)) wire.socket.destroy()
  await server.close()
  await catalog.close()
  remove()
})

const uri = (name = '') => `nbd://127.0.0.1:${server.port}/${name}`

/** A client that sends what it is told to and reads what it asks for. */
class Wire {
  readonly socket = net.connect(server.port, '127.0.0.1')
  #got: Buffer = Buffer.alloc(0)
  #wake = () => {}
  #ended = false

  constructor() {
    wires.push(this)
    this.socket.on('data', (chunk) => {
      this.#got = Buffer.concat([this.#got, chunk])
      this.#wake()
    })
    this.socket.on('error', () => {})
    this.socket.on('close', () => {
      this.#ended = true
      this.#wake()
    })
  }

  async read(count: number): Promise<Buffer> {
    while (this.#got.length < count) {
      if (this.#ended) throw new Error(`closed after ${this.#got.length} of ${count} bytes`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const bytes = this.#got.subarray(0, count)
    this.#got = this.#got.subarray(count)
    return bytes
  }

  async closed(): Promise<number> {
    while (!this.#ended)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    return this.#got.length
  }

  send(...parts: (Buffer | string)[]): void {
    for (const part of parts) this.socket.write(typeof part === 'string' ? Buffer.from(part, 'hex') : part)
  }

  option(number: number, data: Buffer = Buffer.alloc(0), length = data.length): void {
    this.send(Buffer.from('IHAVEOPT'), u32(number), u32(length), data)
  }

  async optionReply(): Promise<{ option: number; type: number; data: Buffer }> {
    const head = await this.read(20)
    expect(head.toString('hex', 0, 8)).toBe('0003e889045565a9')
    const data = await this.read(head.readUInt32BE(16))
    return { option: head.readUInt32BE(8), type: head.readUInt32BE(12), data }
  }

  async hello(flags = 3): Promise<this> {
    expect((await this.read(18)).toString('hex')).toBe(
      `${Buffer.from('NBDMAGICIHAVEOPT').toString('hex')}0003`,
    )
    this.send(u32(flags))
    return this
  }

  /** Through the handshake, to where requests may be sent. */
  async chosen(name = 'disk0'): Promise<this> {
    await this.hello()
    this.option(1, Buffer.from(name))
    await this.read(10)
    return this
  }

  request(
    type: number,
    offset: number,
    length: number,
    { handle = 1, flags = 0, magic = 0x25609513 } = {},
  ): void {
    const head = Buffer.alloc(28)
    head.writeUInt32BE(magic, 0)
    head.writeUInt16BE(flags, 4)
    head.writeUInt16BE(type, 6)
    head.writeBigUInt64BE(BigInt(handle), 8)
    head.writeBigUInt64BE(BigInt(offset), 16)
    head.writeUInt32BE(length, 24)
    this.send(head)
  }

  async reply(): Promise<{ error: number; handle: number }> {
    const head = await this.read(16)
    expect(head.readUInt32BE(0)).toBe(0x67446698)
    return { error: head.readUInt32BE(4), handle: Number(head.readBigUInt64BE(8)) }
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function infoData(name: string, ...wanted: number[]): Buffer {
  const tail = Buffer.alloc(2 + 2 * wanted.length)
  tail.writeUInt16BE(wanted.length)
  for (const [i, info] of wanted.entries()) tail.writeUInt16BE(info, 2 + 2 * i)
  return Buffer.concat([u32(name.length), Buffer.from(name), tail])
}

const UNSUPPORTED = 0x80000001
const INVALID = 0x80000003
const UNKNOWN = 0x80000006
const TOO_BIG = 0x80000009

test('EXPORT_NAME answers size and flags, with 124 zeros for a client that did not decline them', async () => {
  const wire = await new Wire().hello(1)
  wire.option(1, Buffer.from('disk0'))
  const answer = await wire.read(134)
  expect(answer.readBigUInt64BE(0)).toBe(BigInt(4 * OBJECT_SIZE))
  expect(answer.readUInt16BE(8) & 0x16d, 'flags, flush, FUA, trim, zeroes, several connections').toBe(0x16d)
  expect(answer.subarray(10).every((byte) => byte === 0)).toBe(true)
})

test('EXPORT_NAME with the empty name chooses the first volume; with an unknown one it ends the connection', async () => {
  const wire = await new Wire().hello()
  wire.option(1)
  expect((await wire.read(10)).readBigUInt64BE(0)).toBe(BigInt(4 * OBJECT_SIZE))
  const lost = await new Wire().hello()
  lost.option(1, Buffer.from('nope'))
  expect(await lost.closed()).toBe(0)
})

test('LIST names every export, then options go on', async () => {
  const wire = await new Wire().hello()
  wire.option(3)
  const names = [(await wire.optionReply()).data, (await wire.optionReply()).data]
  expect(names.map((data) => data.toString('latin1', 4))).toEqual(['disk0', 'disk1'])
  expect((await wire.optionReply()).type).toBe(1)
  wire.option(3, Buffer.from('x'))
  expect((await wire.optionReply()).type).toBe(INVALID)
})

test('INFO tells what was asked and stays in the handshake; GO goes on to requests', async () => {
  const wire = await new Wire().hello()
  wire.option(6, infoData('disk1', 1, 3))
  const types: number[] = []
  for (let i = 0; i < 3; i++) types.push((await wire.optionReply()).data.readUInt16BE(0))
  expect(types).toEqual([0, 1, 3])
  expect((await wire.optionReply()).type).toBe(1)
  wire.option(7, infoData('disk0'))
  expect((await wire.optionReply()).data.readBigUInt64BE(2)).toBe(BigInt(4 * OBJECT_SIZE))
  expect((await wire.optionReply()).type).toBe(1)
  wire.request(0, 0, BLOCK)
  expect((await wire.reply()).error).toBe(0)
})

test('options unknown, malformed, too long or for no export are refused, and the next one is served', async () => {
  const wire = await new Wire().hello()
  wire.option(8) // structured replies
  expect((await wire.optionReply()).type).toBe(UNSUPPORTED)
  wire.option(4711, Buffer.from('whatever'))
  expect(await wire.optionReply()).toMatchObject({ option: 4711, type: UNSUPPORTED })
  wire.option(7, infoData('nope'))
  expect((await wire.optionReply()).type).toBe(UNKNOWN)
  wire.option(7, Buffer.from('00'))
  expect((await wire.optionReply()).type).toBe(INVALID)
  wire.option(7, Buffer.concat([u32(0xffffffff), Buffer.alloc(8)]))
  expect((await wire.optionReply()).type).toBe(INVALID)
  wire.option(6, Buffer.alloc(100_000))
  expect((await wire.optionReply()).type).toBe(TOO_BIG)
  wire.option(2)
  expect((await wire.optionReply()).type).toBe(1)
  expect(await wire.closed(), 'after ABORT').toBe(0)
})

test('a wrong option magic, wrong flags or a wrong request magic end that connection only', async () => {
  const other = await NbdClient.connect(uri())
  const wire = await new Wire().hello()
  wire.send(Buffer.from('IHAVEBAD'), u32(3), u32(0))
  expect(await wire.closed()).toBe(0)
  const flags = await new Wire().hello(0x80)
  expect(await flags.closed()).toBe(0)
  const request = await new Wire().chosen()
  request.request(0, 0, BLOCK, { magic: 0x12345678 })
  expect(await request.closed()).toBe(0)
  expect((await other.read(0, BLOCK)).length).toBe(BLOCK)
  await other.close()
})

test('a range, command or flag that does not fit is answered with its error, and the connection lives on', async () => {
  await pool.snapshot('disk0', 's')
  const wire = await new Wire().chosen()
  const end = 4 * OBJECT_SIZE
  const cases: [what: string, error: number, ...Parameters<Wire['request']>][] = [
    ['read beyond the end', 22, 0, end - 1, 2],
    ['read at 2^63', 22, 0, 2 ** 63, BLOCK],
    ['read of 33 MiB', 22, 0, 0, 33 << 20],
    ['trim beyond the end', 22, 4, end, BLOCK],
    ['zeroes beyond the end', 28, 6, end, BLOCK],
    ['unknown command', 22, 99, 0, 0],
    ['unknown flag', 22, 0, 0, BLOCK, { flags: 0x80 }],
    ['nothing wrong', 0, 3, 0, 0],
  ]
  for (const [what, error, ...request] of cases) {
    wire.request(...request)
    expect((await wire.reply()).error, what).toBe(error)
  }
  wire.request(1, end - 1, 2)
  wire.send('abab')
  expect((await wire.reply()).error, 'write beyond the end').toBe(28)
  wire.request(1, 0, 33 << 20)
  for (let i = 0; i < 33; i++) wire.send(Buffer.alloc(1 << 20))
  expect((await wire.reply()).error, 'write of 33 MiB').toBe(22)
  wire.request(0, 0, 1)
  expect((await wire.reply()).error, 'its data were skipped').toBe(0)
  const snapshot = await NbdClient.connect(uri('disk0@s'))
  expect(snapshot.flags & 2).toBe(2)
  await expect(snapshot.write(0, Buffer.alloc(512))).rejects.toMatchObject({ errno: 1 })
  await snapshot.close()
})

test('bytes that come one at a time make the same requests', async () => {
  const wire = await new Wire().chosen()
  const head = Buffer.alloc(28)
  head.writeUInt32BE(0x25609513, 0)
  head.writeUInt16BE(1, 6)
  head.writeUInt32BE(BLOCK, 24)
  for (const byte of Buffer.concat([head, Buffer.alloc(BLOCK, 0x5a)])) {
    wire.send(Buffer.from([byte]))
    if (Math.random() < 0.02) await new Promise(setImmediate)
  }
  expect((await wire.reply()).error).toBe(0)
  wire.request(0, 0, BLOCK)
  expect((await wire.reply()).error).toBe(0)
  expect((await wire.read(BLOCK)).equals(Buffer.alloc(BLOCK, 0x5a))).toBe(true)
})

test('a request that takes long does not hold up the ones behind it', async () => {
  let letGo!: () => void
  const { flush } = store
  store.flush = async (...args) => {
    await new Promise<void>((resolve) => {
      letGo = resolve
    })
    return flush.apply(store, args)
  }
  const wire = await new Wire().chosen()
  wire.request(3, 0, 0, { handle: 7 })
  wire.request(0, 0, 0, { handle: 8 })
  expect((await wire.reply()).handle).toBe(8)
  letGo()
  expect((await wire.reply()).handle).toBe(7)
  store.flush = flush
})

test('requests before DISC are answered before the connection ends', async () => {
  const wire = await new Wire().chosen()
  for (let handle = 1; handle <= 20; handle++) wire.request(0, 0, 0, { handle })
  wire.request(2, 0, 0)
  for (let i = 0; i < 20; i++) expect((await wire.reply()).error).toBe(0)
  expect(await wire.closed()).toBe(0)
})

test('a client that asks for far more than it reads does not fill the memory, and gets all in the end', async () => {
  const wire = await new Wire().chosen('disk1')
  wire.socket.pause()
  const asked = 200
  for (let handle = 1; handle <= asked; handle++) wire.request(0, 0, OBJECT_SIZE, { handle })
  let reads = 0
  const { find } = pool
  const volume = find.call(pool, 'disk1')!
  const { read } = volume
  volume.read = (...args) => {
    reads++
    return read.apply(volume, args)
  }
  // Quiet once the number of reads begun has stood still for a while.
  for (let last = -1; last !== reads; ) {
    last = reads
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  expect(reads).toBeLessThan(asked / 2)
  wire.socket.resume()
  let bytes = 0
  wire.socket.removeAllListeners('data').on('data', (chunk) => {
    bytes += chunk.length
  })
  while (bytes < asked * (OBJECT_SIZE + 16)) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(reads).toBe(asked)
})

test('a failing store is an I/O error to the client, a full one says so', async () => {
  const client = await NbdClient.connect(uri())
  const { StoreError } = await import('../examples/blockstore/src/object-store.js')
  store.failWrites = new StoreError(28, 'full')
  await expect(client.write(0, Buffer.alloc(BLOCK))).rejects.toEqual(
    new NbdError(28, 'nbd: the server answered with error 28'),
  )
  store.failWrites = new StoreError(110, 'timed out')
  await expect(client.write(0, Buffer.alloc(BLOCK))).rejects.toMatchObject({ errno: 5 })
  await client.close()
})
