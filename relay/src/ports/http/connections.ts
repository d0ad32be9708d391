// relay/src/ports/http/connections.ts: the connections of the HTTP port, and which of them keep their places (ports/places.ts). One belongs once it
// has shown the token, or where there is none once a request of it came whole: a client that says its headers or a body a byte at a
// time never does. The server owns one.

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Reject } from '../../common/rejections.js'
import { type Client, Places } from '../places.js'

/** Who belongs, and between two requests makes room for another; and those who have not shown yet that they do. */
const PLACES = { most: 256, idleMs: 0, strangers: 64 }
/** An answer of which nothing was read for so long is given up: it holds memory. */
const STALL_MS = 30_000

export class HttpConnections {
  readonly #places = new Places<HttpConnection>(PLACES)
  readonly #bySocket = new WeakMap<Socket, HttpConnection>()

  constructor(readonly reject: Reject) {}

  watch(server: Server): void {
    server.on('connection', (socket) => {
      if (!this.#places.makeRoom()) {
        const why = `${socket.remoteAddress}:${socket.remotePort}: ${PLACES.most} connections of HTTP are at work`
        this.reject('connection', 'too many', why, { isLost: false })
        socket.destroy()
        return
      }
      const connection = new HttpConnection(socket, this.reject)
      this.#bySocket.set(socket, connection)
      this.#places.add(connection)
      socket.on('close', () => this.#places.delete(connection))
    })
  }

  /** It may ask, and is worked for until it is answered. */
  accept({ socket }: IncomingMessage, response: ServerResponse): void {
    this.#bySocket.get(socket)?.work(response)
  }

  /** Its answer is written: it may read slowly, but not stop. */
  answered({ socket }: IncomingMessage, response: ServerResponse): void {
    response.setTimeout(STALL_MS, () => response.destroy())
    this.#bySocket.get(socket)?.rest(response)
  }
}

class HttpConnection implements Client {
  readonly address: string
  belongs = false
  #since = performance.now()
  /** Requests that have no answer yet. */
  readonly #working = new Set<ServerResponse>()

  constructor(
    readonly socket: Socket,
    readonly reject: Reject,
  ) {
    this.address = socket.remoteAddress ?? ''
  }

  get silentSince(): number {
    return this.#working.size > 0 ? Number.POSITIVE_INFINITY : this.#since
  }

  work(response: ServerResponse): void {
    this.belongs = true
    this.#working.add(response)
  }

  rest(response: ServerResponse): void {
    this.#working.delete(response)
    this.#since = performance.now()
  }

  end(why: string, fault: string): void {
    const from = `${this.address}:${this.socket.remotePort}`
    this.reject('connection', fault, `${from}: ended a client of HTTP: ${why}`, { isLost: false })
    this.socket.destroy()
  }
}
