// rados-store.ts: an ObjectStore in a pool of a RADOS cluster. What RADOS answers is durable already.
// Each call is a span of its own, whose context goes along to the object servers as the operation's note: from there
// osd-spans.ts tells what they did for it.
// More than the window stays here until there is room: librados would block the whole program instead.

import { constants } from 'node:os'
import type { Span } from 'blkin'
import { errnoOf, OBJECT_SIZE, type ObjectStore, type Origin, type StoreError } from './object-store.js'
import { RadosPool } from './rados-pool.js'
import type { StoreOp } from './store-protocol.js'
import { calls, obj } from './tracepoints.js'
import { Window } from './window.js'

/** Well below where librados blocks: 1024 operations, 100 MB. */
const MOST_CALLS = 256
const MOST_BYTES = 32 * 1024 * 1024
const CLOSE_MS = 5000
/** What tracepoints call it: a cluster is one store. */
const STORE = 0
const REMOTE = { service: 'rados' }

export class RadosStore implements ObjectStore {
  readonly #pool: RadosPool
  readonly #window = new Window(MOST_CALLS, MOST_BYTES)
  #lastTag = 0

  static async open(conf: string, pool: string): Promise<RadosStore> {
    return new RadosStore(await RadosPool.open(conf, pool))
  }

  private constructor(pool: RadosPool) {
    this.#pool = pool
  }

  get fsid(): string {
    return this.#pool.fsid
  }

  put(origin: Origin, name: string, data: Buffer): Promise<void> {
    return this.#call('put', origin, name, 0, data.length, async (note) => {
      await this.#pool.writeFull(name, note, data)
    })
  }

  async get(origin: Origin, name: string): Promise<Buffer> {
    const target = Buffer.allocUnsafe(OBJECT_SIZE)
    const read = (note: string) => this.#pool.read(name, note, 0, target)
    return target.subarray(0, await this.#call('get', origin, name, 0, OBJECT_SIZE, read))
  }

  writeRange(origin: Origin, name: string, offset: number, data: Buffer): Promise<void> {
    return this.#call('write', origin, name, offset, data.length, (note) =>
      this.#pool.write(name, note, offset, data),
    )
  }

  async readRange(origin: Origin, name: string, offset: number, length: number): Promise<Buffer> {
    const target = Buffer.allocUnsafe(length)
    const read = (note: string) => this.#pool.read(name, note, offset, target)
    target.fill(0, await this.#call('read', origin, name, offset, length, read))
    return target
  }

  /** Through this process: the C interface of librados has no copy from object to object. */
  async copy(origin: Origin, from: string, to: string): Promise<void> {
    await this.put(origin, to, await this.get(origin, from))
  }

  delete(origin: Origin, name: string): Promise<void> {
    return this.#call('delete', origin, name, 0, 0, (note) =>
      this.#pool.remove(name, note).catch((error: StoreError) => {
        if (error.errno !== constants.errno.ENOENT) throw error
      }),
    )
  }

  async flush(): Promise<void> {}

  /** Calls that RADOS does not answer within some seconds are rejected: there is nobody any more who could wait. */
  close(): Promise<void> {
    return this.#pool.close(CLOSE_MS)
  }

  async #call<T>(
    op: StoreOp,
    origin: Origin,
    object: string,
    offset: number,
    length: number,
    work: (note: string) => Promise<T>,
  ): Promise<T> {
    const { id, span: whole } = origin
    const span = whole.enabled ? calls[op]({ object }, { parent: whole, remote: REMOTE }) : undefined
    this.#lastTag = (this.#lastTag + 1) >>> 0
    const tag = this.#lastTag
    const room = this.#window.enter(length)
    if (room !== undefined) {
      span?.annotate('waits for room')
      await room
    }
    obj.client_send({ id, store: STORE, tag, op, object, offset, length })
    let errno = 0
    try {
      const result = work(span === undefined ? '' : noteOf(span))
      span?.sent()
      return await result
    } catch (error) {
      errno = errnoOf(error)
      span?.tag('error', (error as Error).message)
      throw error
    } finally {
      span?.end()
      obj.client_receive({ id, store: STORE, tag, op, errno, bytes: errno === 0 ? length : 0 })
      this.#window.leave(length)
    }
  }
}

/** What osd-spans.ts reads out of an object server's account of its operations. */
function noteOf(span: Span): string {
  return `blkin.${span.traceId}.${span.spanId}`
}
