// relay/src/ctf/print/line-buffer.ts: where lines are written as bytes, one behind the other, until view.ts hands them on.
// text-lines.ts and json-lines.ts write into `bytes` and `view` from `at`, and move `at` on when a line is whole.

/** Handed on when there is as much. */
const FULL = 64 * 1024
/** Room for most lines beyond that. */
const SPARE = 32 * 1024

export class LineBuffer {
  bytes = Buffer.allocUnsafeSlow(FULL + SPARE)
  view = viewOf(this.bytes)
  at = 0

  get full(): boolean {
    return this.at >= FULL
  }

  /** Sees to it that there is room for as many bytes from `at` on, which no line has written to yet. */
  reserve(at: number, bytes: number): void {
    if (at + bytes <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(2 * (at + bytes))
    this.bytes.copy(larger, 0, 0, at)
    this.bytes = larger
    this.view = viewOf(larger)
  }

  /** Writes a text behind what is there; returns where it ends. */
  write(at: number, text: string): number {
    this.reserve(at, 3 * text.length)
    return at + this.bytes.write(text, at)
  }

  /** The whole lines so far; good until the next is written. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.at)
    this.at = 0
    return taken
  }

  line(text: string): void {
    this.at = this.write(this.at, `${text}\n`)
  }
}

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
