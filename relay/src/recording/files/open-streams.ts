// relay/src/recording/files/open-streams.ts: bounds how many stream files are open at once, over all processes: to half of the descriptors that this
// process may have.
// Every use of a stream file passes through here; the one used longest ago is closed to make room.
// It never closes a file that is in use.

import { readFileSync } from 'node:fs'
import type { StreamFile } from './stream-file.js'

const DESCRIPTORS = 2 // of one file and its marks
const MOST = 65_536
/** Where the system does not say. */
const USUAL = 512

function mostOpen(): number {
  const soft = limitOfFiles()
  return soft === undefined ? USUAL : Math.min(MOST, Math.max(1, Math.floor(soft / 2 / DESCRIPTORS)))
}

/** As many files as this process may have open; undefined where there is no /proc. */
function limitOfFiles(): number | undefined {
  try {
    const [, soft] = /^Max open files +(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft) || undefined
  } catch {
    return undefined // not Linux
  }
}

export class OpenStreams {
  readonly #idle = new Map<StreamFile, null>() // oldest first
  readonly #most = mostOpen()

  async use<T>(file: StreamFile, work: (file: StreamFile) => Promise<T>): Promise<T> {
    this.#idle.delete(file)
    try {
      return await work(file)
    } finally {
      this.#idle.set(file, null)
      if (this.#idle.size > this.#most) await this.close(this.#idle.keys().next().value!)
    }
  }

  async close(file: StreamFile): Promise<void> {
    this.#idle.delete(file)
    await file.close()
  }
}
