// relay/src/ports/connection.ts: one client's socket: frames in, answers out, in order, one at a time.
// The listener makes one for each client. While a call is stored nothing more is read than the socket's own
// buffer, so a fast client waits in the kernel; while an answer is not taken no further call is looked at.
// Only while a call waits for something to happen is the next one read; then the first is answered at once.
// Whatever the client does costs this connection only. The reason it ended goes to the log.
// Until it has shown that it belongs here it is a stranger: little time, a small first frame, a place that another may get.

import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { MemoryBudget } from '../common/memory-budget.js'
import type { Rejections } from '../common/rejections.js'
import { peerOf } from '../protocol/address.js'
import { foreignName } from '../protocol/foreign.js'
import { FrameSplitter } from '../protocol/frames.js'
import type { Owner } from '../recording/processes.js'
import type { Client } from './places.js'
import type { Side } from './side.js'
import type { Speaker } from './speaker.js'

export const HELLO_MS = 10_000
export const STALL_MS = 30_000
/** How long a frame may take where others wait for the room that it has. */
const FRAME_MS = 30_000

export interface ConnectionOptions {
  speakerOf(owner: Owner): Speaker
  rejections: Rejections
  belonging: FrameLimits
  strangers: FrameLimits
}

export interface FrameLimits {
  /** Bytes of a frame. */
  most: number
  /** For frames that are not whole, of all such clients of the port together. */
  room: MemoryBudget
}

export class Connection implements Owner, Client {
  readonly address: string
  readonly #options: ConnectionOptions
  readonly #socket: Socket
  readonly #speaker: Speaker
  readonly #peer: string
  readonly #over: Promise<void>
  /** Where a frame that is not whole has room, how much, and since when. */
  #room: MemoryBudget | undefined
  #held = 0
  #since = 0
  #ending: string | undefined
  /** What the client did wrong, in a word or two, where it ends for that. */
  #fault: string | undefined
  #storing = false
  /** When it said something last. */
  #heard = performance.now()
  /** Ends it where hello, or the rest of a frame, does not come. */
  #timer: NodeJS.Timeout | undefined
  /** The answer of a call that waits, until it is written. */
  #waiting: Promise<void> | undefined
  failed = false

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket
    this.#options = options
    this.address = socket.remoteAddress ?? ''
    this.#peer = peerOf(socket)
    this.#speaker = options.speakerOf(this)
    socket.on('error', () => {}) // told by the loop below, which sees it too
    this.#over = this.#serve(new FrameSplitter(options.strangers.most), options.rejections)
  }

  /** Resolves when the connection is gone and its trace is let go. */
  get over(): Promise<void> {
    return this.#over
  }

  get belongs(): boolean {
    return this.#side.belongs
  }

  get silentSince(): number {
    return this.#storing || this.#ending !== undefined ? Number.POSITIVE_INFINITY : this.#heard
  }

  /** Ends it after the call that is being stored, if any. `fault`: what the client did wrong. */
  end(why: string, fault?: string): Promise<void> {
    if (this.#ending === undefined) this.#fault = fault
    this.#ending ??= why
    if (!this.#storing) this.#socket.destroy()
    return this.#over
  }

  async #serve(frames: FrameSplitter, { log, reject }: Rejections): Promise<void> {
    if (!this.#side.greeted)
      this.#timer = this.#limit(HELLO_MS, 'no hello', `no hello within ${HELLO_MS / 1000} s`)
    try {
      for await (const chunk of this.#socket) {
        if (this.belongs) this.#stopTimer()
        for (const frame of frames.push(chunk as Buffer)) {
          if (this.#side.greeted) this.#stopTimer() // it is whole, and may take long to store
          await this.#answer(frame)
          this.#giveRoom()
          if (!this.belongs) continue
          this.#stopTimer()
          frames.most = this.#options.belonging.most
        }
        await this.#takeRoom(frames.begun)
        this.#heard = performance.now()
        if (this.#ending !== undefined) break
        if (frames.midFrame) this.#timer ??= this.#limitFrame()
      }
      if (frames.midFrame && this.#ending === undefined) this.#ending = 'it closed in the middle of a frame'
    } catch (error) {
      const { code, message, name } = error as NodeJS.ErrnoException
      if (this.#ending === undefined && typeof code !== 'string')
        // the others are the network's
        this.#fault = foreignName(message) ?? 'bad bytes'
      this.#ending ??= message || name
    }
    this.#stopTimer()
    this.#giveRoom()
    await this.#endWait()
    if (this.#ending !== undefined) {
      this.failed = true
      const why = `${this.#peer}: ended ${this.#side.name}: ${this.#ending}`
      if (this.#fault !== undefined) reject('connection', this.#fault, why, { isLost: false })
      else if (!this.#side.isRefused) log(why, this.belongs ? 'ended' : 'strangers') // who was refused was told of, and goes in any way
    }
    this.#socket.destroySoon()
    await this.#side.close()
  }

  get #side(): Side {
    return this.#speaker.side
  }

  /** Resolves when the rest of a frame may be read. */
  async #takeRoom(bytes: number): Promise<void> {
    if (bytes === 0) return
    if (this.#room === undefined) {
      const { room } = this.belongs ? this.#options.belonging : this.#options.strangers
      await room.take(bytes)
      this.#room = room
      this.#held = bytes
      this.#since = performance.now()
    } else if (this.#room.isWanted && performance.now() - this.#since > FRAME_MS) {
      this.#ending ??= `a frame took more than ${FRAME_MS / 1000} s, and others wait for its room`
    }
  }

  #giveRoom(): void {
    this.#room?.give(this.#held)
    this.#room = undefined
  }

  /** Resolves when the next frame may be looked at. */
  async #answer(frame: Buffer): Promise<void> {
    await this.#endWait()
    if (this.#ending !== undefined) return
    this.#storing = true
    const reply = this.#speaker.answer(frame).finally(() => {
      this.#storing = false
    })
    if (this.#side.wait === undefined) return this.#write(await reply)
    this.#storing = false
    // What breaks the socket here breaks the loop above too; nobody else hears of this promise.
    this.#waiting = reply
      .then((bytes) => this.#write(bytes))
      .catch((error: Error) => {
        this.#ending ??= error.message
      })
  }

  /** What waits is answered now: answers go out in the order of the calls. */
  async #endWait(): Promise<void> {
    this.#side.wait?.end()
    await this.#waiting
    this.#waiting = undefined
  }

  async #write(reply: Buffer | undefined): Promise<void> {
    const { finished } = this.#side
    if (finished !== undefined && this.#ending === undefined) this.#fault = 'hello refused'
    this.#ending ??= finished
    if (reply && !this.#socket.destroyed && !this.#socket.write(reply) && !this.#socket.destroyed) {
      const timer = this.#limit(STALL_MS, 'no reader', `it took no answer for ${STALL_MS / 1000} s`)
      const ended = new AbortController()
      const how = { signal: ended.signal }
      // A reset of the connection makes both reject. The timer must not outlive it, or it keeps the process; nor the listeners, of
      // which there would be more with each answer that is taken slowly.
      await Promise.race([once(this.#socket, 'drain', how), once(this.#socket, 'close', how)]).finally(() => {
        clearTimeout(timer)
        ended.abort()
      })
    }
  }

  /** Who belongs may be slow, but not silent; a stranger has so long for its frame, however it comes. */
  #limitFrame(): NodeJS.Timeout {
    return this.belongs
      ? this.#limit(STALL_MS, 'half a frame', `half a frame, then silence for ${STALL_MS / 1000} s`)
      : this.#limit(HELLO_MS, 'half a frame', `its first frame took more than ${HELLO_MS / 1000} s`)
  }

  #stopTimer(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #limit(ms: number, fault: string, why: string): NodeJS.Timeout {
    return setTimeout(() => void this.end(why, fault), ms)
  }
}
