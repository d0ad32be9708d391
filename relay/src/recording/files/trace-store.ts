// relay/src/recording/files/trace-store.ts: the folder of traces of a running relay: repaired at its start, held open so that others see that it is in
// use, and kept within its limits. startRelay() opens one where it was given an output; processes' recordings are trace.ts.

import { type FileHandle, open } from 'node:fs/promises'
import { type RepairedFile, repairedFile, repairTraces } from './repair-traces.js'
import { TraceFiles } from './trace.js'
import {
  type KeptTraces,
  type RemovedTraces,
  removeOldTraces,
  type TraceRetention,
} from './trace-retention.js'

/** How often it looks what is there; longer where looking takes long. */
const LOOK_MS = 10_000
const LOOK_SHARE = 20

export interface TraceCounts {
  kept: KeptTraces
  /** Since the relay began. */
  removed: RemovedTraces
  /** What its disk lost, as far as it noticed: files, bytes of them that are cut off, and events that were stored. */
  repaired: { streams: number; bytes: number; events: number }
}

export interface TraceStoreOptions {
  retention: TraceRetention
  log: (line: string) => void
}

export class TraceStore {
  readonly files: TraceFiles
  readonly counts: TraceCounts = {
    kept: { traces: 0, bytes: 0, isOver: false },
    removed: { traces: 0, bytes: 0, events: 0 },
    repaired: { streams: 0, bytes: 0, events: 0 },
  }
  #folder: FileHandle | undefined
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()
  #trouble: string | undefined

  constructor(
    readonly output: string,
    readonly options: TraceStoreOptions,
  ) {
    this.files = new TraceFiles(output, (path, recovery) => this.#repaired(repairedFile(path, recovery)))
  }

  /** Before anything is recorded. `behindMs`: for how long puts wait to be read from their files. */
  async begin(behindMs: () => number): Promise<void> {
    this.#folder = await open(this.output, 'r')
    const { repaired, setAside, failed } = await repairTraces(this.output, { isAtStart: true })
    for (const file of repaired) this.#repaired(file)
    for (const path of setAside)
      this.options.log(`${this.#short(path)}: its metadata cannot be read; set aside`)
    for (const { path, message } of failed) this.options.log(`${this.#short(path)}: not repaired: ${message}`)
    await this.#look(behindMs)
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#looking
    clearTimeout(this.#timer)
    await this.#folder?.close()
  }

  async #look(behindMs: () => number): Promise<void> {
    const from = performance.now()
    try {
      const { retention } = this.options
      const isOpen = (session: string) => this.files.sessions.has(session)
      const { removed, kept } = await removeOldTraces(this.output, retention, {
        isOpen,
        behindMs: behindMs(),
      })
      this.counts.kept = kept
      for (const key of ['traces', 'bytes', 'events'] as const) this.counts.removed[key] += removed[key]
      if (removed.traces > 0)
        this.options.log(
          `${removed.traces} traces removed, the oldest: ${removed.events} events, ${removed.bytes} bytes`,
        )
      this.#trouble = undefined
    } catch (error) {
      this.#fail(error as Error)
    }
    const took = performance.now() - from
    this.#timer = setTimeout(
      () => {
        this.#looking = this.#look(behindMs)
      },
      Math.max(LOOK_MS, took * LOOK_SHARE),
    ).unref()
  }

  /** Once, until it is another. */
  #fail({ message }: Error): void {
    if (message !== this.#trouble) this.options.log(`traces: ${message}`)
    this.#trouble = message
  }

  #repaired({ path, cutBytes, missingEvents }: RepairedFile): void {
    const { repaired } = this.counts
    repaired.streams++
    repaired.bytes += cutBytes
    repaired.events += missingEvents
    const what = `${cutBytes} bytes are cut off, ${missingEvents} events are missing`
    this.options.log(`${this.#short(path)}: the disk lost what was stored there: ${what}`)
  }

  #short(path: string): string {
    return path.replace(`${this.output}/`, '')
  }
}
