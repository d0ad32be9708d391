// blockstore-stores.test.ts: store processes over TCP: operations, bad bytes, replicas that go and come back.

import net from 'node:net'
import { trace } from 'blkin'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Cluster } from '../examples/blockstore/src/cluster.js'
import { HOUSEKEEPING, OBJECT_SIZE, placementKey } from '../examples/blockstore/src/object-store.js'
import { StoreClient } from '../examples/blockstore/src/store-client.js'
import { packRequest, unpackRequest } from '../examples/blockstore/src/store-protocol.js'
import { type StoreServer, startStore } from '../examples/blockstore/src/store-server.js'
import { temporaryDir } from './blockstore-harness.js'

const undo: (() => unknown)[] = []
let dir: string
let stores: StoreServer[]
let out: number[]

beforeEach(async () => {
  const place = temporaryDir()
  dir = place.dir
  undo.push(place.remove)
  stores = []
  out = []
  for (let i = 0; i < 3; i++) stores.push(await startStore(`${dir}/${i}`))
  undo.push(() => Promise.all(stores.map((store) => store.close())))
})

afterEach(async () => {
  for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step()
})

async function clients(): Promise<StoreClient[]> {
  const list = await Promise.all(stores.map((store, i) => StoreClient.connect(i, '127.0.0.1', store.port)))
  undo.push(() => {
    for (const client of list) client.close()
  })
  return list
}

async function cluster(replicas: number): Promise<Cluster> {
  return new Cluster(await clients(), replicas, [], async (store) => {
    out.push(store)
  })
}

const o = HOUSEKEEPING

test('put, get, ranges, copy and delete do what they say', async () => {
  const c = await cluster(1)
  await c.writeRange(o, 'a.0.x', 100, Buffer.from('hello'))
  expect((await c.readRange(o, 'a.0.x', 98, 9)).toString('latin1')).toBe('\0\0hello\0\0')
  await c.copy(o, 'a.0.x', 'a.0.y')
  await c.put(o, 'a.0.x', Buffer.from('other'))
  expect((await c.get(o, 'a.0.x')).toString()).toBe('other')
  expect((await c.readRange(o, 'a.0.y', 100, 5)).toString()).toBe('hello')
  await c.flush(o)
  await c.flush(o, 'a.0.y')
  await c.delete(o, 'a.0.y')
  await c.delete(o, 'a.0.y')
  await expect(c.readRange(o, 'a.0.y', 0, 1)).rejects.toMatchObject({ errno: 2 })
})

test('names that are paths and ranges that leave the object are refused', async () => {
  const c = await cluster(1)
  for (const name of ['../x', 'a/b', '.put-0', 'a\0b', '']) {
    await expect(c.writeRange(o, name, 0, Buffer.from('x')), name).rejects.toMatchObject({ errno: 22 })
  }
  await expect(c.readRange(o, 'a', OBJECT_SIZE - 1, 2)).rejects.toMatchObject({ errno: 22 })
  await expect(c.copy(o, 'a.0.x', 'b.0.x')).rejects.toThrow(/placement keys differ/)
})

test('more objects than files may be open at once stay readable', async () => {
  const [client] = await clients()
  for (let i = 0; i < 600; i++) await client!.call('write', o, `n.${i}`, 0, 0, Buffer.from(String(i)))
  for (let i = 0; i < 600; i += 50) {
    expect((await client!.call('read', o, `n.${i}`, 0, 3)).toString().replaceAll('\0', '')).toBe(String(i))
  }
})

test('id and trace info travel in the header', () => {
  // While nobody records spans here, what came in goes on as it is.
  const info = Buffer.from(Array.from({ length: 24 }, (_, i) => i))
  const span = trace.unpack(info).start('copy')
  const bytes = packRequest('copy', 7, 2 ** 40 + 5, span, 'name', 8, 9, 10)
  expect(unpackRequest(bytes)).toMatchObject({
    op: 'copy',
    tag: 7,
    id: 2 ** 40 + 5,
    offset: 8,
    length: 9,
    dataLength: 10,
  })
  expect(bytes.subarray(32, 56)).toEqual(info)
  const handedOn = Buffer.alloc(24)
  unpackRequest(bytes).sender.start('copy').pack(handedOn)
  expect(handedOn).toEqual(info)
  expect(bytes.toString('latin1', 56)).toBe('name')
})

test('bad bytes end their connection and no other', async () => {
  const [client] = await clients()
  const bad = net.connect(stores[0]!.port, '127.0.0.1')
  bad.write(Buffer.alloc(56, 0xff))
  await new Promise((resolve) => bad.on('close', resolve).resume())
  await client!.call('write', o, 'a', 0, 0, Buffer.from('x'))
})

test('objects are spread, and names with one placement key stay together', async () => {
  const c = await cluster(2)
  const firsts = new Set<number>()
  for (let i = 0; i < 100; i++) {
    const name = `disk0.${i.toString(16).padStart(6, '0')}.aaaa`
    const placed = c.placement(name)
    expect(new Set(placed).size).toBe(2)
    firsts.add(placed[0]!)
    expect(c.placement(`${placementKey(name)}.bbbb`)).toEqual(placed)
  }
  expect(firsts.size).toBe(3)
})

test('with two replicas a lost store is told of once, and reads and writes go on', async () => {
  const c = await cluster(2)
  await c.writeRange(o, 'v.1.a', 0, Buffer.from('one'))
  const [first] = c.placement('v.1.a')
  await stores[first!]!.close()
  await c.writeRange(o, 'v.1.a', 0, Buffer.from('two'))
  await c.writeRange(o, 'v.1.a', 3, Buffer.from('!'))
  expect((await c.readRange(o, 'v.1.a', 0, 4)).toString()).toBe('two!')
  expect(out).toEqual([first])
  await c.flush(o)
})

test('a degraded write is not answered before the loss is on record', async () => {
  let record!: () => void
  const c = new Cluster(await clients(), 2, [], () => new Promise<void>((resolve) => (record = resolve)))
  const [first] = c.placement('v.1.a')
  await stores[first!]!.close()
  let answered = false
  const write = c.writeRange(o, 'v.1.a', 0, Buffer.from('x')).then(() => {
    answered = true
  })
  while (record === undefined) await new Promise(setImmediate)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(answered).toBe(false)
  record()
  await write
})

test('a store that was out is not read until it has been refilled', async () => {
  const before = await cluster(2)
  await before.writeRange(o, 'v.1.a', 0, Buffer.from('old'))
  const [first, second] = before.placement('v.1.a') as [number, number]
  const list = await clients()
  const direct = list[second]!
  await direct.call('write', o, 'v.1.a', 0, 0, Buffer.from('new'))
  const after = new Cluster(list, 2, [first], async () => undefined)
  expect((await after.get(o, 'v.1.a')).toString()).toBe('new')
  await after.refill(first, ['v.1.a'])
  expect((await list[first]!.call('get', o, 'v.1.a')).toString()).toBe('new')
})

test('with one replica a lost store is an error, never a hole', async () => {
  const c = await cluster(1)
  await c.writeRange(o, 'v.1.a', 0, Buffer.from('x'))
  await stores[c.placement('v.1.a')[0]!]!.close()
  await expect(c.readRange(o, 'v.1.a', 0, 1)).rejects.toMatchObject({ errno: 5 })
  await expect(c.writeRange(o, 'v.1.a', 0, Buffer.from('y'))).rejects.toMatchObject({ errno: 5 })
  await expect(c.flush(o)).rejects.toMatchObject({ errno: 5 })
  expect(out).toEqual([])
})
