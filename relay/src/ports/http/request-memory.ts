// relay/src/ports/http/request-memory.ts: what one request holds of the bytes that all requests may hold together: bodies that came in, and
// answers that clients have not read yet. The server makes one for each; who would take more than there is is turned away.

import type { MemoryBudget } from '../../common/memory-budget.js'
import { HttpError } from './answer.js'

export class RequestMemory {
  #bytes = 0

  constructor(readonly budget: MemoryBudget) {}

  /** @throws HttpError where there is no room */
  take(bytes: number): void {
    if (!this.budget.tryTake(bytes)) {
      const most = this.budget.most / 2 ** 20
      throw new HttpError(503, `bodies and answers hold ${most} MiB already; try again later`)
    }
    this.#bytes += bytes
  }

  /** All that it took. */
  release(): void {
    this.budget.give(this.#bytes)
    this.#bytes = 0
  }
}
