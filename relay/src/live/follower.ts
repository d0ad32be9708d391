// relay/src/live/follower.ts: one who watches: which events, and those not yet taken, as lines of JSON.
// followers.ts pushes, the follower's session takes. While it is full what is new is dropped, and counted.

import type { Wait } from '../intake/side.js'
import { compilePatterns } from '../read/glob.js'
import type { TraceItem } from '../read/merge.js'
import type { TraceInfo, TraceTracepoint } from '../read/model.js'
import { targetCovers } from '../rules/target.js'

/** It is full from there on: one line may reach beyond. */
export const MOST_WAITING_BYTES = 4 * 2 ** 20
const MOST_TAKEN_BYTES = 2 ** 20

export class Follower {
  /** Set while a take waits for something to come. */
  wait: Wait | undefined
  readonly covers: (name: string) => boolean
  readonly #follows = new WeakMap<TraceInfo, boolean>()
  readonly #covers = new WeakMap<TraceTracepoint, boolean>()
  #lines: string[] = []
  #bytes = 0
  #dropped = 0

  constructor(
    readonly target: string,
    patterns: string[],
  ) {
    this.covers = compilePatterns(patterns)
  }

  follows(info: TraceInfo): boolean {
    return remembered(this.#follows, info, () => targetCovers(this.target, info.program))
  }

  wants(item: TraceItem): boolean {
    if (!this.follows(item.trace)) return false
    if (item.kind === 'loss') return true // nobody knows of which events
    const { tracepoint } = item
    return remembered(this.#covers, tracepoint, () =>
      this.covers(`${tracepoint.provider}:${tracepoint.event}`),
    )
  }

  get waiting(): number {
    return this.#lines.length
  }

  get full(): boolean {
    return this.#bytes >= MOST_WAITING_BYTES
  }

  push(line: string): void {
    this.#lines.push(line)
    this.#bytes += Buffer.byteLength(line)
    this.wait?.end()
  }

  drop(): void {
    this.#dropped++
  }

  /** The oldest, as many as an answer holds, and how many were dropped since the answer before. */
  take(): { events: string[]; dropped: number } {
    let count = 0
    let bytes = 0
    while (count < this.#lines.length) {
      const more = Buffer.byteLength(this.#lines[count]!)
      if (bytes + more > MOST_TAKEN_BYTES) break
      bytes += more
      count++
    }
    const events = this.#lines.slice(0, count)
    this.#lines = this.#lines.slice(count)
    this.#bytes -= bytes
    const dropped = this.#dropped
    this.#dropped = 0
    return { events, dropped }
  }
}

function remembered<Key extends object>(
  known: WeakMap<Key, boolean>,
  key: Key,
  find: () => boolean,
): boolean {
  const found = known.get(key) ?? find()
  known.set(key, found)
  return found
}
