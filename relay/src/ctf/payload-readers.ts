// relay/src/ctf/payload-readers.ts: what reads the payloads of one trace's events, by tracepoint; each is made when first met.
// cursor.ts passes over the events that nobody wants; whoever drives it has the others read, by what it gave as `compile`.

import { compileSkipper } from './decode.js'
import type { TraceInfo, TraceTracepoint } from './model.js'
import { PacketError, type PacketWalk } from './packet-walk.js'

/** Reads the payload at the walk's place, contexts first, and moves the walk on to its end. */
export type ReadPayload = (walk: PacketWalk) => void

export class PayloadReaders {
  /** By the tracepoint's id; missing where it is not met yet. */
  readonly wanted: boolean[] = []
  readonly read: ReadPayload[] = []
  /** Make nothing of it. */
  readonly skip: ReadPayload[] = []

  constructor(
    readonly info: TraceInfo,
    readonly wants: (name: string) => boolean,
    readonly compile: (info: TraceInfo, tracepoint: TraceTracepoint) => ReadPayload,
  ) {}

  /** Makes the tracepoint's readers; true where its events are wanted. */
  meet(id: number): boolean {
    const { info } = this
    const tracepoint = info.tracepoints[id]
    if (tracepoint === undefined) throw new PacketError(`event id ${id} is in no metadata,`)
    const wanted = this.wants(`${tracepoint.provider}:${tracepoint.event}`)
    this.skip[id] = compileSkipper([...info.contexts, ...tracepoint.fields])
    this.read[id] = wanted ? this.compile(info, tracepoint) : this.skip[id]
    this.wanted[id] = wanted
    return wanted
  }
}
