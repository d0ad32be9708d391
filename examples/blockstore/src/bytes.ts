// bytes.ts: from a socket's chunks to the exact pieces that a protocol asks for, and back to few writes.
// Both protocols here (NBD, object store) are generators: each yields the number of bytes it needs next and is
// handed exactly that many. So a protocol reads top to bottom, without callbacks or promises.

import type { Socket } from 'node:net'

export type Protocol = Generator<number, void, Buffer>

/** Bad bytes from the peer. Ends the connection that they came by, nothing else. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

const EMPTY = Buffer.alloc(0)

/** Feeds a protocol. `push` returns true once the protocol has come to its end. */
export class Intake {
  readonly #protocol: Protocol
  readonly #chunks: Buffer[] = []
  #length = 0
  #need: number
  #held = false
  #ended = false
  #running = false

  constructor(protocol: Protocol) {
    this.#protocol = protocol
    this.#need = this.#next(undefined)
  }

  push(chunk: Buffer): boolean {
    if (this.#ended) return true
    this.#chunks.push(chunk)
    this.#length += chunk.length
    return this.#run()
  }

  get held(): boolean {
    return this.#held
  }

  /** The protocol gets nothing more until `release`. May be called by the protocol itself. */
  hold(): void {
    this.#held = true
  }

  release(): boolean {
    this.#held = false
    return this.#run()
  }

  #run(): boolean {
    if (this.#running) return this.#ended // called from inside the protocol: the loop below goes on by itself
    this.#running = true
    try {
      while (!this.#ended && !this.#held && this.#length >= this.#need)
        this.#need = this.#next(this.#take(this.#need))
    } catch (error) {
      this.#ended = true
      throw error
    } finally {
      this.#running = false
    }
    return this.#ended
  }

  #next(bytes: Buffer | undefined): number {
    // The first `next` only starts a generator: its argument goes nowhere.
    const step = this.#protocol.next(bytes as Buffer)
    if (!step.done) return step.value
    this.#ended = true
    return 0
  }

  /** A view into the chunk where all of it lies in one, a copy where it does not. */
  #take(count: number): Buffer {
    if (count === 0) return EMPTY
    this.#length -= count
    const first = this.#chunks[0]!
    if (first.length > count) {
      this.#chunks[0] = first.subarray(count)
      return first.subarray(0, count)
    }
    if (first.length === count) {
      this.#chunks.shift()
      return first
    }
    const whole = Buffer.allocUnsafe(count)
    let filled = 0
    let used = 0
    for (const chunk of this.#chunks) {
      const part = Math.min(chunk.length, count - filled)
      chunk.copy(whole, filled, 0, part)
      filled += part
      if (part < chunk.length) this.#chunks[used] = chunk.subarray(part)
      else used++
      if (filled === count) break
    }
    this.#chunks.splice(0, used)
    return whole
  }
}

/** Gathers what is sent in one turn of the event loop into one write to the socket. */
export class Outbox {
  readonly #socket: Socket
  #corked = false
  readonly #uncork = (): void => {
    this.#corked = false
    this.#socket.uncork()
  }

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** `sent` is called once the kernel has it all, or never will. */
  send(head: Buffer, body?: Buffer, sent?: () => void): void {
    if (this.#socket.destroyed) {
      sent?.()
      return
    }
    if (!this.#corked) {
      this.#corked = true
      this.#socket.cork()
      process.nextTick(this.#uncork)
    }
    const more = body !== undefined && body.length > 0
    this.#socket.write(head, more ? undefined : sent)
    if (more) this.#socket.write(body, sent)
  }
}

// Numbers, not bigints: a bigint costs an allocation, and 2^53 is beyond any volume and any request count.

export function readU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4)
}

export function writeU64(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at)
  bytes.writeUInt32BE(value % 0x1_0000_0000, at + 4)
}
