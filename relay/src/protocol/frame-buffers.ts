// relay/src/protocol/frame-buffers.ts: buffers for frames that come in pieces, used again once a frame is answered: of all connections
// together, so that a thousand senders do not keep one each. frames.ts takes and gives them. Without, a relay under load collected
// its heap for them many times a second.

const BYTES = 512 * 1024
/** Smaller ones are cheap to make, and what is read from them may be kept: a hello has its ids there. */
const LEAST = 64 * 1024
/** As many frames as are whole at one moment, about; more are made, and go. */
const MOST_SPARE = 4

const spare: Buffer[] = []

/** As long as asked for. What it held before is still in it. */
export function takeFrameBuffer(length: number): Buffer {
  if (length < LEAST || length > BYTES) return Buffer.allocUnsafeSlow(length)
  return (spare.pop() ?? Buffer.allocUnsafeSlow(BYTES)).subarray(0, length)
}

/** Nobody reads it any more. */
export function giveFrameBuffer({ buffer, length }: Buffer): void {
  if (length < LEAST || buffer.byteLength !== BYTES || spare.length === MOST_SPARE) return
  spare.push(Buffer.from(buffer))
}
