// nbd-client.ts: a small NBD client: as many requests at once as the caller likes, replies in any order.
// For the load generator, the tests, and places where QEMU's tools are missing. TCP only, simple replies only.

import net from 'node:net'
import { Intake, Outbox, type Protocol, ProtocolError, readU64, writeU64 } from './bytes.js'
import * as nbd from './nbd-protocol.js'

/** The server answered with an error. `errno` is NBD's number. */
export class NbdError extends Error {
  override readonly name = 'NbdError'
  readonly errno: number

  constructor(errno: number, message: string) {
    super(message)
    this.errno = errno
  }
}

interface Pending {
  readonly length: number
  resolve(data: Buffer): void
  reject(error: Error): void
}

interface Export {
  readonly size: number
  readonly flags: number
}

export class NbdClient {
  readonly #socket: net.Socket
  readonly #outbox: Outbox
  readonly #pending = new Map<number, Pending>()
  readonly #export: Export
  #lastHandle = 0
  #ended: Error | undefined

  /** `uri` is nbd://HOST:PORT/EXPORT; without EXPORT, the server's default. */
  static async connect(uri: string): Promise<NbdClient> {
    const { socket, name } = await dial(uri)
    const handshake = new Handshake(socket)
    const found = await handshake.run(go(handshake, name))
    return new NbdClient(socket, found)
  }

  /** Names of all exports. */
  static async list(uri: string): Promise<string[]> {
    const { socket } = await dial(uri)
    const handshake = new Handshake(socket)
    const names = await handshake.run(list(handshake))
    socket.end()
    return names
  }

  private constructor(socket: net.Socket, found: Export) {
    this.#socket = socket
    this.#outbox = new Outbox(socket)
    this.#export = found
    const intake = new Intake(this.#replies())
    socket.removeAllListeners('data').removeAllListeners('close').removeAllListeners('error')
    socket.on('data', (chunk) => {
      try {
        intake.push(chunk)
      } catch (error) {
        this.#end(error as Error)
      }
    })
    socket.on('error', (error) => this.#end(error))
    socket.on('close', () => this.#end(new Error('nbd: connection closed')))
  }

  get size(): number {
    return this.#export.size
  }

  get flags(): number {
    return this.#export.flags
  }

  read(offset: number, length: number): Promise<Buffer> {
    return this.#request(nbd.CMD_READ, offset, length)
  }

  async write(offset: number, data: Buffer, { fua = false } = {}): Promise<void> {
    await this.#request(nbd.CMD_WRITE, offset, data.length, fua ? nbd.CMD_FLAG_FUA : 0, data)
  }

  async flush(): Promise<void> {
    await this.#request(nbd.CMD_FLUSH, 0, 0)
  }

  async trim(offset: number, length: number): Promise<void> {
    await this.#request(nbd.CMD_TRIM, offset, length)
  }

  async writeZeroes(offset: number, length: number, { noHole = false } = {}): Promise<void> {
    await this.#request(nbd.CMD_WRITE_ZEROES, offset, length, noHole ? nbd.CMD_FLAG_NO_HOLE : 0)
  }

  /** Says goodbye and waits for the server to hang up. Call it when nothing is under way. */
  async close(): Promise<void> {
    if (this.#ended !== undefined) return
    const closed = new Promise((resolve) => this.#socket.once('close', resolve))
    this.#outbox.send(packRequest(nbd.CMD_DISC, 0, 0, 0, 0))
    this.#socket.end()
    await closed
  }

  #request(command: number, offset: number, length: number, flags = 0, data?: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#ended)
        return
      }
      this.#lastHandle = (this.#lastHandle + 1) >>> 0
      const wanted = command === nbd.CMD_READ ? length : 0
      this.#pending.set(this.#lastHandle, { length: wanted, resolve, reject })
      this.#outbox.send(packRequest(command, flags, this.#lastHandle, offset, length), data)
    })
  }

  *#replies(): Protocol {
    for (;;) {
      const head = yield 16
      if (head.readUInt32BE(0) !== nbd.SIMPLE_REPLY_MAGIC) throw new ProtocolError('nbd: bad reply magic')
      const handle = head.readUInt32BE(12)
      const pending = this.#pending.get(handle)
      if (pending === undefined) throw new ProtocolError(`nbd: reply to unknown handle ${handle}`)
      this.#pending.delete(handle)
      const errno = head.readUInt32BE(4)
      if (errno !== 0) pending.reject(new NbdError(errno, `nbd: the server answered with error ${errno}`))
      else pending.resolve(yield pending.length)
    }
  }

  #end(error: Error): void {
    if (this.#ended !== undefined) return
    this.#ended = error
    this.#socket.destroy()
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }
}

function packRequest(command: number, flags: number, handle: number, offset: number, length: number): Buffer {
  const head = Buffer.alloc(28)
  head.writeUInt32BE(nbd.REQUEST_MAGIC, 0)
  head.writeUInt16BE(flags, 4)
  head.writeUInt16BE(command, 6)
  head.writeUInt32BE(handle, 12)
  writeU64(head, offset, 16)
  head.writeUInt32BE(length, 24)
  return head
}

// ---- handshake

async function dial(uri: string): Promise<{ socket: net.Socket; name: string }> {
  const { protocol, hostname, port, pathname } = new URL(uri)
  if (protocol !== 'nbd:') throw new TypeError(`${uri}: expected nbd://HOST:PORT/EXPORT`)
  const socket = net.connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 10809),
    noDelay: true,
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  socket.removeAllListeners('error')
  return { socket, name: decodeURIComponent(pathname.slice(1)) }
}

class Handshake {
  readonly #socket: net.Socket

  constructor(socket: net.Socket) {
    this.#socket = socket
  }

  sendFlags(): void {
    this.#socket.write(Buffer.from([0, 0, 0, nbd.HANDSHAKE_FIXED_NEWSTYLE | nbd.HANDSHAKE_NO_ZEROES]))
  }

  sendOption(option: number, data: Buffer): void {
    const head = Buffer.alloc(16)
    nbd.OPTION_MAGIC.copy(head)
    head.writeUInt32BE(option, 8)
    head.writeUInt32BE(data.length, 12)
    this.#socket.write(Buffer.concat([head, data]))
  }

  /** Runs a dialogue to its end and hands out what it returned. */
  run<T>(dialogue: Generator<number, T, Buffer>): Promise<T> {
    return new Promise((resolve, reject) => {
      const socket = this.#socket
      const give = function* (): Protocol {
        resolve(yield* dialogue)
      }
      const failed = (error: Error) => {
        socket.destroy()
        reject(error)
      }
      const intake = new Intake(give())
      socket.on('data', (chunk) => {
        try {
          intake.push(chunk)
        } catch (error) {
          failed(error as Error)
        }
      })
      socket.on('error', failed)
      socket.on('close', () => failed(new Error('nbd: closed during the handshake')))
    })
  }
}

function* hello(handshake: Handshake): Generator<number, void, Buffer> {
  const magic = yield 16
  if (!magic.equals(nbd.INIT_MAGIC)) throw new ProtocolError('nbd: not a newstyle server')
  if (((yield 2).readUInt16BE(0) & nbd.HANDSHAKE_NO_ZEROES) === 0)
    throw new ProtocolError('nbd: server too old')
  handshake.sendFlags()
}

function* optionReply(): Generator<number, { type: number; data: Buffer }, Buffer> {
  const head = yield 20
  if (head.compare(nbd.OPTION_REPLY_MAGIC, 0, 8, 0, 8) !== 0)
    throw new ProtocolError('nbd: bad option reply magic')
  const type = head.readUInt32BE(12)
  const data = yield head.readUInt32BE(16)
  if (type >= 0x8000_0000)
    throw new NbdError(type - 0x8000_0000, `nbd: option refused: ${data || `code ${type}`}`)
  return { type, data }
}

function* go(handshake: Handshake, name: string): Generator<number, Export, Buffer> {
  yield* hello(handshake)
  const bytes = Buffer.from(name)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  handshake.sendOption(nbd.OPT_GO, Buffer.concat([length, bytes, Buffer.alloc(2)]))
  let found: Export | undefined
  for (;;) {
    const { type, data } = yield* optionReply()
    if (type === nbd.REP_INFO && data.readUInt16BE(0) === nbd.INFO_EXPORT) {
      found = { size: readU64(data, 2), flags: data.readUInt16BE(10) }
    }
    if (type !== nbd.REP_ACK) continue
    if (found === undefined) throw new ProtocolError('nbd: the server told no size')
    return found
  }
}

function* list(handshake: Handshake): Generator<number, string[], Buffer> {
  yield* hello(handshake)
  handshake.sendOption(nbd.OPT_LIST, Buffer.alloc(0))
  const names: string[] = []
  for (;;) {
    const { type, data } = yield* optionReply()
    if (type === nbd.REP_ACK) break
    names.push(data.toString('utf8', 4, 4 + data.readUInt32BE(0)))
  }
  handshake.sendOption(nbd.OPT_ABORT, Buffer.alloc(0))
  return names
}
