// relay/src/common/memory-budget.ts: so many bytes for what several hold at once: frames of a port that are not whole, bodies and answers of
// HTTP. Who takes some gives it back; where there is no room, it waits (take) or is turned away (tryTake).

export class MemoryBudget {
  bytes = 0
  #waiting: (() => void)[] = []

  constructor(readonly most: number) {}

  /** Somebody waits for room. */
  get isWanted(): boolean {
    return this.#waiting.length > 0
  }

  /** Resolves when there is room. */
  async take(bytes: number): Promise<void> {
    while (!this.tryTake(bytes)) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** False where there is no room. */
  tryTake(bytes: number): boolean {
    if (this.bytes + bytes > this.most) return false
    this.bytes += bytes
    return true
  }

  give(bytes: number): void {
    this.bytes -= bytes
    const waiting = this.#waiting
    this.#waiting = []
    for (const look of waiting) look()
  }
}
