// relay/src/pipeline/progress.ts: how far the worker is behind with what was put: numbers in shared memory, which the relay's own thread
// reads at any moment. The worker writes them, and nobody else.

const FIELDS = 4

export interface Behind {
  /** Of packets of spans that are in their files and not assembled yet. */
  bytes: number
  /** For how long the first of them has been there. */
  ms: number
}

export class Progress {
  readonly #numbers: Float64Array
  constructor(readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(8 * FIELDS)) {
    this.#numbers = new Float64Array(buffer)
  }

  /** Bytes of packets that were read, of all that it was told of. */
  get read(): number {
    return this.#numbers[0]!
  }

  set read(bytes: number) {
    this.#numbers[0] = bytes
  }

  /** When what is read next came, by clock(); 0 where there is nothing. */
  get next(): number {
    return this.#numbers[1]!
  }

  set next(at: number) {
    this.#numbers[1] = at
  }

  /** Puts that are not read yet, of those that it was told of. */
  get puts(): number {
    return this.#numbers[3]!
  }

  set puts(count: number) {
    this.#numbers[3] = count
  }

  /** Spans that came by Scribe and were taken, of all that it was told of. */
  get scribed(): number {
    return this.#numbers[2]!
  }

  set scribed(count: number) {
    this.#numbers[2] = count
  }
}
