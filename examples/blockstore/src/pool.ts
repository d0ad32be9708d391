// pool.ts: all volumes of one directory: makes their map changes durable, creates, snapshots and clones them.
//
// Order of a commit, so that a crash at any moment leaves a map whose every object is whole:
//   1. take the map changes of the moment   2. flush the stores   3. journal the changes   4. let go of old objects
// Until 4 an old object counts as used: the durable map still has it, so nobody may write to it in place.

import type { Catalog, CatalogRecord, MapChanges } from './catalog.js'
import {
  ended,
  errnoOf,
  HOUSEKEEPING,
  OBJECT_SIZE,
  type ObjectStore,
  type Origin,
  part,
} from './object-store.js'
import { blk } from './tracepoints.js'
import { type Change, StoredObject, Volume, type VolumeHost } from './volume.js'

const SECTOR = 512
const MAX_INDEX = 2 ** 32 - 1

/** A refusal in words for the person who asked. */
export class PoolError extends Error {
  override readonly name = 'PoolError'
}

export class Pool implements VolumeHost {
  readonly store: ObjectStore
  readonly #catalog: Catalog
  readonly #volumes = new Map<string, Volume>()
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined
  #adminTail: Promise<unknown> = Promise.resolve()

  constructor(catalog: Catalog, store: ObjectStore) {
    this.#catalog = catalog
    this.store = store
    const objects = new Map<string, StoredObject>()
    for (const { name, size, readonly, map } of catalog.volumes.values()) {
      const live = new Map<number, StoredObject>()
      for (const [index, object] of map) {
        const known = objects.get(object)
        if (known !== undefined) known.refs++
        const stored = known ?? new StoredObject(object, true)
        objects.set(object, stored)
        live.set(index, stored)
      }
      this.#volumes.set(name, new Volume(this, name, size, readonly, live))
    }
  }

  list(): Volume[] {
    return [...this.#volumes.values()]
  }

  /** The empty name stands for the volume created first. */
  find(name: string): Volume | undefined {
    return name === '' ? this.#volumes.values().next().value : this.#volumes.get(name)
  }

  create(name: string, size: number): Promise<void> {
    return this.#alone(async () => {
      await createVolume(this.#catalog, name, size)
      this.#volumes.set(name, new Volume(this, name, size, false, new Map()))
    })
  }

  /** The snapshot holds what was answered before the call; what is under way may be in it or not, but whole. */
  snapshot(volume: string, name: string): Promise<void> {
    return this.#alone(async () => {
      const record = snapshotRecord(this.#catalog, volume, name)
      const source = this.#volumes.get(volume)!
      await source.quiesce(async () => {
        await this.flush(HOUSEKEEPING)
        this.#forgetUnborn(source)
        await this.#catalog.append(record)
        this.#share(source, record.volume, true)
      })
    })
  }

  clone(snapshot: string, name: string): Promise<void> {
    return this.#alone(async () => {
      const record = cloneRecord(this.#catalog, snapshot, name)
      await this.#catalog.append(record)
      this.#share(this.#volumes.get(snapshot)!, name, false)
    })
  }

  get committing(): boolean {
    return this.#running !== undefined
  }

  /** Those who come while a commit runs share the one that follows it. */
  flush(origin: Origin): Promise<void> {
    if (this.#running === undefined) return this.#start(origin)
    origin.span.annotate('waits for the commit under way')
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined
        return this.#start(origin)
      })
    return this.#next.finally(() => origin.span.annotate('goes on'))
  }

  unused(object: StoredObject): void {
    this.store.delete(HOUSEKEEPING, object.name).catch((error: Error) => {
      process.stderr.write(`object ${object.name} stays behind, unused: ${error.message}\n`)
    })
  }

  #start(origin: Origin): Promise<void> {
    const commit = part(origin, 'commit')
    const run = ended(commit, this.#commit(commit)).finally(() => {
      this.#running = undefined
    })
    this.#running = run
    return run
  }

  async #commit(origin: Origin): Promise<void> {
    const taken: { volume: Volume; index: number; change: Change }[] = []
    const changes: Record<string, MapChanges> = {}
    for (const volume of this.#volumes.values()) {
      for (const [index, change] of volume.pending) {
        const born = change.to?.born !== false
        // Before its first write is done a new object does not count; that the old one is gone does.
        if (!born && change.frees.length === 0) continue
        if (born) volume.pending.delete(index)
        else volume.pending.set(index, { to: change.to, frees: [] })
        taken.push({ volume, index, change })
        changes[volume.name] ??= {}
        changes[volume.name]![index] = born && change.to !== null ? change.to.name : null
      }
    }
    const { id } = origin
    blk.commit({ id, changes: taken.length })
    try {
      await this.store.flush(origin)
      origin.span.annotate('stores flushed')
      if (taken.length > 0) await this.#catalog.append({ kind: 'map', changes })
    } catch (error) {
      for (const { volume, index, change } of taken) {
        const newer = volume.pending.get(index)
        volume.pending.set(index, {
          to: newer === undefined ? change.to : newer.to,
          frees: [...change.frees, ...(newer?.frees ?? [])],
        })
      }
      blk.committed({ id, changes: taken.length, error: errnoOf(error) })
      throw error
    }
    for (const { change } of taken) for (const object of change.frees) this.#release(object)
    blk.committed({ id, changes: taken.length, error: 0 })
  }

  #release(object: StoredObject): void {
    if (--object.refs === 0 && object.pins === 0) this.unused(object)
  }

  /** After a flush of a quiet volume only objects are pending whose every write failed: holes, as before. */
  #forgetUnborn(volume: Volume): void {
    for (const [index, change] of volume.pending) {
      volume.map.delete(index)
      if (change.to !== null) this.#release(change.to)
    }
    volume.pending.clear()
  }

  #share(source: Volume, name: string, readonly: boolean): void {
    for (const object of source.map.values()) object.refs++
    this.#volumes.set(name, new Volume(this, name, source.size, readonly, new Map(source.map)))
  }

  /** One at a time: two may not both find a name free. */
  #alone(work: () => Promise<void>): Promise<void> {
    const done = this.#adminTail.then(work)
    this.#adminTail = done.catch(() => undefined)
    return done
  }
}

// These need the catalog alone, so that the command line can do them while no server runs.

export async function createVolume(catalog: Catalog, name: string, size: number): Promise<void> {
  checkNew(catalog, name, 'volume')
  if (!(size > 0 && size % SECTOR === 0 && size / OBJECT_SIZE <= MAX_INDEX)) {
    throw new PoolError(`volume "${name}": size is ${size}; expected a positive multiple of ${SECTOR}`)
  }
  await catalog.append({ kind: 'create', volume: name, size })
}

type CopyRecord = Extract<CatalogRecord, { kind: 'copy' }>

export function snapshotRecord(catalog: Catalog, volume: string, name: string): CopyRecord {
  const source = existing(catalog, volume)
  if (source.readonly) throw new PoolError(`"${volume}" is a snapshot itself: clone it instead`)
  checkNew(catalog, name, 'snapshot', `${volume}@${name}`)
  return { kind: 'copy', volume: `${volume}@${name}`, of: volume, readonly: true }
}

export function cloneRecord(catalog: Catalog, snapshot: string, name: string): CopyRecord {
  const source = existing(catalog, snapshot)
  if (!source.readonly)
    throw new PoolError(`"${snapshot}" is not a snapshot: take one first, then clone that`)
  checkNew(catalog, name, 'volume')
  return { kind: 'copy', volume: name, of: snapshot, readonly: false }
}

function existing(catalog: Catalog, name: string) {
  const volume = catalog.volumes.get(name)
  if (volume !== undefined) return volume
  throw new PoolError(
    `"${name}": no such volume; there are: ${[...catalog.volumes.keys()].join(', ') || 'none'}`,
  )
}

function checkNew(catalog: Catalog, name: string, what: string, full = name): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(name)) {
    throw new PoolError(
      `${what} name "${name}": expected a letter or digit, then up to 63 of letters, digits, - and _`,
    )
  }
  if (catalog.volumes.has(full)) throw new PoolError(`"${full}" is there already`)
}
