// relay/src/ctf/read/merge.ts: the streams of all traces at a path, in the order of time: a heap of cursors.
// view.ts, read-trace.ts and sql/ drive it. Memory is one chunk a stream, however long the trace.
// At one time babeltrace2's order holds: by trace uuid, then by stream number.

import {
  TraceError,
  type TraceEvent,
  type TraceInfo,
  type TraceLoss,
  type TraceTracepoint,
} from '../model.js'
import { splitTime } from '../packet-walk.js'
import { PayloadReaders, type ReadPayload } from '../payload-readers.js'
import { Cursor } from './cursor.js'
import { findTraces, type OnFault } from './find.js'
import { parseMoment, resolveMoment } from './moment.js'

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

/** The streams of a path, and what of them is asked for. */
export interface MergeOptions extends Omit<ReadOptions, 'patterns'> {
  /** Whether events of that provider:event are wanted. */
  wants(name: string): boolean
}

export class Merge {
  readonly #heap = new Heap()
  readonly #since: bigint | undefined
  readonly #sinceTime: [number, number] | undefined
  readonly #untilTime: [number, number] | undefined
  #top: Cursor | undefined

  /** `compile` makes what reads the payloads of a tracepoint's events. */
  constructor(
    path: string,
    options: MergeOptions,
    compile: (info: TraceInfo, tracepoint: TraceTracepoint) => ReadPayload,
  ) {
    const sinceGiven = options.since === undefined ? undefined : parseMoment('since', options.since)
    const untilGiven = options.until === undefined ? undefined : parseMoment('until', options.until)
    const onFault = (error: TraceError) => {
      if (options.onFault === undefined) throw error
      options.onFault(error)
    }
    const cursors = findTraces(path, options.onFault).flatMap(({ info, streams }) => {
      const readers = new PayloadReaders(info, options.wants, compile)
      return streams.map((stream) => new Cursor(readers, stream, onFault))
    })
    cursors.sort((a, b) => compareText(a.readers.info.uuid, b.readers.info.uuid) || a.stream - b.stream)
    const begins = cursors.flatMap((cursor) => beginOf(cursor, options) ?? [])
    const start = begins.sort((a, b) => Number(a - b))[0] ?? 0n
    this.#since = sinceGiven && resolveMoment(sinceGiven, start)
    const until = untilGiven && resolveMoment(untilGiven, start)
    this.#sinceTime = this.#since === undefined ? undefined : splitTime(this.#since)
    this.#untilTime = until === undefined ? undefined : splitTime(until)
    for (const [rank, cursor] of cursors.entries()) {
      cursor.rank = rank
      if (cursor.advance(this.#since)) this.#heap.push(cursor)
    }
  }

  /** The cursor that stands before what comes next in time: a loss, or an event whose payload is to be read at once. */
  next(): Cursor | undefined {
    for (;;) {
      if (this.#top !== undefined) {
        if (this.#top.advance(this.#since)) this.#heap.sink()
        else this.#heap.pop()
      }
      const top = this.#heap.top
      this.#top = top
      if (top === undefined || (this.#untilTime !== undefined && isLater(top, this.#untilTime)))
        return undefined
      if (this.#sinceTime === undefined || !this.#isBefore(top, this.#sinceTime)) return top
      if (top.loss === undefined) top.readPayload('skip')
    }
  }

  /** A loss counts to its end. */
  #isBefore(cursor: Cursor, since: [number, number]): boolean {
    if (cursor.loss !== undefined) return cursor.loss.until < this.#since!
    return cursor.seconds < since[0] || (cursor.seconds === since[0] && cursor.nanoseconds < since[1])
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

const isLater = ({ seconds, nanoseconds }: Cursor, [limit, rest]: [number, number]): boolean =>
  seconds > limit || (seconds === limit && nanoseconds > rest)

function before(a: Cursor, b: Cursor): boolean {
  if (a.seconds !== b.seconds) return a.seconds < b.seconds
  if (a.nanoseconds !== b.nanoseconds) return a.nanoseconds < b.nanoseconds
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
