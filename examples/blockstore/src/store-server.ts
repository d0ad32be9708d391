// store-server.ts: one store process: the messages of store-protocol.ts, answered from a directory.
// Ranges are answered in the order of arrival; copy, put, delete and flush when they are done.
// A message that makes no sense ends its connection; an operation that fails is answered with its errno.

import net from 'node:net'
import { constants } from 'node:os'
import { type Endpoint, type Remote, type Span, trace } from 'blkin'
import { Intake, Outbox, type Protocol } from './bytes.js'
import { FileObjects } from './files.js'
import { errnoOf, OBJECT_SIZE, StoreError } from './object-store.js'
import {
  packReply,
  REPLY_HEADER,
  REQUEST_HEADER,
  type StoreOp,
  type StoreRequest,
  unpackRequest,
} from './store-protocol.js'
import { obj, serves } from './tracepoints.js'

export interface StoreServer {
  readonly port: number
  /** Ends connections, makes all durable. */
  close(): Promise<void>
}

export async function startStore(dir: string, host = '127.0.0.1', port = 0): Promise<StoreServer> {
  const files = new FileObjects(dir)
  const sockets = new Set<net.Socket>()
  const server = net.createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    const session = new Session(files, socket)
    const intake = new Intake(session.protocol())
    socket.on('data', (chunk) => {
      try {
        if (intake.push(chunk)) socket.end()
      } catch (error) {
        process.stderr.write(`store: connection ended: ${(error as Error).message}\n`)
        socket.destroy()
      }
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      sockets.delete(socket)
      session.end()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    port: (server.address() as net.AddressInfo).port,
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await files.end()
    },
  }
}

type ServedSpan = ReturnType<(typeof serves)[StoreOp]>

class Session {
  readonly #files: FileObjects
  readonly #outbox: Outbox
  /** Of each span in turn: it is read at once and not kept, so a request that is not recorded costs no object. */
  readonly #options: { parent: Remote | undefined; readonly remote: Endpoint }
  /** Of the request that is coming in. */
  #incoming: Span = trace.current()

  constructor(files: FileObjects, socket: net.Socket) {
    this.#files = files
    this.#outbox = new Outbox(socket)
    const remote = { address: socket.remoteAddress, port: socket.remotePort }
    this.#options = { parent: undefined, remote }
  }

  /** The connection is gone: a request that was half here will not be done. */
  end(): void {
    this.#incoming.tag('error', 'connection closed')
    this.#incoming.end()
  }

  *protocol(): Protocol {
    for (;;) {
      const request = unpackRequest(yield REQUEST_HEADER)
      const { id, tag, op, offset } = request
      this.#options.parent = request.sender
      const span = serves[op](undefined, this.#options)
      this.#incoming = span
      const name = (yield request.nameLength).toString('latin1')
      const data = yield request.dataLength
      this.#incoming = trace.current()
      span.received()
      obj.server_receive({ id, tag, op, object: name, offset, length: request.length || data.length })
      this.#perform(request, span, name, data)
    }
  }

  #perform(request: StoreRequest, span: ServedSpan, name: string, data: Buffer): void {
    const { op, offset, length } = request
    try {
      if (op === 'read') {
        inObject(offset, length)
        const reply = packReply(request, 0, length)
        this.#files.readRange(name, offset, reply.subarray(REPLY_HEADER))
        this.#done(request, span, 0, length, reply)
      } else if (op === 'write') {
        inObject(offset, data.length)
        this.#files.writeRange(name, offset, data)
        this.#done(request, span, 0, data.length)
      } else if (op === 'get') {
        const size = Math.min(this.#files.size(name), OBJECT_SIZE)
        const reply = packReply(request, 0, size)
        this.#files.readRange(name, 0, reply.subarray(REPLY_HEADER))
        this.#done(request, span, 0, size, reply)
      } else {
        this.#slowly(op, name, data).then(
          () => this.#done(request, span, 0, data.length),
          (error: unknown) => this.#done(request, span, errnoOf(error), 0),
        )
      }
    } catch (error) {
      this.#done(request, span, errnoOf(error), 0)
    }
  }

  async #slowly(op: 'put' | 'copy' | 'delete' | 'flush', name: string, data: Buffer): Promise<void> {
    switch (op) {
      case 'put':
        return this.#files.put(name, data)
      case 'copy':
        return this.#files.copy(name, data.toString('latin1'))
      case 'delete':
        return this.#files.delete(name)
      case 'flush':
        return this.#files.flush(name === '' ? undefined : name)
    }
  }

  #done(
    request: StoreRequest,
    span: ServedSpan,
    errno: number,
    bytes: number,
    reply = packReply(request, errno, 0),
  ): void {
    if (errno !== 0) span.tag('error', `errno ${errno}`)
    span.done()
    this.#outbox.send(reply, undefined, span.enabled ? ender(span, bytes) : undefined)
    obj.server_done({ id: request.id, tag: request.tag, op: request.op, errno, bytes })
  }
}

/** A function of its own, so that a request that is not recorded makes no closure. */
function ender(span: ServedSpan, bytes: number): () => void {
  return () => span.end({ bytes })
}

function inObject(offset: number, length: number): void {
  if (offset + length > OBJECT_SIZE) {
    throw new StoreError(constants.errno.EINVAL, `range ${offset}+${length}: beyond ${OBJECT_SIZE}`)
  }
}
