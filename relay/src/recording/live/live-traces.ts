// relay/src/recording/live/live-traces.ts: recordings that are kept nowhere: their events go to a feed, as they come.
// A relay without an output folder has these. Acknowledged is what the feed holds; what is kept of a process is where
// its streams are and what it declared, so that it can go on after a lost connection. Of those that are gone, the
// newest KEPT are kept. A put with an event that is not as declared is refused, since nobody could read it later.

import { uuidOf } from '../../ctf/epochs.js'
import { context } from '../../ctf/from-wire.js'
import { contextText, dashed } from '../../ctf/metadata.js'
import type { TraceInfo } from '../../ctf/model.js'
import { Decoders, PacketError } from '../../ctf/packet-reader.js'
import { PutDecoder } from '../../ctf/put-decoder.js'
import type { Process } from '../../protocol/check/hello.js'
import { malformed, refuse } from '../../protocol/check/refuse.js'
import type { Tracepoint } from '../../protocol/wire.js'
import { Declared } from '../declared.js'
import { type Mark, NOTHING, type PutMark } from '../mark.js'
import { follow } from '../put.js'
import type { Recorder, Recording } from '../recording.js'
import type { Feed } from './feed.js'

const KEPT = 64
const MAX_STREAMS = 4096

export class LiveTraces implements Recorder {
  readonly #gone = new Map<string, LiveTrace>() // the newest last

  constructor(readonly feed: Feed) {}

  async open(process: Process): Promise<Recording> {
    const { uuid } = process
    const known = this.#gone.get(dashed(uuid))
    if (known && contextText(known.process.contexts) !== contextText(process.contexts)) {
      refuse('MALFORMED', 'hello.contexts differ from those this trace began with; expected the same')
    }
    this.#gone.delete(dashed(uuid))
    return known ?? new LiveTrace(process, this.feed, (trace) => this.#keep(trace))
  }

  #keep(trace: LiveTrace): void {
    this.#gone.set(trace.info.uuid, trace)
    if (this.#gone.size > KEPT) this.#gone.delete(this.#gone.keys().next().value!)
  }
}

class LiveTrace implements Recording {
  readonly followed = true
  readonly info: TraceInfo
  readonly #marks = new Map<number, Mark>()
  readonly #declared: Declared
  readonly #decoder: PutDecoder

  constructor(
    readonly process: Process,
    readonly feed: Feed,
    readonly closed: (trace: LiveTrace) => void,
  ) {
    const { uuid, hostname, program, pid, session, bootId, clockOffset, contexts } = process
    this.info = {
      ...{ folder: '', uuid: dashed(uuid), hostname, program, pid, session, bootId: dashed(bootId) },
      ...{ offset: clockOffset, contexts: contexts.map(context), tracepoints: [] },
    }
    this.#declared = new Declared('', [], this.info.tracepoints)
    this.#decoder = new PutDecoder(new Decoders(this.info, () => true))
  }

  get streams(): number[] {
    return [...this.#marks.keys()].sort((a, b) => a - b)
  }

  async held(stream: number): Promise<Mark> {
    return this.#marks.get(stream) ?? NOTHING
  }

  async declare(tracepoints: Tracepoint[]): Promise<void> {
    this.#declared.add(this.#declared.check(tracepoints))
  }

  async put(stream: number, given: PutMark, packets: Buffer): Promise<boolean> {
    const mark = this.#marks.get(stream) ?? NOTHING
    if (given.sequence <= mark.sequence) return false
    if (mark === NOTHING && this.#marks.size >= MAX_STREAMS)
      malformed('put.stream', stream, `at most ${MAX_STREAMS} streams a process`)
    const next = follow(mark, given, packets, uuidOf(this.process.uuid, given.epoch), stream)
    try {
      const items = this.#decoder.decode(stream, mark, given.epoch, packets)
      this.#marks.set(stream, next)
      this.feed.hold(items)
    } catch (error) {
      if (!(error instanceof PacketError)) throw error
      refuse('MALFORMED', `stream ${stream}, put ${given.sequence}: ${error.message} in one of its packets`)
    }
    return true
  }

  async close(): Promise<void> {
    this.closed(this)
  }
}
