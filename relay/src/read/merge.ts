// relay/src/read/merge.ts: all items of all traces at a path, in the order of time: a heap of cursors.
// view.ts drives it, and readTrace() hands it to programs. Memory is one chunk a stream, however long the trace.
// At one time babeltrace2's order holds: by trace uuid, then by stream number.

import { setImmediate } from 'node:timers/promises'
import { Cursor } from './cursor.js'
import { findTraces, type OnFault } from './find.js'
import { compilePatterns } from './glob.js'
import { TraceError, type TraceEvent, type TraceLoss } from './model.js'
import { parseMoment, resolveMoment } from './moment.js'
import { Decoders } from './packet-reader.js'

export interface ReadOptions {
  /** provider:event, `*` for any run of characters short of the colon. None given: all. Losses always come. */
  patterns?: string[]
  /** See moment.ts for what may stand here. */
  since?: string
  until?: string
  /** Called with a trace that is not ours or is broken, which is passed over; where it is missing, that is thrown. */
  onFault?: OnFault
}

export type TraceItem = TraceEvent | TraceLoss

/** Hands out items, and lets the event loop breathe between them. */
export async function* readTrace(path: string, options: ReadOptions = {}): AsyncGenerator<TraceItem> {
  let count = 0
  for (const item of readItems(path, options)) {
    if (++count % 4096 === 0) await setImmediate()
    yield item
  }
}

export function* readItems(path: string, options: ReadOptions): Generator<TraceItem> {
  const wants = compilePatterns(options.patterns ?? [])
  const sinceGiven = options.since === undefined ? undefined : parseMoment('since', options.since)
  const untilGiven = options.until === undefined ? undefined : parseMoment('until', options.until)
  const tell = (error: unknown) => {
    if (!(error instanceof TraceError) || options.onFault === undefined) throw error
    options.onFault(error)
  }
  const cursors = findTraces(path, options.onFault).flatMap(({ info, streams }) => {
    const decoders = new Decoders(info, wants)
    return streams.map((stream) => new Cursor(decoders, stream))
  })
  cursors.sort((a, b) => compareText(a.decoders.info.uuid, b.decoders.info.uuid) || a.stream - b.stream)
  const begins = cursors.flatMap((cursor) => beginOf(cursor, options) ?? [])
  const start = begins.sort((a, b) => Number(a - b))[0] ?? 0n
  const since = sinceGiven && resolveMoment(sinceGiven, start)
  const until = untilGiven && resolveMoment(untilGiven, start)
  const advance = (cursor: Cursor) => {
    try {
      return cursor.advance(since)
    } catch (error) {
      tell(error)
      return false
    }
  }

  const heap = new Heap()
  for (const [rank, cursor] of cursors.entries()) {
    cursor.rank = rank
    if (advance(cursor)) heap.push(cursor)
  }
  for (let cursor = heap.top; cursor !== undefined; cursor = heap.top) {
    const item = cursor.item
    if (until !== undefined && item.time > until) return
    if (since === undefined || (item.kind === 'loss' ? item.until : item.time) >= since) yield item
    if (advance(cursor)) heap.sink()
    else heap.pop()
  }
}

/** What is wrong with its first packet is told, or thrown, when it is read. */
function beginOf(cursor: Cursor, { onFault }: ReadOptions): bigint | undefined {
  try {
    return cursor.begin()
  } catch (error) {
    if (!(error instanceof TraceError) || onFault === undefined) throw error
    return undefined
  }
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function before(a: Cursor, b: Cursor): boolean {
  const one = a.item
  const two = b.item
  if (one.seconds !== two.seconds) return one.seconds < two.seconds
  if (one.nanoseconds !== two.nanoseconds) return one.nanoseconds < two.nanoseconds
  return a.rank < b.rank
}

class Heap {
  readonly #cursors: Cursor[] = []

  get top(): Cursor | undefined {
    return this.#cursors[0]
  }

  push(cursor: Cursor): void {
    let at = this.#cursors.push(cursor) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(cursor, this.#cursors[parent]!)) break
      this.#cursors[at] = this.#cursors[parent]!
      at = parent
    }
    this.#cursors[at] = cursor
  }

  pop(): void {
    const last = this.#cursors.pop()!
    if (this.#cursors.length === 0) return
    this.#cursors[0] = last
    this.sink()
  }

  /** The top has moved on: puts it where it belongs now. */
  sink(): void {
    const cursors = this.#cursors
    const moved = cursors[0]!
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= cursors.length) break
      if (child + 1 < cursors.length && before(cursors[child + 1]!, cursors[child]!)) child++
      if (!before(cursors[child]!, moved)) break
      cursors[at] = cursors[child]!
      at = child
    }
    cursors[at] = moved
  }
}
