// relay/src/common/wait.ts: the waiting of a call that is answered once something happens: for rules, and for events that are followed.

const LONGEST_MS = 60_000

/** The waiting of one call: until its time has passed, or until someone ends it, such as the next call. */
export class Wait {
  readonly over: Promise<void>
  readonly #timer: NodeJS.Timeout
  #end!: () => void

  constructor(ms: number) {
    this.over = new Promise((resolve) => {
      this.#end = resolve
    })
    this.#timer = setTimeout(this.#end, Math.min(ms, LONGEST_MS))
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#end()
  }
}
