// relay/src/recording/live/feed.ts: puts the items of many streams in the order of time, and hands them on as they come.
// Items wait HOLD_MS after they came, so that what other streams have of the same time takes its place among them.
// What comes more than that after something newer is handed on late; within a stream the order always holds.
// It holds at most MOST_HELD items and one put: with more, all go on at once. It never waits for whoever takes them.

import type { TraceItem } from '../../ctf/read/merge.js'

export const HOLD_MS = 100
const TICK_MS = 20
export const MOST_HELD = 100_000

/** Items of one put: one stream, in the order of time. */
interface Run {
  at: number
  items: TraceItem[]
  /** Those before it were handed on. */
  next: number
}

export class Feed {
  #runs: Run[] = []
  #held = 0
  #timer: NodeJS.Timeout | undefined

  constructor(readonly deliver: (items: TraceItem[]) => void) {}

  hold(items: TraceItem[]): void {
    if (items.length === 0) return
    if (this.#wasSetBack(items[0]!)) this.flush()
    this.#runs.push({ at: performance.now(), items, next: 0 })
    this.#held += items.length
    if (this.#held > MOST_HELD) this.flush()
    else this.#timer ??= setTimeout(() => this.#tick(), TICK_MS)
  }

  /** Something later is held of its stream: the clock was set back, and the order of the stream holds all the same. */
  #wasSetBack(first: TraceItem): boolean {
    return this.#runs.some(({ items }) => {
      const last = items[items.length - 1]!
      return last.stream === first.stream && last.trace === first.trace && byTime(last, first) > 0
    })
  }

  /** Hands on all that is held. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#release((run) => run.items.length)
  }

  #tick(): void {
    this.#timer = undefined
    const due = performance.now() - HOLD_MS
    let until: TraceItem | undefined
    for (const { at, items } of this.#runs) {
      if (at > due) break
      const last = items[items.length - 1]!
      if (until === undefined || byTime(last, until) > 0) until = last
    }
    if (until !== undefined) {
      const limit = until
      this.#release(({ items, next }) => {
        while (next < items.length && byTime(items[next]!, limit) <= 0) next++
        return next
      })
    }
    if (this.#held > 0) this.#timer ??= setTimeout(() => this.#tick(), TICK_MS)
  }

  #release(end: (run: Run) => number): void {
    const ready: TraceItem[] = []
    for (const run of this.#runs) {
      const stop = end(run)
      for (; run.next < stop; run.next++) ready.push(run.items[run.next]!)
    }
    this.#held -= ready.length
    this.#runs = this.#runs.filter(({ items, next }) => next < items.length)
    if (ready.length > 0) this.deliver(ready.sort(byTimeAndStream))
  }
}

const byTime = (a: TraceItem, b: TraceItem): number => a.seconds - b.seconds || a.nanoseconds - b.nanoseconds

/** At one time, as `view` has it: by trace uuid, then by stream number; of one stream, as they came. */
function byTimeAndStream(a: TraceItem, b: TraceItem): number {
  const time = a.seconds - b.seconds || a.nanoseconds - b.nanoseconds
  if (time !== 0) return time
  if (a.trace.uuid !== b.trace.uuid) return a.trace.uuid < b.trace.uuid ? -1 : 1
  return a.stream - b.stream
}
