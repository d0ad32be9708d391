// relay/src/recording/live/follower.ts: one who watches: which events, and those not yet taken, as lines of JSON.
// followers.ts pushes, the follower's session takes. While it is full new events are dropped, and counted; a loss in
// the process is kept as a sum, one for each stream, and told once there is room.

import { compilePatterns } from '../../common/glob.js'
import type { Wait } from '../../common/wait.js'
import { type TraceInfo, TraceLoss, type TraceTracepoint } from '../../ctf/model.js'
import { formatJson } from '../../ctf/print/json.js'
import type { TraceItem } from '../../ctf/read/merge.js'
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
  /** Losses that came while it was full, by trace and stream. */
  #losses = new Map<TraceInfo, Map<number, TraceLoss>>()

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

  /** For want of room: an event is counted, a loss is added to those of its stream. */
  drop(item: TraceItem): void {
    if (item.kind === 'event') this.#dropped++
    else {
      const streams = this.#losses.get(item.trace) ?? new Map<number, TraceLoss>()
      const before = streams.get(item.stream)
      streams.set(item.stream, before === undefined ? item : sum(before, item))
      this.#losses.set(item.trace, streams)
    }
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
    if (!this.full) this.#tellLosses()
    return { events, dropped }
  }

  #tellLosses(): void {
    const losses = [...this.#losses.values()].flatMap((streams) => [...streams.values()])
    this.#losses.clear()
    for (const loss of losses) this.push(formatJson(loss))
  }
}

/** From the first to the last. */
const sum = (a: TraceLoss, b: TraceLoss): TraceLoss =>
  new TraceLoss(
    a.trace,
    a.stream,
    a.seconds,
    a.nanoseconds,
    b.until,
    a.events + b.events,
    a.packets + b.packets,
  )

function remembered<Key extends object>(
  known: WeakMap<Key, boolean>,
  key: Key,
  find: () => boolean,
): boolean {
  const found = known.get(key) ?? find()
  known.set(key, found)
  return found
}
