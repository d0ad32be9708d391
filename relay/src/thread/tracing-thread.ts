// relay/src/thread/tracing-thread.ts: causal traces in a thread of their own (worker.ts), as the relay's own thread sees them. startRelay()
// owns one where it was asked for HTTP, Scribe or the like; recordings tell it of their puts by span-observer.ts.
//
// Puts are durable when they are told of, so the worker assembles behind them, nicer than all else. Only where it is further
// behind than MOST_BEHIND do puts wait: the relay's own thread does for spans what it does for events.

import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { Rejections } from '../common/rejections.js'
import { Lag, processUse } from '../metrics/process.js'
import { clock, type Note } from '../pipeline/notes.js'
import type { TracingOptions } from '../pipeline/options.js'
import { type Behind, Progress } from '../pipeline/progress.js'
import type { TracingStats } from '../pipeline/stats.js'
import { hasRoom, type Waiting } from '../pipeline/store/room.js'
import type { Tokens } from '../protocol/check/rights.js'
import type { RelayCounts } from '../report/counts.js'
import type { V1Span } from '../spans/formats/v1-span.js'
import type { FromWorker, ToWorker, WorkerData } from './messages.js'
import { Snapshot } from './snapshot.js'

/** Bytes of puts that were stored and are not assembled, and how many these are: of each its place is in memory. */
const MOST_BEHIND = 256 * 2 ** 20
const MOST_PUTS = 200_000
const LOOK_MS = 20
/** Puts are told of together; at once where somebody decides on what they hold. */
const TELL_MS = 100
const LAG_MS = 50
/**
 * Spans wait for a quarter of a second, which is more than the usual young generation holds: they would be moved to the old one,
 * and collected there.
 */
const YOUNG_MEGABYTES = 96

/** What the worker says of itself. */
export interface Counted {
  stats: TracingStats
  waiting: Waiting
}

export interface ThreadContext {
  tokens: Tokens
  version: string
  rejections: Rejections
  counts(): RelayCounts
}

const require = createRequire(import.meta.url)
/** Compiled, also where this file is not. */
const WORKER = join(dirname(require.resolve('../../package.json')), 'dist/thread/worker.js')

/** The program is a text of the command line, whose flags are for no file. */
const isText = process.execArgv.some((flag) => flag.startsWith('--input-type'))

export class TracingThread {
  httpAddress: string | undefined
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #snapshot = Snapshot.make<Counted>()
  readonly #progress = new Progress()
  readonly #lag = new Lag(LAG_MS)
  readonly #timer: NodeJS.Timeout
  #notes: Note[] = []
  #telling: NodeJS.Timeout | undefined
  /** Bytes, and spans by Scribe, that the worker was told of. */
  #told = 0
  #scribed = 0
  #ready!: (said: FromWorker) => void
  #closed: Promise<void> | undefined

  private constructor(
    output: string,
    readonly options: TracingOptions,
    readonly context: ThreadContext,
  ) {
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    const workerData: WorkerData & { port: MessagePort } = {
      ...{ output, options, tokens: context.tokens, version: context.version, port: port2 },
      ...{ snapshot: this.#snapshot.buffers, progress: this.#progress.buffer },
    }
    this.#worker = new Worker(WORKER, {
      ...{ workerData, transferList: [port2], name: 'blkin-spans' },
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
      ...(isText ? { execArgv: [] } : {}),
    })
    this.#worker.on('error', (error) => {
      throw error // as if it had been thrown here
    })
    port1.on('message', (said: FromWorker) => this.#hear(said))
    this.#timer = setInterval(() => this.#lag.tick(performance.now()), LAG_MS)
  }

  /** @throws TypeError, RangeError naming what was given, and what the system refuses, before anything is opened */
  static async start(
    output: string,
    options: TracingOptions,
    context: ThreadContext,
  ): Promise<TracingThread> {
    const thread = new TracingThread(output, options, context)
    const said = await new Promise<FromWorker>((ready) => (thread.#ready = ready))
    if (said.kind === 'failed') {
      await thread.#end()
      const Class = { TypeError, RangeError }[said.name] ?? Error
      throw Object.assign(new Class(said.message), said.code === undefined ? {} : { code: said.code })
    }
    if (said.kind === 'ready') thread.httpAddress = said.httpAddress
    return thread
  }

  note(note: Note): void {
    if (note.kind === 'put') this.#told += note.bytes
    this.#notes.push(note)
    this.#telling ??= setTimeout(() => this.#tell(), this.#decides ? 0 : TELL_MS)
  }

  /** Until it is not too far behind. */
  async room(): Promise<void> {
    while (this.behind.bytes > MOST_BEHIND || this.#notes.length + this.#progress.puts > MOST_PUTS) {
      this.#tell()
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }

  get behind(): Behind {
    const bytes = this.#told - this.#progress.read
    const [first] = this.#notes
    const own = first === undefined || first.kind === 'open' ? 0 : first.at
    const at = this.#progress.next || own
    return { bytes, ms: bytes === 0 || at === 0 ? 0 : Math.max(0, Math.round(clock() - at)) }
  }

  /** Takes spans that came by Scribe. False where there is no room now: then none came, for their sender still has them. */
  takeScribed(spans: V1Span[]): boolean {
    const { waiting } = this.#snapshot.read()!
    const onTheirWay = this.#scribed - this.#progress.scribed
    if (!hasRoom({ ...waiting, spans: waiting.spans + onTheirWay }, spans.length)) return false
    this.#scribed += spans.length
    this.#send({ kind: 'scribed', spans })
    return true
  }

  /** What the worker has said until now is heard first. */
  stats(): TracingStats {
    this.hear()
    return this.#snapshot.read()!.stats
  }

  /** What the worker has said, and has not been heard yet. */
  hear(): void {
    for (let got = receiveMessageOnPort(this.#port); got; got = receiveMessageOnPort(this.#port))
      this.#hear(got.message as FromWorker)
  }

  /** All that was put is assembled and stored, and spans that are still open are as they are. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#tell()
    const closed = new Promise<FromWorker>((ready) => (this.#ready = ready))
    this.#send({ kind: 'close' })
    await closed
    await this.#end()
  }

  /** Alerts and a sample are about what comes now. */
  get #decides(): boolean {
    return this.options.alerts !== undefined || this.options.sample !== undefined
  }

  #tell(): void {
    clearTimeout(this.#telling)
    this.#telling = undefined
    if (this.#notes.length === 0) return
    const notes = this.#notes
    this.#notes = []
    this.#send({ kind: 'notes', notes })
  }

  #send(message: ToWorker): void {
    this.#port.postMessage(message)
  }

  #hear(said: FromWorker): void {
    const { rejections, counts } = this.context
    if (said.kind === 'log') rejections.log(said.line)
    else if (said.kind === 'reject') rejections.reject(said.what, said.reason, said.message, said.more)
    else if (said.kind === 'ask') {
      this.#tell() // whoever asks is to know of all that is stored
      const own = { counts: counts(), use: processUse(this.#lag) }
      this.#send({ kind: 'answer', question: said.question, own })
    } else this.#ready(said)
  }

  async #end(): Promise<void> {
    clearInterval(this.#timer)
    clearTimeout(this.#telling)
    await this.#worker.terminate() // what it owns is closed, and what still waits there is nobody's
    this.hear()
    this.#port.close()
  }
}
