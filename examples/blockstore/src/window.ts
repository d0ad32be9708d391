// window.ts: how much may be under way at once, in calls and in bytes. What finds no room waits its turn, in the order in
// which it came. A call larger than the window goes when it is alone.

interface Waiting {
  readonly bytes: number
  go(): void
}

export class Window {
  readonly #mostCalls: number
  readonly #mostBytes: number
  readonly #waiting: Waiting[] = []
  #calls = 0
  #bytes = 0

  constructor(mostCalls: number, mostBytes: number) {
    this.#mostCalls = mostCalls
    this.#mostBytes = mostBytes
  }

  /** Resolves with room taken; undefined where it was there at once. Each is followed by one leave(). */
  enter(bytes: number): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#hasRoom(bytes)) {
      this.#take(bytes)
      return undefined
    }
    return new Promise((go) => this.#waiting.push({ bytes, go }))
  }

  leave(bytes: number): void {
    this.#calls--
    this.#bytes -= bytes
    for (
      let next = this.#waiting[0];
      next !== undefined && this.#hasRoom(next.bytes);
      next = this.#waiting[0]
    ) {
      this.#waiting.shift()
      this.#take(next.bytes)
      next.go()
    }
  }

  #hasRoom(bytes: number): boolean {
    return this.#calls < this.#mostCalls && (this.#calls === 0 || this.#bytes + bytes <= this.#mostBytes)
  }

  #take(bytes: number): void {
    this.#calls++
    this.#bytes += bytes
  }
}
