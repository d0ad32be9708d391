// relay/src/store/open-streams.ts: bounds how many stream files are open at once, over all processes.
// Every use of a stream file passes through here; the one used longest ago is closed to make room.
// It never closes a file that is in use.

import type { StreamFile } from './stream-file.js'

const MOST = 512 // two descriptors each

export class OpenStreams {
  readonly #idle = new Map<StreamFile, null>() // oldest first

  async use<T>(file: StreamFile, work: (file: StreamFile) => Promise<T>): Promise<T> {
    this.#idle.delete(file)
    try {
      return await work(file)
    } finally {
      this.#idle.set(file, null)
      if (this.#idle.size > MOST) await this.close(this.#idle.keys().next().value!)
    }
  }

  async close(file: StreamFile): Promise<void> {
    this.#idle.delete(file)
    await file.close()
  }
}
