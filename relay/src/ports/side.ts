// relay/src/ports/side.ts: what a connection knows of whoever speaks on it: a traced process or a controller.
// relay/session.ts and fleet/fleet-session.ts are the two. One call at a time; only a waiting one is hurried.

export interface Side {
  /** It has said who it is, and may stay. */
  readonly greeted: boolean
  /** It has shown that it belongs here, and keeps its place whoever else comes. */
  readonly belongs: boolean
  /** For logs. */
  readonly name: string
  /** Set where nothing more may be said after this answer. */
  readonly finished: string | undefined
  /** A call of its was refused: it will go, and come again. */
  readonly isRefused: boolean
  /** Set while the call being answered waits for something to happen. */
  readonly wait: Wait | undefined
  close(): Promise<void>
}

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
