// rados-pool.ts: a pool of a RADOS cluster that is open, and operations on one object each, whose ends come as promises.
// rados-store.ts calls it. An operation blocks the event loop for as long as it takes to copy what is written: so nobody
// may have more under way than librados' own throttles take (1024 operations, 100 MB), where it would wait.
//
// librados works in threads of its own and tells an end by calling back; koffi carries that call over to this thread. The
// buffers and operations that librados still uses are held in #pending until then, and so is the process: a call back
// that came when its environment is gone would crash it. After close() nothing reaches librados any more.

import { constants } from 'node:os'
import {
  CMPXATTR_OP_EQ,
  type Librados,
  librados,
  OP_FLAG_FAILOK,
  type Out,
  type Pointer,
} from './librados.js'
import { StoreError } from './object-store.js'

/** An operation that librados has and has not answered. */
interface Pending {
  readonly what: string
  /** What librados reads into. What is written it has copied. */
  readonly target: Buffer | undefined
  /** Of a read, librados' account of it: u64 bytes at 0, i32 errno at 8. */
  readonly account: Buffer | undefined
  releaseOp(): void
  resolve(bytes: number): void
  reject(error: StoreError): void
}

export class RadosPool {
  /** Names the cluster, whatever becomes of its monitors. */
  readonly fsid: string
  readonly #rados: Librados
  readonly #cluster: Pointer
  readonly #io: Pointer
  readonly #pending = new Map<number, Pending>()
  readonly #callback: bigint
  #lastTag = 0
  #idle: (() => void) | undefined
  #closed = false
  /** Keeps the process while anything is pending. */
  #holds: NodeJS.Timeout | undefined

  /** `conf` is a ceph.conf. Rejects when no monitor answers within `seconds`, or there is no such pool. */
  static async open(conf: string, pool: string, seconds = 10): Promise<RadosPool> {
    const rados = librados()
    const cluster = made((out) => rados.create(out, null), 'librados')
    try {
      check(rados.readConf(cluster, conf), `${conf}: cannot be read as a ceph.conf`)
      for (const option of ['client_mount_timeout', 'rados_mon_op_timeout'])
        check(rados.setConf(cluster, option, String(seconds)), option)
      check(await rados.connect(cluster), `the RADOS cluster of ${conf} does not answer`)
      const io: Out = [null]
      check(await rados.openPool(cluster, pool, io), `pool "${pool}" of ${conf} cannot be opened`)
      return new RadosPool(rados, cluster, io[0]!)
    } catch (error) {
      await rados.shutdown(cluster)
      throw error
    }
  }

  private constructor(rados: Librados, cluster: Pointer, io: Pointer) {
    this.#rados = rados
    this.#cluster = cluster
    this.#io = io
    const fsid = Buffer.alloc(64)
    const length = check(rados.fsid(cluster, fsid, fsid.length), 'the id of the cluster')
    this.fsid = fsid.toString('latin1', 0, length)
    this.#callback = rados.onDone((completion, tag) => this.#done(completion, tag))
  }

  /**
   * Creates the object where it is absent. `note`: see #noted. A change is durable on the replicas that are up, of which there
   * are `min_size` at least, once it resolves.
   */
  async write(name: string, note: string, offset: number, data: Buffer): Promise<void> {
    const add = (op: Pointer) => this.#rados.addWrite(op, data, data.length, offset)
    await this.#change(`write ${name}`, name, note, add)
  }

  /** Replaces the whole object at once. */
  async writeFull(name: string, note: string, data: Buffer): Promise<void> {
    const add = (op: Pointer) => this.#rados.addWriteFull(op, data, data.length)
    await this.#change(`put ${name}`, name, note, add)
  }

  /** ENOENT for an absent object. */
  async remove(name: string, note: string): Promise<void> {
    await this.#change(`delete ${name}`, name, note, (op) => this.#rados.addRemove(op))
  }

  /** Fills `target` from its start; resolves to the bytes that the object has there. ENOENT for an absent object. */
  read(name: string, note: string, offset: number, target: Buffer): Promise<number> {
    if (this.#closed) return Promise.reject(gone(`read ${name}`))
    const rados = this.#rados
    const op: Pointer = rados.readOp()
    const account = Buffer.allocUnsafeSlow(12)
    if (note !== '') {
      rados.readCompare(op, note, CMPXATTR_OP_EQ, '', 0)
      rados.readFlags(op, OP_FLAG_FAILOK)
    }
    rados.addRead(op, offset, target.length, target, account, account.subarray(8))
    const releaseOp = () => rados.releaseReadOp(op)
    return this.#start({ what: `read ${name}`, target, account, releaseOp }, (completion) =>
      rados.startRead(op, this.#io, completion, name, 0),
    )
  }

  /** Waits `ms` for what is under way, and gives up what is not done then. What is asked for from now on is refused. */
  async close(ms: number): Promise<void> {
    this.#closed = true
    if (this.#pending.size > 0) {
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.#idle = resolve
        timer = setTimeout(resolve, ms)
      })
      clearTimeout(timer)
    }
    this.#rados.closePool(this.#io)
    await this.#rados.shutdown(this.#cluster)
    for (const tag of [...this.#pending.keys()]) this.#settle(tag, -constants.errno.ETIMEDOUT)
    this.#rados.forget(this.#callback)
  }

  /**
   * An operation that begins with the removal of an attribute of that name, which no object has. It changes nothing, and the
   * object servers show it where they tell of their operations: so a note travels in RADOS' own messages, to servers that
   * know nothing of it. A read begins with a comparison of it instead; that in a write would lock the object for readers too.
   */
  #noted(note: string): Pointer {
    const op: Pointer = this.#rados.writeOp()
    if (note !== '') {
      this.#rados.addRemoveAttribute(op, note)
      this.#rados.writeFlags(op, OP_FLAG_FAILOK) // an absent object has no attribute to remove
    }
    return op
  }

  #change(what: string, name: string, note: string, add: (op: Pointer) => void): Promise<number> {
    if (this.#closed) return Promise.reject(gone(what))
    const op = this.#noted(note)
    add(op)
    const releaseOp = () => this.#rados.releaseWriteOp(op)
    return this.#start({ what, target: undefined, account: undefined, releaseOp }, (completion) =>
      this.#rados.startWrite(op, this.#io, completion, name, null, 0),
    )
  }

  #start(
    operation: Omit<Pending, 'resolve' | 'reject'>,
    submit: (completion: Pointer) => number,
  ): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#lastTag = (this.#lastTag + 1) >>> 0
      const tag = this.#lastTag
      const completion = made((out) => this.#rados.completion(tag, this.#callback, out), 'a completion')
      this.#pending.set(tag, { ...operation, resolve, reject })
      this.#holds ??= setInterval(() => {}, 60_000)
      const refused = submit(completion)
      if (refused >= 0) return
      this.#rados.release(completion)
      this.#settle(tag, refused)
    })
  }

  #done(completion: Pointer, tag: number): void {
    const result: number = this.#rados.result(completion)
    this.#rados.release(completion)
    this.#settle(tag, result)
  }

  #settle(tag: number, result: number): void {
    const operation = this.#pending.get(tag)
    if (operation === undefined) return
    this.#pending.delete(tag)
    const { what, account, resolve, reject } = operation
    operation.releaseOp()
    const failed = result < 0 ? result : (account?.readInt32LE(8) ?? 0)
    if (failed < 0) reject(new StoreError(-failed, `rados: ${what}: errno ${-failed}`))
    else resolve(Number(account?.readBigUInt64LE(0) ?? 0))
    if (this.#pending.size > 0) return
    clearInterval(this.#holds)
    this.#holds = undefined
    this.#idle?.()
  }
}

const gone = (what: string) => new StoreError(constants.errno.ECANCELED, `rados: ${what}: the pool is closed`)

function check(result: number, what: string): number {
  if (result < 0) throw new StoreError(-result, `${what}: errno ${-result}`)
  return result
}

function made(call: (out: Out) => number, what: string): Pointer {
  const out: Out = [null]
  check(call(out), what)
  return out[0]!
}
