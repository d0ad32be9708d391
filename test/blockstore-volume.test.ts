// blockstore-volume.test.ts: thin volumes, snapshots, clones, and what a power cut may and may not take.

import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Catalog } from '../examples/blockstore/src/catalog.js'
import { HOUSEKEEPING, OBJECT_SIZE, StoreError } from '../examples/blockstore/src/object-store.js'
import { Pool } from '../examples/blockstore/src/pool.js'
import type { Volume } from '../examples/blockstore/src/volume.js'
import { BLOCK, MemoryStore, temporaryDir } from './blockstore-harness.js'

let dir: string
let remove: () => void
let catalog: Catalog
let store: MemoryStore
let pool: Pool

async function openPool(): Promise<void> {
  catalog = await Catalog.open(dir)
  pool = new Pool(catalog, store)
}

beforeEach(async () => {
  ;({ dir, remove } = temporaryDir())
  store = new MemoryStore()
  await openPool()
})

afterEach(async () => {
  await catalog.close()
  remove()
})

async function losePower(): Promise<void> {
  await catalog.close()
  store.losePower()
  await openPool()
}

const filled = (value: number, blocks = 1) => Buffer.alloc(blocks * BLOCK, value)

async function volume(name = 'v', objects = 3): Promise<Volume> {
  await pool.create(name, objects * OBJECT_SIZE)
  return pool.find(name)!
}

async function readByte(from: Volume, offset: number): Promise<number> {
  return Buffer.concat(await from.read(HOUSEKEEPING, offset, BLOCK))[0]!
}

test('a new volume reads as zeros and has no objects', async () => {
  const v = await volume()
  const data = Buffer.concat(await v.read(HOUSEKEEPING, OBJECT_SIZE - BLOCK, 2 * BLOCK))
  expect(data.equals(filled(0, 2))).toBe(true)
  expect(store.objects.size).toBe(0)
})

test('a write across an object border lands in both objects and reads back in order', async () => {
  const v = await volume()
  const data = Buffer.concat([filled(1), filled(2)])
  await v.write(HOUSEKEEPING, OBJECT_SIZE - BLOCK, data, false)
  expect(Buffer.concat(await v.read(HOUSEKEEPING, OBJECT_SIZE - BLOCK, 2 * BLOCK)).equals(data)).toBe(true)
  expect(store.objects.size).toBe(2)
})

test('a snapshot keeps what was there; the volume goes on with a copy of the object', async () => {
  const v = await volume()
  await v.write(HOUSEKEEPING, 0, filled(1), false)
  await pool.snapshot('v', 's')
  await v.write(HOUSEKEEPING, BLOCK, filled(2), false)
  const s = pool.find('v@s')!
  expect([await readByte(s, 0), await readByte(s, BLOCK)]).toEqual([1, 0])
  expect([await readByte(v, 0), await readByte(v, BLOCK)]).toEqual([1, 2])
  expect(store.copies).toBe(1)
})

test('sixteen writes at once to a shared object copy it up once, and none is lost', async () => {
  store = new MemoryStore(() => Math.floor(Math.random() * 4))
  await catalog.close()
  await openPool()
  const v = await volume()
  await v.write(HOUSEKEEPING, 20 * BLOCK, filled(99), false)
  await pool.snapshot('v', 's')
  await Promise.all(
    Array.from({ length: 16 }, (_, i) => v.write(HOUSEKEEPING, i * BLOCK, filled(i + 1), false)),
  )
  expect(store.copies).toBe(1)
  for (let i = 0; i < 16; i++) expect(await readByte(v, i * BLOCK)).toBe(i + 1)
  expect(await readByte(v, 20 * BLOCK)).toBe(99)
  expect(await readByte(pool.find('v@s')!, 0)).toBe(0)
})

test('a trim of a whole object drops it, and the store loses it with the next flush', async () => {
  const v = await volume()
  await v.write(HOUSEKEEPING, 0, filled(1), false)
  await v.flush(HOUSEKEEPING)
  await v.trim(HOUSEKEEPING, 0, OBJECT_SIZE, false)
  expect(await readByte(v, 0)).toBe(0)
  expect(store.objects.size, 'the durable map still has it').toBe(1)
  await v.flush(HOUSEKEEPING)
  expect(store.objects.size).toBe(0)
})

test('a trim of part of an object leaves it alone; zeros over part of it are written', async () => {
  const v = await volume()
  await v.write(HOUSEKEEPING, 0, filled(1, 2), false)
  await v.trim(HOUSEKEEPING, 0, BLOCK, false)
  expect(await readByte(v, 0)).toBe(1)
  await v.writeZeroes(HOUSEKEEPING, 0, BLOCK, false, false)
  expect([await readByte(v, 0), await readByte(v, BLOCK)]).toEqual([0, 1])
})

test('an object is not written in place while the durable map of another volume still has it', async () => {
  // The clone has copied up, but not flushed. Were the volume to write in place now, a power cut would give the
  // clone its old map back, and with it the write of the volume.
  const v = await volume()
  await v.write(HOUSEKEEPING, 0, filled(1), false)
  await pool.snapshot('v', 's')
  await pool.clone('v@s', 'c')
  await pool.find('c')!.write(HOUSEKEEPING, 0, filled(2), false)
  await v.write(HOUSEKEEPING, 0, filled(3), false)
  await store.flush(HOUSEKEEPING)
  await losePower()
  expect(await readByte(pool.find('c')!, 0)).toBe(1)
  expect(await readByte(pool.find('v@s')!, 0)).toBe(1)
})

test('zeros stay zeros over a flush although a first write to the object is still under way', async () => {
  const v = await volume()
  await v.write(HOUSEKEEPING, 0, filled(7), true)
  await v.writeZeroes(HOUSEKEEPING, 0, OBJECT_SIZE, false, false)
  store.failWrites = new StoreError(28, 'full')
  await expect(v.write(HOUSEKEEPING, BLOCK, filled(1), false)).rejects.toThrow(/full/)
  await v.flush(HOUSEKEEPING)
  await losePower()
  expect(await readByte(pool.find('v')!, 0)).toBe(0)
})

test('a commit whose flush fails loses no map change: the next one brings it', async () => {
  const v = await volume()
  await v.write(HOUSEKEEPING, 0, filled(5), false)
  const { flush } = store
  store.flush = async () => {
    throw new StoreError(5, 'disk gone')
  }
  await expect(v.flush(HOUSEKEEPING)).rejects.toThrow(/disk gone/)
  store.flush = flush
  await v.flush(HOUSEKEEPING)
  await losePower()
  expect(await readByte(pool.find('v')!, 0)).toBe(5)
})

test('power lost while a commit waits for the stores leaves the old map, not one that names lost objects', async () => {
  const v = await volume()
  await v.write(HOUSEKEEPING, 0, filled(1), true)
  await pool.snapshot('v', 's')
  await v.write(HOUSEKEEPING, 0, filled(2), false)
  const { flush } = store
  store.flush = async () => {
    throw new StoreError(5, 'power lost')
  }
  await expect(v.flush(HOUSEKEEPING)).rejects.toThrow(/power lost/)
  store.flush = flush
  await losePower()
  expect(await readByte(pool.find('v')!, 0)).toBe(1)
})

/** Holds back every call of one of the store's methods until it is told to let go. */
function holdBack(method: 'readRange' | 'writeRange'): { letGo: () => void } {
  const original = store[method].bind(store) as (...args: unknown[]) => Promise<never>
  let letGo!: () => void
  const gate = new Promise<void>((resolve) => {
    letGo = resolve
  })
  store[method] = async (...args: unknown[]) => {
    await gate
    return original(...args)
  }
  return { letGo }
}

test('a snapshot waits for the writes under way and holds up those that come meanwhile', async () => {
  const v = await volume()
  await v.write(HOUSEKEEPING, 0, filled(1), false)
  const { letGo } = holdBack('writeRange')
  const before = v.write(HOUSEKEEPING, 0, filled(2), false)
  let taken = false
  const snapshot = pool.snapshot('v', 's').then(() => {
    taken = true
  })
  await new Promise((resolve) => setTimeout(resolve, 50))
  const after = v.write(HOUSEKEEPING, 0, filled(3), false)
  expect(taken).toBe(false)
  letGo()
  await Promise.all([before, snapshot, after])
  expect([await readByte(pool.find('v@s')!, 0), await readByte(v, 0)]).toEqual([2, 3])
})

test('an object is not deleted under a read that has begun', async () => {
  const v = await volume()
  await v.write(HOUSEKEEPING, 0, filled(1), true)
  const { letGo } = holdBack('readRange')
  const read = readByte(v, 0)
  await v.trim(HOUSEKEEPING, 0, OBJECT_SIZE, true)
  letGo()
  expect(await read).toBe(1)
  expect(store.objects.size, 'once it is read').toBe(0)
})

test('refusals name what is wrong', async () => {
  await volume()
  await pool.snapshot('v', 's')
  await expect(pool.create('v', OBJECT_SIZE)).rejects.toThrow('"v" is there already')
  await expect(pool.create('a/b', OBJECT_SIZE)).rejects.toThrow(
    /volume name "a\/b": expected a letter or digit/,
  )
  await expect(pool.create('w', 1000)).rejects.toThrow(/size is 1000; expected a positive multiple of 512/)
  await expect(pool.snapshot('x', 's')).rejects.toThrow('"x": no such volume; there are: v, v@s')
  await expect(pool.snapshot('v@s', 't')).rejects.toThrow(/is a snapshot itself/)
  await expect(pool.clone('v', 'w')).rejects.toThrow(/"v" is not a snapshot/)
})

// ---- against a model: each volume is an array of one value a block; after a power cut each block may have the
// value of the last flush or any written since.

/** Two blocks at each object border of three objects: where all the mistakes live. */
const SPOTS = [0, 1, 1022, 1023, 1024, 1025, 2047, 2048, 3071]
const PER_OBJECT = OBJECT_SIZE / BLOCK

const command = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      on: fc.nat(),
      at: fc.nat(8),
      fua: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('trim' as const),
      on: fc.nat(),
      at: fc.nat(2),
      fua: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('zero' as const),
      on: fc.nat(),
      at: fc.nat(8),
      fua: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('snapshot' as const), on: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clone' as const), on: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
)

class Model {
  /** Per block: what it may hold. The last is what it holds as long as the power stays on. */
  readonly blocks = new Map<number, number[]>(SPOTS.map((spot) => [spot, [0]]))
  constructor(readonly readonly: boolean) {}
  set(block: number, value: number): void {
    this.blocks.get(block)?.push(value)
  }
  now(block: number): number {
    return this.blocks.get(block)!.at(-1)!
  }
  settle(): void {
    for (const values of this.blocks.values()) values.splice(0, values.length - 1)
  }
}

test('any sequence of operations and power cuts reads as the model does', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(command, { maxLength: 6 }), { maxLength: 10 }),
      fc.nat(),
      async (batches, seed) => {
        let state = seed
        const random = (n: number) => {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0
          return state % n
        }
        await catalog.close()
        remove()
        ;({ dir, remove } = temporaryDir())
        store = new MemoryStore(() => random(3))
        await openPool()
        await pool.create('v', 3 * OBJECT_SIZE)
        const models = new Map([['v', new Model(false)]])
        let stamp = 0
        const pick = (n: number, readonly: boolean) => {
          const names = [...models].filter(([, model]) => model.readonly === readonly).map(([name]) => name)
          return names[n % names.length]
        }
        const check = async () => {
          for (const [name, model] of models) {
            for (const spot of SPOTS) {
              const got = Buffer.concat(
                await pool.find(name)!.read(HOUSEKEEPING, spot * BLOCK, BLOCK),
              ).readUInt32LE(0)
              expect(got, `${name} block ${spot}`).toBe(model.now(spot))
            }
          }
        }
        /** A batch runs at once, but nothing in it touches an object twice: such requests have no order. */
        for (const batch of batches) {
          const touched = new Set<string>()
          const work: Promise<void>[] = []
          const after: (() => void)[] = []
          const control = batch.find(
            (each) => 'do' in each && ['snapshot', 'clone', 'crash', 'flush'].includes(each.do),
          )
          for (const each of batch) {
            if (each.do !== 'write' && each.do !== 'trim' && each.do !== 'zero') continue
            const name = pick(each.on, false)!
            const block = each.do === 'trim' ? each.at * PER_OBJECT : SPOTS[each.at]!
            const index = Math.floor(block / PER_OBJECT)
            const key =
              each.do === 'trim' || each.do === 'zero'
                ? [0, 1, 2].map((i) => i === index && name + i)
                : [name + index]
            if (key.some((k) => k !== false && touched.has(k))) continue
            for (const k of key) if (k !== false) touched.add(k)
            const target = pool.find(name)!
            const model = models.get(name)!
            // Set when done: only what was answered must survive the flush that runs after the batch.
            if (each.do === 'write') {
              const value = ++stamp
              const data = Buffer.alloc(BLOCK)
              data.writeUInt32LE(value)
              work.push(target.write(HOUSEKEEPING, block * BLOCK, data, each.fua))
              after.push(() => {
                model.set(block, value)
                if (each.fua) model.blocks.set(block, [value])
              })
            } else if (each.do === 'zero') {
              work.push(target.writeZeroes(HOUSEKEEPING, block * BLOCK, BLOCK, each.fua, false))
              after.push(() => model.set(block, 0))
            } else {
              work.push(target.trim(HOUSEKEEPING, index * OBJECT_SIZE, OBJECT_SIZE, each.fua))
              after.push(() => {
                for (const spot of SPOTS) if (Math.floor(spot / PER_OBJECT) === index) model.set(spot, 0)
              })
            }
          }
          await Promise.all(work)
          for (const step of after) step()
          await check()
          if (control?.do === 'flush') {
            await pool.flush(HOUSEKEEPING)
            for (const model of models.values()) model.settle()
          } else if (control?.do === 'snapshot') {
            const name = pick(control.on, false)!
            await pool.snapshot(name, `s${++stamp}`)
            for (const model of models.values()) model.settle() // a snapshot flushes the pool
            const copy = new Model(true)
            for (const spot of SPOTS) copy.blocks.set(spot, [models.get(name)!.now(spot)])
            models.set(`${name}@s${stamp}`, copy)
          } else if (control?.do === 'clone') {
            const snapshot = pick(control.on, true)
            if (snapshot === undefined) continue
            await pool.clone(snapshot, `c${++stamp}`)
            const copy = new Model(false)
            for (const spot of SPOTS) copy.blocks.set(spot, [models.get(snapshot)!.now(spot)])
            models.set(`c${stamp}`, copy)
          } else if (control?.do === 'crash') {
            await losePower()
            for (const [name, model] of models) {
              for (const spot of SPOTS) {
                const got = Buffer.concat(
                  await pool.find(name)!.read(HOUSEKEEPING, spot * BLOCK, BLOCK),
                ).readUInt32LE(0)
                expect(model.blocks.get(spot), `${name} block ${spot} after a power cut`).toContain(got)
                model.blocks.set(spot, [got])
              }
            }
          }
        }
      },
    ),
    { numRuns: 150 },
  )
})
