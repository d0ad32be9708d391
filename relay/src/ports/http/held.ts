// relay/src/ports/http/held.ts: how many bytes all requests hold together: bodies that came in, and answers that clients have not
// read yet. The server owns one, with a share for each request; who would take it beyond its most is turned away.

import { HttpError } from './answer.js'

const MOST_BYTES = 256 * 2 ** 20

export class Held {
  bytes = 0

  constructor(readonly most = MOST_BYTES) {}

  share(): Share {
    return new Share(this)
  }
}

export class Share {
  #bytes = 0

  constructor(readonly held: Held) {}

  /** @throws HttpError where there is no room */
  take(bytes: number): void {
    const { most } = this.held
    if (this.held.bytes + bytes > most) {
      throw new HttpError(503, `bodies and answers hold ${most / 2 ** 20} MiB already; try again later`)
    }
    this.held.bytes += bytes
    this.#bytes += bytes
  }

  /** All that it took. */
  release(): void {
    this.held.bytes -= this.#bytes
    this.#bytes = 0
  }
}
