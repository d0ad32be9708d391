// blockstore-trace.test.ts: what the tracepoints tell: every request has its reply, every send its receive, by id.
// The provider is replaced by one that keeps all events.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

const events = vi.hoisted(() => [] as { name: string; args: Record<string, unknown> }[])
vi.mock('blkin', async (original) => ({
  ...(await original<typeof import('blkin')>()),
  provider: (provider: string, declared: object) =>
    Object.fromEntries(
      Object.keys(declared).map((event) => [
        event,
        (args: Record<string, unknown>) => events.push({ name: `${provider}:${event}`, args }),
      ]),
    ),
}))

import { Catalog } from '../examples/blockstore/src/catalog.js'
import { Cluster } from '../examples/blockstore/src/cluster.js'
import { drive } from '../examples/blockstore/src/load.js'
import { NbdClient } from '../examples/blockstore/src/nbd-client.js'
import { startNbd } from '../examples/blockstore/src/nbd-server.js'
import { HOUSEKEEPING, OBJECT_SIZE } from '../examples/blockstore/src/object-store.js'
import { Pool } from '../examples/blockstore/src/pool.js'
import { StoreClient } from '../examples/blockstore/src/store-client.js'
import { startStore } from '../examples/blockstore/src/store-server.js'
import { temporaryDir } from './blockstore-harness.js'

let uri: string
let pool: Pool
const undo: (() => unknown)[] = []

beforeEach(async () => {
  const { dir, remove } = temporaryDir()
  undo.push(remove)
  const clients: StoreClient[] = []
  for (let i = 0; i < 2; i++) {
    const store = await startStore(`${dir}/${i}`)
    undo.push(() => store.close())
    clients.push(await StoreClient.connect(i, '127.0.0.1', store.port))
  }
  const catalog = await Catalog.open(dir)
  undo.push(() => catalog.close())
  const cluster = new Cluster(clients, 1, [], async () => undefined)
  undo.push(() => cluster.close())
  pool = new Pool(catalog, cluster)
  await pool.create('disk0', 8 * OBJECT_SIZE)
  const server = await startNbd(pool, '127.0.0.1', 0)
  undo.push(() => server.close())
  uri = `nbd://127.0.0.1:${server.port}/disk0`
  events.length = 0
})

afterEach(async () => {
  for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step()
})

const of = (name: string) => events.filter((event) => event.name === name).map((event) => event.args)

test('one write can be followed from the request through map and store back to the reply', async () => {
  const client = await NbdClient.connect(uri)
  await client.write(OBJECT_SIZE + 512, Buffer.alloc(1024))
  await client.close()
  expect(events.map((event) => event.name).filter((name) => !/connect/.test(name))).toEqual([
    'blockstore:request',
    'blockstore:mapped',
    'objstore:client_send',
    'objstore:server_receive',
    'objstore:server_done',
    'objstore:client_receive',
    'blockstore:reply',
  ])
  const [request] = of('blockstore:request')
  expect(request).toMatchObject({ export: 'disk0', op: 'write', offset: OBJECT_SIZE + 512, length: 1024 })
  const [mapped] = of('blockstore:mapped')
  expect(mapped).toMatchObject({ volume: 'disk0', index: 1, offset: 512, length: 1024 })
  expect(of('objstore:server_receive')[0]).toMatchObject({
    op: 'write',
    object: mapped!.object,
    length: 1024,
  })
  expect(of('objstore:server_done')[0]).toMatchObject({ errno: 0, bytes: 1024 })
  const ids = events.filter((event) => 'id' in event.args).map((event) => event.args.id)
  expect(new Set(ids)).toEqual(new Set([request!.id]))
})

test('under load every begin has exactly one end', async () => {
  const load = drive({ uri, ops: 3000, depth: 16, blockSize: 16384 })
  while (of('blockstore:reply').length < 500) await new Promise(setImmediate)
  await pool.snapshot('disk0', 's1')
  await pool.snapshot('disk0', 's2')
  expect(await load).toMatchObject({ mismatches: 0 })
  while (of('blockstore:disconnect').length === 0) await new Promise(setImmediate)
  const pairs: [string, string, ...string[]][] = [
    ['blockstore:request', 'blockstore:reply', 'id'],
    ['blockstore:copyup', 'blockstore:copied', 'id', 'to'],
    ['blockstore:commit', 'blockstore:committed', 'id'],
    ['blockstore:wait', 'blockstore:proceed', 'id', 'why'],
    ['objstore:client_send', 'objstore:client_receive', 'id', 'store', 'tag'],
    ['objstore:server_receive', 'objstore:server_done', 'id', 'tag', 'op'],
    ['blockstore:connect', 'blockstore:disconnect', 'connection'],
  ]
  for (const [begin, end, ...keys] of pairs) {
    const marks = (name: string) =>
      of(name)
        .map((args) => keys.map((key) => args[key]).join())
        .sort()
    expect(marks(begin).length, begin).toBeGreaterThan(0)
    expect(marks(end), `${begin} and ${end}`).toEqual(marks(begin))
  }
  expect(of('blockstore:request').length).toBeGreaterThanOrEqual(3001)
})

test('an error is told in the reply and by the store that met it', async () => {
  const client = await NbdClient.connect(uri)
  await client.write(0, Buffer.alloc(512))
  await expect(client.read(8 * OBJECT_SIZE, 512)).rejects.toMatchObject({ errno: 22 })
  expect(of('blockstore:reply').at(-1)).toMatchObject({ op: 'read', error: 22 })
  const { object } = of('blockstore:mapped')[0] as { object: string }
  await pool.store.delete(HOUSEKEEPING, object)
  await expect(client.read(0, 512)).rejects.toMatchObject({ errno: 5 })
  expect(of('objstore:server_done').at(-1)).toMatchObject({ op: 'read', errno: 2, bytes: 0 })
  expect(of('blockstore:reply').at(-1)).toMatchObject({ op: 'read', error: 5 })
  await client.close()
})
