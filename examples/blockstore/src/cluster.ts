// cluster.ts: an ObjectStore over several store processes. Each object lives on `replicas` of them, found by a hash
// of its placementKey; a change goes to all of these, a read to the first that is alive.
//
// A store that fails a change which another replica took has missed it: it is out from then on, for good. Before the
// change is answered, `onOut` has made that fact durable, so that no later start reads the old data. refill() brings
// a store back in. With one replica nothing can be missed by one and held by another: errors are passed on.

import { constants } from 'node:os'
import { HOUSEKEEPING, type ObjectStore, type Origin, placementKey, StoreError } from './object-store.js'
import type { StoreClient } from './store-client.js'
import type { StoreOp } from './store-protocol.js'

const { EIO, EXDEV } = constants.errno

export class Cluster implements ObjectStore {
  readonly #stores: readonly StoreClient[]
  readonly #replicas: number
  readonly #onOut: (store: number) => Promise<void>
  readonly #out = new Map<number, Promise<void>>()
  /** By placementKey: hashing a string on every call would show. */
  readonly #placements = new Map<string, readonly number[]>()

  constructor(
    stores: readonly StoreClient[],
    replicas: number,
    out: Iterable<number>,
    onOut: (store: number) => Promise<void>,
  ) {
    if (!(replicas >= 1 && replicas <= stores.length)) {
      throw new RangeError(
        `replicas is ${replicas}: expected from 1 to ${stores.length}, the number of stores`,
      )
    }
    this.#stores = stores
    this.#replicas = replicas
    this.#onOut = onOut
    for (const store of out) this.#out.set(store, Promise.resolve())
  }

  async put(origin: Origin, name: string, data: Buffer): Promise<void> {
    await this.#change(name, (store) => store.call('put', origin, name, 0, 0, data))
  }

  get(origin: Origin, name: string): Promise<Buffer> {
    return this.#read('get', origin, name, 0, 0)
  }

  async writeRange(origin: Origin, name: string, offset: number, data: Buffer): Promise<void> {
    await this.#change(name, (store) => store.call('write', origin, name, offset, 0, data))
  }

  readRange(origin: Origin, name: string, offset: number, length: number): Promise<Buffer> {
    return this.#read('read', origin, name, offset, length)
  }

  async copy(origin: Origin, from: string, to: string): Promise<void> {
    if (placementKey(from) !== placementKey(to)) {
      throw new StoreError(EXDEV, `copy ${from} to ${to}: their placement keys differ`)
    }
    await this.#change(from, (store) => store.call('copy', origin, from, 0, 0, Buffer.from(to, 'latin1')))
  }

  async delete(origin: Origin, name: string): Promise<void> {
    await this.#change(name, (store) => store.call('delete', origin, name))
  }

  async flush(origin: Origin, name?: string): Promise<void> {
    if (name !== undefined) await this.#change(name, (store) => store.call('flush', origin, name))
    else await this.#onAll([...this.#stores.keys()], (store) => store.call('flush', origin, ''))
  }

  /** The stores that hold an object, the one that is read first at the front. */
  placement(name: string): readonly number[] {
    const key = placementKey(name)
    let placed = this.#placements.get(key)
    if (placed === undefined) {
      const first = fnv1a(key) % this.#stores.length
      placed = Array.from({ length: this.#replicas }, (_, i) => (first + i) % this.#stores.length)
      this.#placements.set(key, placed)
    }
    return placed
  }

  /** Copies to a store that is out whatever of `names` belongs there, then lets it in again. For use at the start. */
  async refill(store: number, names: Iterable<string>): Promise<void> {
    const target = this.#stores[store]!
    for (const name of names) {
      if (!this.placement(name).includes(store)) continue
      await target.call('put', HOUSEKEEPING, name, 0, 0, await this.get(HOUSEKEEPING, name))
    }
    this.#out.delete(store)
  }

  close(): void {
    for (const store of this.#stores) store.close()
  }

  #change(name: string, call: (store: StoreClient) => Promise<unknown>): Promise<unknown> {
    const placed = this.placement(name)
    return placed.length === 1 ? call(this.#stores[placed[0]!]!) : this.#onAll(placed, call)
  }

  async #onAll(placed: readonly number[], call: (store: StoreClient) => Promise<unknown>): Promise<void> {
    const used = placed.filter((store) => !this.#out.has(store))
    const results = await Promise.allSettled(used.map((store) => call(this.#stores[store]!)))
    const failed = used.filter((_, i) => results[i]!.status === 'rejected')
    if (failed.length > 0 && (this.#replicas === 1 || failed.length === used.length)) {
      throw (results.find((result) => result.status === 'rejected') as PromiseRejectedResult).reason
    }
    if (used.length === 0) throw new StoreError(EIO, 'every store of this object is out')
    for (const store of failed) if (!this.#out.has(store)) this.#out.set(store, this.#onOut(store))
    // Not only our own failures: a change that skipped a store must not be answered before "out" is durable either.
    if (this.#out.size > 0) await Promise.all(this.#out.values())
  }

  async #read(op: StoreOp, origin: Origin, name: string, offset: number, length: number): Promise<Buffer> {
    let last: unknown
    for (const store of this.placement(name)) {
      if (this.#out.has(store)) continue
      try {
        return await this.#stores[store]!.call(op, origin, name, offset, length)
      } catch (error) {
        last = error
      }
    }
    throw last ?? new StoreError(EIO, `${op} ${name}: every store of this object is out`)
  }
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
