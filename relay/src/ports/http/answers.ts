// relay/src/ports/http/answers.ts: what requests were answered with, by method and status. A post that was refused, and a question that
// failed, are told apart: a sender seldom says that its spans were not taken. The server feeds it, metrics read it.

import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Reject } from '../../common/rejections.js'
import type { Answer } from './answer.js'

/** Any other is counted as OTHER: it is whatever somebody writes. */
const methods = ['GET', 'HEAD', 'POST', 'OPTIONS']
const MOST_PATH = 100

export interface AnswerCount {
  method: string
  status: number
  count: number
}

export class Answers {
  readonly #counts = new Map<string, AnswerCount>()

  constructor(readonly reject: Reject) {}

  /** What never becomes a request is answered by Node itself. */
  watch(server: Server): void {
    server.on('connection', (socket) => socket.on('error', (error) => this.#broken(socket, error)))
  }

  add({ method = '', url = '', socket }: IncomingMessage, { status, body, cause }: Answer): void {
    this.#count(methods.includes(method) ? method : 'OTHER', status)
    const isPost = method === 'POST'
    if (status < 400 || (!isPost && status < 500)) return
    const path = url.slice(0, MOST_PATH).replace(/\?.*/, '') // what is asked for may be secret
    const why = `${peerOf(socket)}: ${method} ${path}: ${cause ?? body}`
    this.reject(isPost ? 'post' : 'request', String(status), why, { isLost: isPost })
  }

  all(): AnswerCount[] {
    return [...this.#counts.values()]
  }

  #count(method: string, status: number): void {
    const key = `${method} ${status}`
    const known = this.#counts.get(key)
    if (known) known.count++
    else this.#counts.set(key, { method, status, count: 1 })
  }

  #broken(socket: Socket, { code = '', message }: NodeJS.ErrnoException): void {
    if (!/^(HPE_(?!INVALID_EOF_STATE)|ERR_HTTP_REQUEST_TIMEOUT)/.test(code)) return // it went, or the network
    this.reject('request', code, `${peerOf(socket)}: ${message}`, { isLost: false })
  }
}

const peerOf = ({ remoteAddress, remotePort }: Socket): string =>
  remoteAddress === undefined ? 'a client that is gone' : `${remoteAddress}:${remotePort}`
