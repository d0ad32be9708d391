// lib/transform/parser-thread.ts: what makes modules' tracepoint calls static, in a thread of its own (parser.ts), as the thread that loads
// them sees it: it waits for each. static-calls.ts has one from Node 22.15 on.
//
// A tree is many times its text. Made in the program's own heap it would let the young generation grow for good, and buffers
// would wait longer to be collected: that took a program that moves 64 KiB at a time a third of its speed.

import { clearTimeout, setTimeout } from 'node:timers'
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { ParserData, Request } from './parser.js'

/** A module that takes longer stays as it is, and so do all after it. */
const WAIT_MS = 10_000
/** Modules are loaded in bursts; after one the thread ends, and the next starts another. */
const IDLE_MS = 1000

export class ParserThread {
  #worker: Worker | undefined
  #port: MessagePort | undefined
  #idle: NodeJS.Timeout | undefined
  readonly #answered = new Int32Array(new SharedArrayBuffer(4))
  #gaveUp = false

  constructor(
    readonly file: URL,
    readonly data: Pick<ParserData, 'own' | 'counts' | 'tells'>,
  ) {}

  /** What load.ts makes of it; the text as it came where no thread can be had. */
  transformed(request: Request): string {
    if (this.#gaveUp) return request.text
    clearTimeout(this.#idle)
    try {
      this.#port ??= this.#start()
      Atomics.store(this.#answered, 0, 0)
      this.#port.postMessage(request)
      Atomics.wait(this.#answered, 0, 0, WAIT_MS)
      const answer = receiveMessageOnPort(this.#port)
      if (answer === undefined) this.#gaveUp = true
      return answer === undefined ? request.text : (answer.message as string)
    } catch {
      this.#gaveUp = true // under --permission, where no thread may be started
      return request.text
    } finally {
      if (this.#gaveUp) this.#end()
      else this.#idle = setTimeout(() => this.#end(), IDLE_MS).unref()
    }
  }

  #start(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    const workerData: ParserData = { ...this.data, port: port2, answered: this.#answered }
    this.#worker = new Worker(this.file, {
      ...{ workerData, transferList: [port2], name: 'blkin-parser' },
      ...{ execArgv: [], env: {} }, // it is not traced, and loads nothing of the program's
    })
    this.#worker.on('error', () => {}) // then nothing is answered
    this.#worker.unref()
    port1.unref()
    return port1
  }

  #end(): void {
    void this.#worker?.terminate()
    this.#port?.close()
    this.#worker = this.#port = undefined
  }
}
