// lib/transform/parser.ts: the thread that makes modules' tracepoint calls static, one after the other: parser-thread.ts starts it and waits.
import { type MessagePort, workerData } from 'node:worker_threads'
import { Finder } from './finder.js'
import { transformed } from './load.js'
import type { Source } from './syntax.js'

export interface ParserData {
  readonly own: string
  readonly counts: Uint32Array
  readonly tells: boolean
  readonly port: MessagePort
  /** One word, which becomes 1 when the answer to a request is on the port. */
  readonly answered: Int32Array
}

export interface Request {
  readonly source: Source
  readonly text: string
}

const { own, counts, tells, port, answered } = workerData as ParserData
const changing = { finder: new Finder(own), counts, tells }

port.on('message', ({ source, text }: Request) => {
  port.postMessage(transformed(source, text, changing))
  Atomics.store(answered, 0, 1)
  Atomics.notify(answered, 0)
})
