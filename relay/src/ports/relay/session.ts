// relay/src/ports/relay/session.ts: what one traced process has said so far on its connection, and the calls it may make.
// The generated processor calls it, one call at a time. It checks, then stores; it knows no socket and no bytes.
// The generated code counts the parameters of a call to tell promises from callbacks: no defaults, none left out.

import type { Subject } from '../../common/rejections.js'
import { Wait } from '../../common/wait.js'
import { isStream, STREAMS } from '../../ctf/streams.js'
import { checkEnabled, type Enabled } from '../../protocol/check/enabled.js'
import { checkEpoch, checkHello } from '../../protocol/check/hello.js'
import { counter, int, malformed, reasonOf, refuse } from '../../protocol/check/refuse.js'
import { type Hello, type Int64, i64, type Put, type Tracepoint, types } from '../../protocol/wire.js'
import type { Entry, Owner } from '../../recording/processes.js'
import type { Recording } from '../../recording/recording.js'
import type { SessionContext } from '../context.js'
import type { Side } from '../side.js'

const MAX_PUT = 2 ** 20

export class Session implements Side {
  #trace: Recording | undefined
  #entry: Entry | undefined
  /** Set where nothing more may be said after this answer. */
  finished: string | undefined
  isRefused = false
  wait: Wait | undefined
  /** The version of the rules that this connection was told last. */
  #told = 0

  constructor(
    readonly context: SessionContext,
    readonly owner: Owner,
  ) {}

  get greeted(): boolean {
    return this.#trace !== undefined
  }

  get belongs(): boolean {
    return this.greeted
  }

  /** For logs: which process this is, once it has said so. */
  get name(): string {
    return this.#trace
      ? `${this.#trace.process.program} (pid ${this.#trace.process.pid})`
      : 'a client without hello'
  }

  hello(hello: Hello) {
    return this.#counted('hello', () => this.#hello(hello).catch((error) => this.#finish(error)))
  }

  declareTracepoints(tracepoints: Tracepoint[]): Promise<void> {
    return this.#counted('declaration', () => this.#declare(tracepoints))
  }

  put(put: Put) {
    return this.#counted('put', () => this.#put(put))
  }

  async #hello(hello: Hello) {
    if (this.#entry) malformed('hello', 'a second one', 'one a connection')
    const process = checkHello(hello, this.context.rightsOf)
    const entry = await this.context.processes.claim(process, this.owner)
    this.#entry = entry
    try {
      const trace = await this.context.recorder.open(process)
      const held = []
      for (const stream of trace.streams) {
        const mark = await trace.held(stream)
        entry.note(stream, mark)
        if (mark.sequence === 0 && mark.packets === 0) continue
        held.push(
          new types.Held({
            stream,
            sequence: i64(mark.sequence),
            position: i64(mark.position),
            bytes: i64(mark.bytes),
            packets: i64(mark.packets),
            lastTime: i64(mark.lastTime),
            lost: i64(mark.lost),
            events: i64(mark.events),
            epoch: mark.epoch.number,
            lostBefore: i64(mark.lostBefore),
            unstored: i64(mark.unstored),
          }),
        )
      }
      entry.opened(trace.info)
      this.#trace = trace
      return new types.HelloReply({
        version: types.PROTOCOL_VERSION,
        tracepoints: trace.info.tracepoints.length,
        held,
        rules: this.#rules(),
        epochs: true,
      })
    } catch (error) {
      this.#entry = undefined
      this.context.processes.leave(entry)
      throw error
    }
  }

  async #declare(tracepoints: Tracepoint[]): Promise<void> {
    const trace = this.#greeted()
    if (tracepoints === null) malformed('tracepoints', null, 'a list')
    await trace.declare(tracepoints)
    this.context.processes.keepNames(tracepoints)
  }

  async #put(put: Put) {
    const trace = this.#greeted()
    if (put === null) malformed('put', null, 'a Put')
    const { stream } = put
    if (stream === null || !isStream(stream)) malformed('put.stream', stream, STREAMS)
    const packets = put.packets as Buffer | null
    if (packets === null || packets.length > MAX_PUT)
      malformed('put.packets', packets, `at most ${MAX_PUT} bytes`)
    if (put.lost === null) malformed('put.lost', null, 'a Lost')
    const mark = {
      epoch: checkEpoch(put, trace.process),
      sequence: counter('put.sequence', put.sequence),
      position: counter('put.position', put.position),
      events: int('put.events', put.events, 0, packets.length),
      noRoom: counter('put.lost.noRoom', put.lost.noRoom),
      tooBig: counter('put.lost.tooBig', put.lost.tooBig),
      badValue: counter('put.lost.badValue', put.lost.badValue),
      noRing: counter('put.lost.noRing', put.lost.noRing),
      overwritten: put.lost.overwritten ? counter('put.lost.overwritten', put.lost.overwritten) : 0,
      unstored: put.lost.unstored ? counter('put.lost.unstored', put.lost.unstored) : 0,
    }
    if (mark.sequence === 0) malformed('put.sequence', 0, '1 or more')
    if (await trace.put(stream, mark, packets)) {
      this.context.processes.stored(this.#entry!, stream, await trace.held(stream))
    }
    const changed = this.context.rules.version !== this.#told ? { rules: this.#rules() } : {}
    return new types.PutReply({ stream, sequence: put.sequence, followed: trace.followed, ...changed })
  }

  async rules(known: Int64, waitMs: number) {
    this.#greeted()
    const has = counter('known', known)
    const ms = int('waitMs', waitMs, 0, 2 ** 31 - 1)
    if (this.context.rules.version <= has) {
      const wait = new Wait(ms)
      this.wait = wait
      const forget = this.context.rules.onChange(() => wait.end())
      await wait.over
      forget()
      this.wait = undefined
    }
    return this.#rules()
  }

  enabled(enabled: Enabled): Promise<void> {
    return this.#counted('declaration', async () => {
      this.#greeted()
      this.#entry!.enabled = checkEnabled(enabled)
    })
  }

  /** Lets go of the trace: its files are closed, and another connection may have it. */
  async close(): Promise<void> {
    this.wait?.end()
    await this.#trace?.close()
    if (this.#entry) this.context.processes.leave(this.#entry)
  }

  /** What is refused is counted. Its process has it still, and comes again; but not who is sent away. */
  async #counted<Reply>(what: Subject, call: () => Promise<Reply>): Promise<Reply> {
    try {
      return await call()
    } catch (error) {
      const reason = reasonOf(error)
      const isOwnFault = reason !== 'SEQUENCE' || !this.isRefused // puts behind one that was refused leave a gap
      this.isRefused = true
      const why = `${this.name}: ${(error as Error).message}`
      if (this.finished === undefined && isOwnFault) this.context.reject(what, reason, why, { isLost: false })
      throw error
    }
  }

  /** Who speaks another version, or has no right to be here, is told so and goes. */
  #finish(error: unknown): never {
    const isFinal = [types.Refusal.VERSION, types.Refusal.TOKEN].includes(
      (error as { reason: number }).reason,
    )
    if (isFinal) this.finished = (error as Error).message
    throw error
  }

  /** Those for this process; from now on it was told. */
  #rules() {
    this.#told = this.context.rules.version
    return this.context.rules.for(this.#trace!.process.program)
  }

  #greeted(): Recording {
    return this.#trace ?? refuse('NO_HELLO', 'nothing was said before this call; expected hello first')
  }
}
