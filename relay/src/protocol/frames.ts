// relay/src/protocol/frames.ts: cuts a connection's bytes into frames: a length (i32, big-endian), then so many bytes.
// One a connection. Holds at most one frame; copies each byte at most once; a wrong length throws before any memory.

import { foreignProtocol } from './foreign.js'
import { giveFrameBuffer, takeFrameBuffer } from './frame-buffers.js'

export const MAX_FRAME = 2 * 2 ** 20
/** Of who has not said hello or greet: several times what the longest of them takes. */
export const MAX_FIRST_FRAME = 64 * 2 ** 10
/** What Thrift's own servers take. */
export const THRIFT_FRAME = 16_384_000

export class FrameSplitter {
  #length = Buffer.alloc(4)
  #lengthHave = 0
  #frame: Buffer | undefined
  #have = 0

  /** `most` counts for frames whose length is not read yet. */
  constructor(public most = MAX_FRAME) {}

  /** Bytes of a frame are here and the rest is not. */
  get midFrame(): boolean {
    return this.#lengthHave > 0
  }

  /** Bytes of the frame that has begun, 0 where its length is not here yet. */
  get begun(): number {
    return this.#frame?.length ?? 0
  }

  /** The frames that end in this chunk, one after the other. A frame's bytes are the caller's until it asks for the next. */
  *push(chunk: Buffer): Generator<Buffer> {
    let at = 0
    while (at < chunk.length) {
      if (this.#frame === undefined) {
        while (this.#lengthHave < 4 && at < chunk.length) this.#length[this.#lengthHave++] = chunk[at++]!
        if (this.#lengthHave < 4) return
        const length = this.#length.readInt32BE(0)
        if (length < 1 || length > this.most) {
          const plain = `frame length is ${length}; expected 1 to ${this.most}`
          throw new Error(foreignProtocol(length) ?? plain)
        }
        if (chunk.length - at >= length) {
          this.#lengthHave = 0
          at += length
          yield chunk.subarray(at - length, at)
          continue
        }
        this.#frame = takeFrameBuffer(length)
        this.#have = 0
      }
      const taken = chunk.copy(this.#frame, this.#have, at)
      at += taken
      this.#have += taken
      if (this.#have === this.#frame.length) {
        const frame = this.#frame
        this.#frame = undefined
        this.#lengthHave = 0
        yield frame
        giveFrameBuffer(frame)
      }
    }
  }
}
