// relay/src/common/semaphore.ts: so many pieces of work at once, the others wait in line. Questions to the store, calls by Scribe
// and its files go through one each: what one holds while it is worked on is bounded, and so all of them are.

export class Semaphore {
  #taken = 0
  readonly #line: (() => void)[] = []

  constructor(readonly most: number) {}

  async take<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#taken === this.most) await new Promise<void>((resolve) => this.#line.push(resolve))
    else this.#taken++
    try {
      return await work()
    } finally {
      const next = this.#line.shift()
      if (next) next()
      else this.#taken--
    }
  }
}
