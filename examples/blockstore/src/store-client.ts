// store-client.ts: one connection from the block server to one store process, with many calls under way at once.
// When the connection ends, every call under way and every later one is rejected with EIO; it is not made anew.

import net from 'node:net'
import { constants } from 'node:os'
import type { Endpoint } from 'blkin'
import { Intake, Outbox, type Protocol } from './bytes.js'
import { type Origin, StoreError } from './object-store.js'
import { packRequest, REPLY_HEADER, type StoreOp, unpackReply } from './store-protocol.js'
import { calls, obj } from './tracepoints.js'

type CallSpan = ReturnType<(typeof calls)[StoreOp]>

interface Call {
  readonly op: StoreOp
  readonly id: number
  readonly name: string
  /** Undefined where nobody records it. */
  readonly span: CallSpan | undefined
  resolve(data: Buffer): void
  reject(error: StoreError): void
}

export class StoreClient {
  readonly #store: number
  readonly #socket: net.Socket
  readonly #outbox: Outbox
  readonly #remote: Endpoint
  readonly #calls = new Map<number, Call>()
  #lastTag = 0
  #ended: StoreError | undefined

  static async connect(store: number, host: string, port: number): Promise<StoreClient> {
    const socket = net.connect({ host, port, noDelay: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new StoreClient(store, socket)
  }

  private constructor(store: number, socket: net.Socket) {
    this.#store = store
    this.#socket = socket
    this.#outbox = new Outbox(socket)
    this.#remote = { service: `store-${store}`, address: socket.remoteAddress, port: socket.remotePort }
    const intake = new Intake(this.#replies())
    socket.on('data', (chunk) => {
      try {
        intake.push(chunk)
      } catch (error) {
        this.#end((error as Error).message)
      }
    })
    socket.on('error', (error) => this.#end(error.message))
    socket.on('close', () => this.#end('connection closed'))
  }

  get alive(): boolean {
    return this.#ended === undefined
  }

  /** `length` is what a read wants; the length of `data` is told by itself. */
  call(op: StoreOp, origin: Origin, name: string, offset = 0, length = 0, data?: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const span = this.#begin(op, origin, name)
      if (this.#ended !== undefined) {
        span?.tag('error', this.#ended.message)
        span?.end()
        reject(this.#ended)
        return
      }
      this.#lastTag = (this.#lastTag + 1) >>> 0
      const tag = this.#lastTag
      const size = data?.length ?? 0
      this.#calls.set(tag, { op, id: origin.id, name, span, resolve, reject })
      const wanted = length || size
      obj.client_send({ id: origin.id, store: this.#store, tag, op, object: name, offset, length: wanted })
      const request = packRequest(op, tag, origin.id, span ?? origin.span, name, offset, length, size)
      this.#outbox.send(request, data, span && teller(span))
    })
  }

  /** The span of one call, begun when it queues behind what else goes out to this store. */
  #begin(op: StoreOp, { span }: Origin, name: string): CallSpan | undefined {
    if (!span.enabled) return undefined
    return calls[op]({ object: name === '' ? 'all' : name }, { parent: span, remote: this.#remote })
  }

  close(): void {
    this.#end('closed by the block server')
  }

  *#replies(): Protocol {
    for (;;) {
      const { tag, errno, dataLength } = unpackReply(yield REPLY_HEADER)
      const data = yield dataLength
      const call = this.#calls.get(tag)
      if (call === undefined) continue
      this.#calls.delete(tag)
      obj.client_receive({ id: call.id, store: this.#store, tag, op: call.op, errno, bytes: dataLength })
      if (errno !== 0) call.span?.tag('error', `errno ${errno}`)
      call.span?.end()
      if (errno === 0) call.resolve(data)
      else call.reject(new StoreError(errno, `store ${this.#store}: ${call.op} ${call.name}: errno ${errno}`))
    }
  }

  #end(why: string): void {
    if (this.#ended !== undefined) return
    this.#ended = new StoreError(constants.errno.EIO, `store ${this.#store}: ${why}`)
    this.#socket.destroy()
    for (const [tag, call] of this.#calls) {
      const errno = this.#ended.errno
      obj.client_receive({ id: call.id, store: this.#store, tag, op: call.op, errno, bytes: 0 })
      call.span?.tag('error', this.#ended.message)
      call.span?.end()
      call.reject(this.#ended)
    }
    this.#calls.clear()
  }
}

/** A function of its own, so that a call that is not recorded makes no closure. */
function teller(span: CallSpan): () => void {
  return () => span.sent()
}
