// relay/src/intake/connection.ts: one client's socket: frames in, answers out, in order, one at a time.
// The listener makes one for each client. While a call is stored nothing more is read than the socket's own
// buffer, so a fast client waits in the kernel; while an answer is not taken no further call is looked at.
// Whatever the client does costs this connection only. The reason it ended goes to the log.

import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Owner } from '../store/processes.js'
import { Calls } from './calls.js'
import { FrameSplitter } from './frames.js'
import { type House, Session } from './session.js'

export const HELLO_MS = 10_000
export const STALL_MS = 30_000

export class Connection implements Owner {
  readonly #socket: Socket
  readonly #session: Session
  readonly #peer: string
  readonly #over: Promise<void>
  #ending: string | undefined
  #storing = false
  failed = false

  constructor(socket: Socket, house: House, log: (line: string) => void) {
    this.#socket = socket
    this.#peer = `${socket.remoteAddress}:${socket.remotePort}`
    this.#session = new Session(house, this)
    socket.on('error', () => {}) // told by the loop below, which sees it too
    this.#over = this.#serve(log)
  }

  /** Resolves when the connection is gone and its trace is let go. */
  get over(): Promise<void> {
    return this.#over
  }

  /** Ends it after the call that is being stored, if any. */
  end(why: string): Promise<void> {
    this.#ending ??= why
    if (!this.#storing) this.#socket.destroy()
    return this.#over
  }

  async #serve(log: (line: string) => void): Promise<void> {
    const calls = new Calls(this.#session)
    const frames = new FrameSplitter()
    let timer = this.#limit(HELLO_MS, `no hello within ${HELLO_MS / 1000} s`)
    try {
      for await (const chunk of this.#socket) {
        if (this.#session.greeted) clearTimeout(timer)
        for (const frame of frames.push(chunk as Buffer)) await this.#answer(calls, frame)
        if (this.#ending !== undefined) break
        if (!this.#session.greeted) continue
        clearTimeout(timer)
        if (frames.midFrame)
          timer = this.#limit(STALL_MS, `half a frame, then silence for ${STALL_MS / 1000} s`)
      }
      if (frames.midFrame && this.#ending === undefined) this.#ending = 'it closed in the middle of a frame'
    } catch (error) {
      this.#ending ??= (error as Error).message || (error as Error).name
    }
    clearTimeout(timer)
    if (this.#ending !== undefined) {
      this.failed = true
      log(`${this.#peer}: ended ${this.#session.name}: ${this.#ending}`)
    }
    this.#socket.destroySoon()
    await this.#session.close()
  }

  async #answer(calls: Calls, frame: Buffer): Promise<void> {
    if (this.#ending !== undefined) return
    this.#storing = true
    const reply = await calls.answer(frame).finally(() => {
      this.#storing = false
    })
    this.#ending ??= this.#session.finished
    if (!this.#socket.write(reply) && !this.#socket.destroyed) {
      const timer = this.#limit(STALL_MS, `it took no answer for ${STALL_MS / 1000} s`)
      // A reset of the connection makes both reject; the timer must not outlive it, or it keeps the process.
      await Promise.race([once(this.#socket, 'drain'), once(this.#socket, 'close')]).finally(() =>
        clearTimeout(timer),
      )
    }
  }

  #limit(ms: number, why: string): NodeJS.Timeout {
    return setTimeout(() => void this.end(why), ms)
  }
}
