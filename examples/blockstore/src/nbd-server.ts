// nbd-server.ts: volumes as NBD exports: fixed newstyle handshake, simple replies.
// Requests of a connection run at once and are answered in the order in which they finish. A connection with too
// much in flight, or whose client does not take its replies, is not read from until that has gone down.
// What a client sends wrong is answered with an error where NBD has one, else ends that connection only.

import net from 'node:net'
import { type Endpoint, type Span, trace } from 'blkin'
import { Intake, Outbox, type Protocol, ProtocolError, readU64, writeU64 } from './bytes.js'
import * as nbd from './nbd-protocol.js'
import { errnoOf, type Origin } from './object-store.js'
import { blk, requests } from './tracepoints.js'
import type { Volume } from './volume.js'

const MAX_IN_FLIGHT = 64 * 1024 * 1024
const MAX_REQUESTS = 1024
const MAX_UNSENT = 8 * 1024 * 1024
const MAX_OPTION = 64 * 1024
const PIECE = 64 * 1024
const END_GRACE_MS = 5000

export interface Exports {
  list(): Volume[]
  find(name: string): Volume | undefined
}

export interface NbdServer {
  readonly port: number
  /** Takes no more requests, answers those under way, ends the connections. */
  close(): Promise<void>
}

export async function startNbd(exports: Exports, host: string, port: number): Promise<NbdServer> {
  const connections = new Set<Connection>()
  let lastConnection = 0
  const server = net.createServer({ noDelay: true }, (socket) => {
    lastConnection = (lastConnection + 1) >>> 0
    const connection = new Connection(exports, socket, lastConnection)
    connections.add(connection)
    socket.on('close', () => connections.delete(connection))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    port: (server.address() as net.AddressInfo).port,
    async close() {
      server.close()
      await Promise.all([...connections].map((connection) => connection.end('server ends')))
    },
  }
}

type Op = 'read' | 'write' | 'flush' | 'trim' | 'write_zeroes'
type RequestSpan = ReturnType<(typeof requests)[Op]>

interface Request extends Origin {
  readonly span: RequestSpan
  readonly op: Op
  readonly offset: number
  readonly length: number
  readonly flags: number
  /** The client's own mark, sent back as it came. */
  readonly handle: Buffer
}

const OPS: Record<number, Op> = {
  [nbd.CMD_READ]: 'read',
  [nbd.CMD_WRITE]: 'write',
  [nbd.CMD_FLUSH]: 'flush',
  [nbd.CMD_TRIM]: 'trim',
  [nbd.CMD_WRITE_ZEROES]: 'write_zeroes',
}

/** What spans begin with, filled anew for each: it is read at once and not kept, so what is not recorded costs no object. */
const begun = { export: '', request: 0, offset: 0, length: 0 }

/** One for all connections, so that an id names one request of this server. */
let lastId = 0

class Connection {
  readonly #exports: Exports
  readonly #socket: net.Socket
  readonly #outbox: Outbox
  readonly #number: number
  readonly #options: { readonly remote: Endpoint }
  readonly #intake: Intake
  readonly #closed: Promise<void>
  #volume: Volume | undefined
  /** Under way, from the moment that all of the request is here until its reply is handed over. */
  #requests = 0
  /** Of reads and writes, from the moment that their header is here. */
  #bytes = 0
  /** Of the write whose data are coming in. */
  #incoming: Span = trace.current()
  /** Set once no more requests are taken: the connection ends with the last reply. */
  #ending = ''

  constructor(exports: Exports, socket: net.Socket, number: number) {
    this.#exports = exports
    this.#socket = socket
    this.#outbox = new Outbox(socket)
    this.#number = number
    this.#options = { remote: { address: socket.remoteAddress, port: socket.remotePort } }
    this.#closed = new Promise((resolve) => socket.on('close', () => resolve()))
    this.#intake = new Intake(this.#protocol())
    socket.on('data', (chunk) => {
      if (this.#ending === '') this.#feed(() => this.#intake.push(chunk))
    })
    socket.on('drain', () => this.#goOn())
    socket.on('error', (error) => {
      this.#ending ||= error.message
      socket.destroy()
    })
    socket.on('close', () => {
      this.#incoming.tag('error', 'connection closed')
      this.#incoming.end()
      const { name = '' } = this.#volume ?? {}
      blk.disconnect({
        connection: this.#number,
        export: name,
        reason: this.#ending || 'closed by the client',
      })
    })
  }

  end(reason: string): Promise<void> {
    this.#ending ||= reason
    this.#intake.hold()
    this.#socket.pause()
    if (this.#requests === 0) this.#hangUp()
    setTimeout(() => this.#socket.destroy(), END_GRACE_MS).unref()
    return this.#closed
  }

  #feed(step: () => boolean): void {
    try {
      if (step() && this.#ending === '') void this.end('disconnected')
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#ending = error.message
      this.#socket.destroy()
    }
  }

  /** The replies are out before the FIN, and a client that sends on is not met with a reset before it reads them. */
  #hangUp(): void {
    this.#socket.end()
    this.#socket.resume()
  }

  *#protocol(): Protocol {
    const volume = yield* this.#handshake()
    if (volume === undefined) return
    this.#volume = volume
    blk.connect({ connection: this.#number, export: volume.name })
    yield* this.#transmission(volume)
  }

  // ---- handshake: the client asks by options until it has chosen an export

  *#handshake(): Generator<number, Volume | undefined, Buffer> {
    const hello = Buffer.alloc(18)
    nbd.INIT_MAGIC.copy(hello)
    hello.writeUInt16BE(nbd.HANDSHAKE_FIXED_NEWSTYLE | nbd.HANDSHAKE_NO_ZEROES, 16)
    this.#outbox.send(hello)
    const clientFlags = (yield 4).readUInt32BE(0)
    if ((clientFlags & ~(nbd.HANDSHAKE_FIXED_NEWSTYLE | nbd.HANDSHAKE_NO_ZEROES)) !== 0) {
      throw new ProtocolError(`handshake: unknown client flags ${clientFlags}`)
    }
    const zeroes = (clientFlags & nbd.HANDSHAKE_NO_ZEROES) === 0
    for (;;) {
      const head = yield 16
      if (head.compare(nbd.OPTION_MAGIC, 0, 8, 0, 8) !== 0)
        throw new ProtocolError('handshake: bad option magic')
      const option = head.readUInt32BE(8)
      const length = head.readUInt32BE(12)
      if (length > MAX_OPTION) {
        if (option === nbd.OPT_EXPORT_NAME) throw new ProtocolError('handshake: export name too long')
        yield* skip(length)
        this.#replyOption(option, nbd.REP_ERR_TOO_BIG, 'option too long')
        continue
      }
      const data = yield length
      switch (option) {
        case nbd.OPT_EXPORT_NAME: {
          const volume = this.#exports.find(data.toString())
          // This oldest of options has no error reply.
          if (volume === undefined) throw new ProtocolError(`handshake: no export "${data}"`)
          this.#outbox.send(describe(volume), zeroes ? Buffer.alloc(124) : undefined)
          return volume
        }
        case nbd.OPT_ABORT:
          this.#replyOption(option, nbd.REP_ACK)
          return undefined
        case nbd.OPT_LIST:
          this.#list(data)
          break
        case nbd.OPT_INFO:
        case nbd.OPT_GO: {
          const volume = this.#info(option, data)
          if (option === nbd.OPT_GO && volume !== undefined) return volume
          break
        }
        default:
          this.#replyOption(option, nbd.REP_ERR_UNSUP, 'option not supported')
      }
    }
  }

  #list(data: Buffer): void {
    if (data.length > 0) {
      this.#replyOption(nbd.OPT_LIST, nbd.REP_ERR_INVALID, 'LIST takes no data')
      return
    }
    for (const { name } of this.#exports.list()) {
      const entry = Buffer.alloc(4 + name.length)
      entry.writeUInt32BE(name.length, 0)
      entry.write(name, 4, 'latin1')
      this.#replyOption(nbd.OPT_LIST, nbd.REP_SERVER, entry)
    }
    this.#replyOption(nbd.OPT_LIST, nbd.REP_ACK)
  }

  #info(option: number, data: Buffer): Volume | undefined {
    const nameLength = data.length >= 6 ? data.readUInt32BE(0) : Number.POSITIVE_INFINITY
    const count = nameLength <= data.length - 6 ? data.readUInt16BE(4 + nameLength) : -1
    if (nameLength > nbd.MAX_NAME || data.length !== 6 + nameLength + 2 * count) {
      this.#replyOption(option, nbd.REP_ERR_INVALID, 'malformed option')
      return undefined
    }
    const volume = this.#exports.find(data.toString('utf8', 4, 4 + nameLength))
    if (volume === undefined) {
      this.#replyOption(option, nbd.REP_ERR_UNKNOWN, 'no such export')
      return undefined
    }
    const wanted = Array.from({ length: count }, (_, i) => data.readUInt16BE(6 + nameLength + 2 * i))
    this.#replyOption(option, nbd.REP_INFO, Buffer.concat([u16(nbd.INFO_EXPORT), describe(volume)]))
    if (wanted.includes(nbd.INFO_NAME)) {
      this.#replyOption(option, nbd.REP_INFO, Buffer.concat([u16(nbd.INFO_NAME), Buffer.from(volume.name)]))
    }
    if (wanted.includes(nbd.INFO_BLOCK_SIZE)) {
      const sizes = Buffer.alloc(14)
      sizes.writeUInt16BE(nbd.INFO_BLOCK_SIZE, 0)
      sizes.writeUInt32BE(1, 2)
      sizes.writeUInt32BE(4096, 6)
      sizes.writeUInt32BE(nbd.MAX_LENGTH, 10)
      this.#replyOption(option, nbd.REP_INFO, sizes)
    }
    this.#replyOption(option, nbd.REP_ACK)
    return volume
  }

  #replyOption(option: number, type: number, data: Buffer | string = ''): void {
    const body = Buffer.from(data)
    const head = Buffer.alloc(20)
    nbd.OPTION_REPLY_MAGIC.copy(head)
    head.writeUInt32BE(option, 8)
    head.writeUInt32BE(type, 12)
    head.writeUInt32BE(body.length, 16)
    this.#outbox.send(head, body)
  }

  // ---- transmission: requests in, replies out

  *#transmission(volume: Volume): Protocol {
    for (;;) {
      const head = yield 28
      if (head.readUInt32BE(0) !== nbd.REQUEST_MAGIC) throw new ProtocolError('request: bad magic')
      const command = head.readUInt16BE(6)
      if (command === nbd.CMD_DISC) return
      const length = head.readUInt32BE(24)
      const op = OPS[command]
      if (op === undefined) {
        this.#sendReply(head.subarray(8, 16), nbd.EINVAL)
        continue
      }
      const id = ++lastId
      const offset = readU64(head, 16)
      const request: Request = {
        id,
        span: this.#begin(op, id, volume.name, offset, length),
        op,
        offset,
        length,
        flags: head.readUInt16BE(4),
        handle: head.subarray(8, 16),
      }
      blk.request({ id, connection: this.#number, export: volume.name, op, offset, length })
      const error = refusal(volume, request)
      if (error !== 0) {
        if (op === 'write') yield* skip(length)
        this.#requests++
        this.#finish(volume, request, error)
        continue
      }
      this.#bytes += cost(request)
      if (this.#tooMuch()) this.#pause()
      if (op === 'write') this.#perform(volume, request, yield* this.#receive(request))
      else this.#perform(volume, request, undefined)
    }
  }

  #begin(op: Op, id: number, volume: string, offset: number, length: number): RequestSpan {
    begun.export = volume
    begun.request = id
    begun.offset = offset
    begun.length = length
    return requests[op](begun, this.#options)
  }

  *#receive({ span, length }: Request): Generator<number, Buffer, Buffer> {
    this.#incoming = span
    const data = yield length
    this.#incoming = trace.current()
    span.received()
    return data
  }

  #perform(volume: Volume, request: Request, data: Buffer | undefined): void {
    this.#requests++
    const { op, offset, length } = request
    const durable = (request.flags & nbd.CMD_FLAG_FUA) !== 0
    let work: Promise<unknown>
    if (op === 'read') work = volume.read(request, offset, length)
    else if (op === 'write') work = volume.write(request, offset, data!, durable)
    else if (op === 'flush') work = volume.flush(request)
    else if (op === 'trim') work = volume.trim(request, offset, length, durable)
    else {
      const allocate = (request.flags & nbd.CMD_FLAG_NO_HOLE) !== 0
      work = volume.writeZeroes(request, offset, length, durable, allocate)
    }
    work.then(
      (result) => {
        this.#bytes -= cost(request)
        this.#finish(volume, request, 0, op === 'read' ? (result as Buffer[]) : [])
      },
      (error: unknown) => {
        this.#bytes -= cost(request)
        this.#finish(volume, request, toNbd(errnoOf(error)))
      },
    )
  }

  #finish(volume: Volume, request: Request, error: number, pieces: readonly Buffer[] = []): void {
    const { id, op, offset, length } = request
    this.#requests--
    const { span } = request
    if (error !== 0) span.tag('error', `NBD error ${error}`)
    span.done()
    this.#sendReply(request.handle, error, pieces, span.enabled ? ender(span) : undefined)
    blk.reply({ id, connection: this.#number, export: volume.name, op, offset, length, error })
    if (this.#ending !== '') {
      if (this.#requests === 0) this.#hangUp()
    } else if (this.#intake.held) {
      this.#goOn()
    }
  }

  #sendReply(handle: Buffer, error: number, pieces: readonly Buffer[] = [], sent?: () => void): void {
    const head = Buffer.allocUnsafe(16)
    head.writeUInt32BE(nbd.SIMPLE_REPLY_MAGIC, 0)
    head.writeUInt32BE(error, 4)
    handle.copy(head, 8)
    const last = pieces.length - 1
    this.#outbox.send(head, pieces[0], last < 1 ? sent : undefined)
    for (let i = 1; i <= last; i++) this.#outbox.send(pieces[i]!, undefined, i === last ? sent : undefined)
  }

  #tooMuch(): boolean {
    return (
      this.#bytes >= MAX_IN_FLIGHT ||
      this.#requests >= MAX_REQUESTS ||
      this.#socket.writableLength >= MAX_UNSENT
    )
  }

  #pause(): void {
    if (this.#intake.held) return
    this.#intake.hold()
    this.#socket.pause()
    blk.pause({ connection: this.#number, requests: this.#requests, bytes: this.#bytes })
  }

  #goOn(): void {
    if (!this.#intake.held || this.#ending !== '' || this.#tooMuch()) return
    blk.resume({ connection: this.#number, requests: this.#requests, bytes: this.#bytes })
    this.#socket.resume()
    this.#feed(() => this.#intake.release())
  }
}

/** A function of its own, so that a request that is not recorded makes no closure. */
function ender(span: RequestSpan): () => void {
  return () => span.end()
}

/** Bytes that a request keeps in memory. */
function cost(request: Request): number {
  return request.op === 'read' || request.op === 'write' ? request.length : 0
}

/** The error that a request deserves before anything is done, 0 for none. */
function refusal(volume: Volume, request: Request): number {
  const { op, offset, length, flags } = request
  const known = op === 'write_zeroes' ? nbd.CMD_FLAG_FUA | nbd.CMD_FLAG_NO_HOLE : nbd.CMD_FLAG_FUA
  if ((flags & ~known) !== 0) return nbd.EINVAL
  if (op === 'flush') return 0
  const changes = op !== 'read'
  if (changes && volume.readonly) return nbd.EPERM
  if ((op === 'read' || op === 'write') && length > nbd.MAX_LENGTH) return nbd.EINVAL
  if (offset + length <= volume.size) return 0
  return op === 'write' || op === 'write_zeroes' ? nbd.ENOSPC : nbd.EINVAL
}

/** NBD knows few numbers; all others are EIO. */
function toNbd(errno: number): number {
  const known = [nbd.EPERM, nbd.ENOMEM, nbd.EINVAL, nbd.ENOSPC]
  return known.includes(errno) ? errno : nbd.EIO
}

function describe(volume: Volume): Buffer {
  const bytes = Buffer.alloc(10)
  writeU64(bytes, volume.size, 0)
  let flags =
    nbd.FLAG_HAS_FLAGS |
    nbd.FLAG_SEND_FLUSH |
    nbd.FLAG_SEND_FUA |
    nbd.FLAG_SEND_TRIM |
    nbd.FLAG_SEND_WRITE_ZEROES |
    nbd.FLAG_CAN_MULTI_CONN
  if (volume.readonly) flags |= nbd.FLAG_READ_ONLY
  bytes.writeUInt16BE(flags, 8)
  return bytes
}

function* skip(length: number): Generator<number, void, Buffer> {
  for (let left = length; left > 0; left -= PIECE) yield Math.min(left, PIECE)
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff])
}
