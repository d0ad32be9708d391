// relay/src/common/semaphore.ts: so many questions at once, the others wait in line. The store owns one: what a question
// holds while it is worked on is bounded, and so all of them are.

export class Turns {
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
