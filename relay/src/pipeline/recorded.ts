// relay/src/pipeline/recorded.ts: spans of what traced processes record: puts that are in their files are read in turn, a slice of time at once,
// and assembled. The pipeline owns one. While the store has no room for more spans no further put is read.

import type { Reject } from '../common/rejections.js'
import { Assembler } from '../spans/assembly/assembler.js'
import type { Span } from '../spans/span.js'
import { Backlog } from './backlog.js'
import type { Note } from './notes.js'
import type { Progress } from './progress.js'
import type { Writer } from './store/writer.js'

/** For so long at most puts are read before anything else has a turn. */
const SLICE_MS = 20
/** Who asks waits for so long at most until what was put before is read. */
const CATCH_UP_MS = 2000

/** Where assembled spans go. */
interface SpanTaker {
  take(spans: Span[]): void
  changed(): void
}

export class RecordedSpans {
  readonly assembler = new Assembler()
  readonly backlog: Backlog
  #reading: Promise<void> | undefined

  constructor(
    readonly taker: SpanTaker,
    readonly writer: Writer,
    reject: Reject,
    progress: Progress | undefined,
  ) {
    this.backlog = new Backlog(this.assembler, reject, progress)
  }

  /** Of what was put, in its order. */
  note(notes: readonly Note[]): void {
    this.backlog.add(notes)
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
  }

  /** Resolves when nothing is left to read. */
  get isRead(): Promise<void> {
    return this.#reading ?? Promise.resolve()
  }

  /** All that it was told of until now is read, but for what would take too long. `hurry`: somebody waits, or no longer. */
  async catchUp(hurry: (isHurried: boolean) => void): Promise<void> {
    const { told } = this.backlog
    const latest = performance.now() + CATCH_UP_MS
    if (this.backlog.done < told) {
      hurry(true)
      while (this.backlog.done < told && performance.now() < latest) await new Promise(setImmediate)
      hurry(false)
    }
    this.assemble()
  }

  /** Hands on the spans that are whole by now. */
  assemble(): void {
    this.taker.take(this.assembler.due(this.backlog.now))
  }

  async #read(): Promise<void> {
    const { backlog, writer } = this
    while (!backlog.isEmpty) {
      const until = performance.now() + SLICE_MS
      while (!backlog.isEmpty && performance.now() < until && writer.hasRoom(1)) backlog.read()
      this.assemble()
      this.taker.changed()
      if (writer.hasRoom(1)) await new Promise(setImmediate)
      else await writer.flush()
    }
  }
}
