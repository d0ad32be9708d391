// rados-store.test.ts: what the block store keeps in a real RADOS pool, and how it refuses what it cannot open.

import { writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { drive } from '../examples/blockstore/src/load.js'
import { NbdClient } from '../examples/blockstore/src/nbd-client.js'
import { HOUSEKEEPING, OBJECT_SIZE } from '../examples/blockstore/src/object-store.js'
import { RadosPool } from '../examples/blockstore/src/rados-pool.js'
import { RadosStore } from '../examples/blockstore/src/rados-store.js'
import { startCeph, whyNoCeph } from '../scripts/lib/ceph.mjs'
import { MAIN, run, type ServerProcess, startServer, temporaryDir } from './blockstore-harness.js'

const missing = whyNoCeph()
if (missing) console.warn(`SKIPPED: no objects are kept in a real RADOS cluster: ${missing}`)

describe.skipIf(missing)('in a RADOS pool', () => {
  let ceph: Awaited<ReturnType<typeof startCeph>>
  let dir: string
  let remove: () => void
  let server: ServerProcess | undefined

  beforeAll(async () => {
    ceph = await startCeph(1)
  }, 120_000)
  afterAll(() => ceph?.stop())
  beforeEach(() => {
    ;({ dir, remove } = temporaryDir())
  })
  afterEach(async () => {
    await server?.end('SIGKILL')
    server = undefined
    remove()
  })

  async function openStore() {
    const store = await RadosStore.open(ceph.conf, 'blk')
    onTestFinished(() => store.close())
    return store
  }

  test('an object is what was written to it, and zeros where nothing was', async () => {
    const store = await openStore()
    const data = Buffer.from('what was written')
    await store.writeRange(HOUSEKEEPING, 'a.1', 4096, data)
    expect(await store.readRange(HOUSEKEEPING, 'a.1', 4096, data.length)).toEqual(data)
    expect(await store.readRange(HOUSEKEEPING, 'a.1', 4094, 4)).toEqual(Buffer.from('\0\0wh'))
    expect(await store.readRange(HOUSEKEEPING, 'a.1', 8192, 3)).toEqual(Buffer.alloc(3))
    expect(await store.get(HOUSEKEEPING, 'a.1')).toHaveLength(4096 + data.length)
    await store.copy(HOUSEKEEPING, 'a.1', 'a.2')
    await store.put(HOUSEKEEPING, 'a.1', Buffer.from('short'))
    expect(await store.get(HOUSEKEEPING, 'a.1')).toEqual(Buffer.from('short'))
    expect(await store.readRange(HOUSEKEEPING, 'a.2', 4096, 4)).toEqual(Buffer.from('what'))
    const full = Buffer.alloc(OBJECT_SIZE, 7)
    await store.put(HOUSEKEEPING, 'a.3', full)
    expect((await store.get(HOUSEKEEPING, 'a.3')).equals(full)).toBe(true)
    await store.delete(HOUSEKEEPING, 'a.1')
    await store.delete(HOUSEKEEPING, 'a.1')
    await expect(store.get(HOUSEKEEPING, 'a.1')).rejects.toThrow('rados: read a.1: errno 2')
    await expect(store.readRange(HOUSEKEEPING, 'a.1', 0, 1)).rejects.toMatchObject({ errno: 2 })
  })

  test('more at once than the window holds is all done', async () => {
    const store = await openStore()
    const write = (i: number) => store.writeRange(HOUSEKEEPING, `w.${i % 7}`, i * 4096, Buffer.alloc(4096, i))
    await Promise.all(Array.from({ length: 1000 }, (_, i) => write(i)))
    const large = (i: number) => store.put(HOUSEKEEPING, `big.${i}`, Buffer.alloc(OBJECT_SIZE, i))
    await Promise.all(Array.from({ length: 20 }, (_, i) => large(i)))
    for (const i of [0, 500, 999])
      expect((await store.readRange(HOUSEKEEPING, `w.${i % 7}`, i * 4096, 4096))[4095]).toBe(i & 255)
    expect((await store.get(HOUSEKEEPING, 'big.19')).at(-1)).toBe(19)
  })

  test('volumes, snapshots and clones are there again after a SIGKILL; a verified load finds no mismatch', async () => {
    const admin = (...args: string[]) => run(process.execPath, [MAIN, ...args, '--dir', dir])
    server = await startServer(dir, '--rados', ceph.rados, '--volume', 'disk0=64M')
    const client = await NbdClient.connect(`${server.uri}/disk0`)
    await client.write(0, Buffer.alloc(4096, 1))
    await client.write(OBJECT_SIZE - 2048, Buffer.alloc(4096, 2), { fua: true })
    await admin('snapshot', 'disk0', 'before')
    await client.write(0, Buffer.alloc(4096, 3), { fua: true })
    await server.end('SIGKILL')

    server = await startServer(dir, '--rados', ceph.rados)
    await admin('clone', 'disk0@before', 'disk1')
    const first = async (name: string, offset: number) => {
      const again = await NbdClient.connect(`${server!.uri}/${name}`)
      const [byte] = await again.read(offset, 1)
      await again.close()
      return byte
    }
    expect([await first('disk0', 0), await first('disk1', 0), await first('disk1', OBJECT_SIZE)]).toEqual([
      3, 1, 2,
    ])
    const report = await drive({ uri: `${server.uri}/disk0`, ops: 2000, depth: 16 })
    expect(report).toMatchObject({ ops: 2000, mismatches: 0 })
    expect(report.verified).toBeGreaterThan(0)
    expect(await server.end()).toBe(0)
  })

  test.each([
    ['a pool that is not there', () => `${ceph.conf}/nope`, /pool "nope" of .* cannot be opened: errno 2/],
    ['a file that is not there', () => '/nowhere/ceph.conf/blk', /\/nowhere\/ceph\.conf: cannot be read/],
    ['no file', () => 'blk', /--rados blk: expected CEPH\.CONF\/POOL/],
  ])('%s is refused', async (_, rados, words) => {
    await expect(startServer(dir, '--rados', rados())).rejects.toThrow(words)
  })

  test('a directory stays where it began', async () => {
    server = await startServer(dir, '--rados', ceph.rados, '--volume', 'disk0=64M')
    await server.end()
    await expect(startServer(dir)).rejects.toThrow(
      /was laid out with RADOS [0-9a-f-]{36}\/blk; asked for --stores 2/,
    )
    const other = path.join(dir, 'other')
    server = await startServer(other, '--volume', 'disk0=64M')
    await server.end()
    await expect(startServer(other, '--rados', ceph.rados)).rejects.toThrow(/laid out with --stores 2 --repl/)
  })

  test('a cluster whose monitor is not there is refused in time', async () => {
    const conf = path.join(dir, 'ceph.conf')
    writeFileSync(conf, '[global]\nmon host = v2:127.0.0.1:1\nauth client required = none\n')
    await expect(RadosPool.open(conf, 'blk', 2)).rejects.toThrow(
      /the RADOS cluster of .* does not answer: errno/,
    )
  })

  test('while no OSD answers calls wait; closed, all of them fail, and the process lives', async () => {
    const store = await RadosStore.open(ceph.conf, 'blk')
    ceph.pauseOsd(0)
    try {
      const data = Buffer.alloc(4096)
      const calls = Array.from({ length: 2000 }, (_, i) =>
        store.writeRange(HOUSEKEEPING, `late.${i}`, 0, data),
      )
      const ends = Promise.allSettled(calls)
      await store.close()
      const errors = new Set((await ends).map((end) => (end.status === 'rejected' ? end.reason.errno : 0)))
      expect(errors).toEqual(new Set([constants.errno.ETIMEDOUT, constants.errno.ECANCELED]))
    } finally {
      ceph.resumeOsd(0)
    }
  })

  test('a server that ends while no OSD answers takes its clients along', async () => {
    server = await startServer(dir, '--rados', ceph.rados, '--volume', 'disk0=64M')
    const client = await NbdClient.connect(`${server.uri}/disk0`)
    await client.write(0, Buffer.alloc(4096, 1))
    ceph.pauseOsd(0)
    try {
      const writes = Promise.allSettled(
        Array.from({ length: 600 }, (_, i) => client.write(i * 4096, Buffer.alloc(4096, 1))),
      )
      await new Promise((resolve) => setTimeout(resolve, 200))
      expect([0, 1]).toContain(await server.end())
      expect((await writes).every(({ status }) => status === 'rejected')).toBe(true)
    } finally {
      ceph.resumeOsd(0)
    }
  })
})
