// relay/src/ports/frame-room.ts: room for frames that have begun and are not whole, of all connections of a port together.
// Who opens a port owns one for those who belong and one for strangers; a connection takes room before it reads on, and gives it back when the frame is answered.

export class FrameRoom {
  bytes = 0
  #line: (() => void)[] = []

  constructor(readonly most: number) {}

  /** Somebody waits for room. */
  get isWanted(): boolean {
    return this.#line.length > 0
  }

  /** Resolves when there is room. */
  async take(bytes: number): Promise<void> {
    while (this.bytes + bytes > this.most) await new Promise<void>((resolve) => this.#line.push(resolve))
    this.bytes += bytes
  }

  give(bytes: number): void {
    this.bytes -= bytes
    const line = this.#line
    this.#line = []
    for (const look of line) look()
  }
}
