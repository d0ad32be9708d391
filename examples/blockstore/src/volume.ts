// volume.ts: one volume: cuts requests at object borders and finds the object behind each piece.
//
// An index of the map is in one of three states:
//   hole     not in the map: reads as zeros; the first write makes an object
//   owned    an object that only this volume uses (refs 1): written in place
//   shared   an object that snapshots or clones use as well: never written; a write copies it up first
// Map changes are live at once and kept in `pending` until pool.ts has made them durable.
//
// Requests on one volume run at once. What is kept apart:
//   a copy-up  one at a time for an index; every write to that index waits for it, reads go on with the old object
//   a snapshot waits for the changes under way, and holds up those that come meanwhile (quiesce)
//   a deletion waits for the reads and writes that hold the object (pins)

import { randomBytes } from 'node:crypto'
import { ended, errnoOf, OBJECT_SIZE, type ObjectStore, type Origin, part } from './object-store.js'
import { blk, parts } from './tracepoints.js'

export class StoredObject {
  readonly name: string
  /** Maps that have it, the durable ones included: 0 means that it can be deleted. */
  refs = 1
  /** Reads and writes under way. */
  pins = 0
  /** False until the first write is done: then the store may not have it yet, and it reads as a hole. */
  born: boolean

  constructor(name: string, born: boolean) {
    this.name = name
    this.born = born
  }
}

/** A change of the map that is not durable yet. `frees` lose a reference once it is. */
export interface Change {
  to: StoredObject | null
  readonly frees: StoredObject[]
}

/** What a volume needs of the pool that it is in. */
export interface VolumeHost {
  readonly store: ObjectStore
  /** Makes durable all that was answered before, in every volume. */
  flush(origin: Origin): Promise<void>
  /** True while map changes are on their way to the disk. */
  readonly committing: boolean
  /** The last pin of an object that no map has is gone. */
  unused(object: StoredObject): void
}

const ZEROS = Buffer.alloc(OBJECT_SIZE)

export class Volume {
  readonly name: string
  readonly size: number
  readonly readonly: boolean
  readonly map: Map<number, StoredObject>
  readonly pending = new Map<number, Change>()

  readonly #host: VolumeHost
  readonly #copying = new Map<number, Promise<StoredObject>>()
  /** Changes under way, for quiesce. */
  #changing = 0
  #quiet: { readonly over: Promise<void>; readonly reached: () => void } | undefined

  constructor(
    host: VolumeHost,
    name: string,
    size: number,
    readonly: boolean,
    map: Map<number, StoredObject>,
  ) {
    this.#host = host
    this.name = name
    this.size = size
    this.readonly = readonly
    this.map = map
  }

  /** The pieces in order. They may be views into memory that others share: not to be written. */
  async read(origin: Origin, offset: number, length: number): Promise<Buffer[]> {
    const within = offset % OBJECT_SIZE
    if (within + length <= OBJECT_SIZE) {
      return [await this.#readPiece(origin, Math.floor(offset / OBJECT_SIZE), within, length)]
    }
    return Promise.all(
      pieces(offset, length).map((piece) => this.#readPiece(origin, piece.index, piece.within, piece.length)),
    )
  }

  async write(origin: Origin, offset: number, data: Buffer, durable: boolean): Promise<void> {
    await this.#begin(origin)
    try {
      const within = offset % OBJECT_SIZE
      if (within + data.length <= OBJECT_SIZE) {
        await this.#writePiece(origin, Math.floor(offset / OBJECT_SIZE), within, data, durable)
      } else {
        await allDone(
          pieces(offset, data.length).map((piece) => {
            const bytes = data.subarray(piece.start, piece.start + piece.length)
            return this.#writePiece(origin, piece.index, piece.within, bytes, durable)
          }),
        )
      }
    } finally {
      this.#end()
    }
  }

  /** Gives back the objects that lie wholly inside; the rest is left as it is. */
  async trim(origin: Origin, offset: number, length: number, durable: boolean): Promise<void> {
    await this.#begin(origin)
    try {
      const whole = pieces(offset, length).filter((piece) => this.#covers(piece))
      await allDone(whole.map((piece) => this.#drop(origin, piece.index)))
      if (durable) await this.#host.flush(origin)
    } finally {
      this.#end()
    }
  }

  /** With `allocate`, zeros are written out; without, whole objects become holes and holes stay holes. */
  async writeZeroes(
    origin: Origin,
    offset: number,
    length: number,
    durable: boolean,
    allocate: boolean,
  ): Promise<void> {
    await this.#begin(origin)
    try {
      await allDone(
        pieces(offset, length).map(async (piece) => {
          if (!allocate && this.#covers(piece)) return this.#drop(origin, piece.index)
          if (!allocate && !this.map.has(piece.index)) return
          return this.#writePiece(origin, piece.index, piece.within, ZEROS.subarray(0, piece.length), false)
        }),
      )
      if (durable) await this.#host.flush(origin)
    } finally {
      this.#end()
    }
  }

  flush(origin: Origin): Promise<void> {
    return this.#host.flush(origin)
  }

  /** Runs `work` while no change to this volume is under way. */
  async quiesce<T>(work: () => Promise<T>): Promise<T> {
    while (this.#quiet !== undefined) await this.#quiet.over
    let open!: () => void
    let reached!: () => void
    const idle = new Promise<void>((resolve) => {
      reached = resolve
    })
    const over = new Promise<void>((resolve) => {
      open = resolve
    })
    this.#quiet = { over, reached }
    try {
      if (this.#changing > 0) await idle
      return await work()
    } finally {
      this.#quiet = undefined
      open()
    }
  }

  async #begin(origin: Origin): Promise<void> {
    if (this.#quiet !== undefined) {
      const { id, span } = origin
      blk.wait({ id, volume: this.name, why: 'snapshot' })
      span.annotate('waits for a snapshot')
      while (this.#quiet !== undefined) await this.#quiet.over
      span.annotate('goes on')
      blk.proceed({ id, volume: this.name, why: 'snapshot' })
    }
    this.#changing++
  }

  #end(): void {
    if (--this.#changing === 0) this.#quiet?.reached()
  }

  #readPiece(origin: Origin, index: number, offset: number, length: number): Promise<Buffer> {
    const piece = part(origin, 'object')
    return ended(piece, this.#readObject(piece, index, offset, length))
  }

  async #readObject(origin: Origin, index: number, offset: number, length: number): Promise<Buffer> {
    const lookup = beginLookup(origin)
    const object = this.map.get(index)
    const hole = object === undefined || !object.born
    const name = hole ? '' : object.name
    blk.mapped({ id: origin.id, volume: this.name, index, object: name, offset, length })
    lookup?.end({ index, object: hole ? 'a hole' : name })
    if (hole) return ZEROS.subarray(0, length)
    object.pins++
    try {
      return await this.#host.store.readRange(origin, object.name, offset, length)
    } finally {
      this.#unpin(object)
    }
  }

  #writePiece(origin: Origin, index: number, offset: number, data: Buffer, durable: boolean): Promise<void> {
    const piece = part(origin, 'object')
    return ended(piece, this.#writeObject(piece, index, offset, data, durable))
  }

  async #writeObject(
    origin: Origin,
    index: number,
    offset: number,
    data: Buffer,
    durable: boolean,
  ): Promise<void> {
    const { id } = origin
    const lookup = beginLookup(origin)
    let object = this.map.get(index)
    // Nothing may come between an object that is written in place and its pin: no await but for a copy-up.
    if (object === undefined) object = this.#allocate(index)
    else if (object.refs > 1) {
      const copy = this.#copyUp(lookup === undefined ? origin : { id, span: lookup }, index, object)
      object = await copy.catch((error: unknown) => {
        lookup?.end()
        throw error
      })
    }
    blk.mapped({ id, volume: this.name, index, object: object.name, offset, length: data.length })
    lookup?.end({ index, object: object.name })
    object.pins++
    try {
      await this.#host.store.writeRange(origin, object.name, offset, data)
      object.born = true
      if (!durable) return
      // The object alone will do, unless it is so new that the durable map does not have it.
      if (this.pending.has(index) || this.#host.committing) await this.#host.flush(origin)
      else await this.#host.store.flush(origin, object.name)
    } finally {
      this.#unpin(object)
    }
  }

  #allocate(index: number): StoredObject {
    const object = new StoredObject(
      this.#newName(`${this.name}.${index.toString(16).padStart(6, '0')}`),
      false,
    )
    this.map.set(index, object)
    this.#change(index, object)
    return object
  }

  #copyUp(origin: Origin, index: number, from: StoredObject): Promise<StoredObject> {
    const { id, span } = origin
    const volume = this.name
    const running = this.#copying.get(index)
    if (running !== undefined) {
      blk.wait({ id, volume, why: 'copyup' })
      span.annotate('waits for a copy-up')
      return running.finally(() => {
        blk.proceed({ id, volume, why: 'copyup' })
        span.annotate('goes on')
      })
    }
    // The copy keeps the placement of its source: no data need cross between stores.
    const to = new StoredObject(this.#newName(from.name.slice(0, from.name.lastIndexOf('.'))), true)
    blk.copyup({ id, volume, index, from: from.name, to: to.name })
    const work = part(origin, 'copy-up')
    const copy = ended(work, this.#host.store.copy(work, from.name, to.name))
      .then(
        () => {
          blk.copied({ id, volume, index, to: to.name, error: 0 })
          this.map.set(index, to)
          this.#change(index, to, from)
          return to
        },
        (error: unknown) => {
          blk.copied({ id, volume, index, to: to.name, error: errnoOf(error) })
          throw error
        },
      )
      .finally(() => this.#copying.delete(index))
    this.#copying.set(index, copy)
    return copy
  }

  async #drop(origin: Origin, index: number): Promise<void> {
    await this.#copying.get(index)?.catch(() => undefined)
    const object = this.map.get(index)
    blk.mapped({
      id: origin.id,
      volume: this.name,
      index,
      object: object?.name ?? '',
      offset: 0,
      length: OBJECT_SIZE,
    })
    if (object === undefined) return
    this.map.delete(index)
    this.#change(index, null, object)
  }

  #change(index: number, to: StoredObject | null, freed?: StoredObject): void {
    const change = this.pending.get(index)
    const frees = change?.frees ?? []
    if (freed !== undefined) frees.push(freed)
    this.pending.set(index, { to, frees })
  }

  #unpin(object: StoredObject): void {
    if (--object.pins === 0 && object.refs === 0) this.#host.unused(object)
  }

  /** Never used before, also not by a start that crashed: what such a start left behind must not show through. */
  #newName(key: string): string {
    return `${key}.${randomBytes(8).toString('hex')}`
  }

  #covers(piece: Piece): boolean {
    const end = Math.min(OBJECT_SIZE, this.size - piece.index * OBJECT_SIZE)
    return piece.within === 0 && piece.length === end
  }
}

function beginLookup({ span }: Origin) {
  return span.enabled ? parts.map(undefined, { parent: span }) : undefined
}

interface Piece {
  readonly index: number
  readonly within: number
  readonly length: number
  /** Within the request. */
  readonly start: number
}

function pieces(offset: number, length: number): Piece[] {
  const list: Piece[] = []
  for (let start = 0; start < length; ) {
    const index = Math.floor((offset + start) / OBJECT_SIZE)
    const within = (offset + start) % OBJECT_SIZE
    const part = Math.min(OBJECT_SIZE - within, length - start)
    list.push({ index, within, length: part, start })
    start += part
  }
  return list
}

/** Unlike Promise.all, does not reject while some are still under way. */
async function allDone(work: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason
}
