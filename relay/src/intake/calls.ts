// relay/src/intake/calls.ts: from a frame to a call on the session and back to the bytes of its answer.
// The connection calls answer(); reading and writing are Apache's runtime and the code it generated.
// A frame may not claim more list elements than its bytes can hold: that is checked before one is made.

import { service, thrift } from '../wire.js'
import type { Session } from './session.js'

/** The smallest struct of the IDL, a Label with a name of one letter, takes 20 bytes. */
const LEAST_ELEMENT_BYTES = 16

class StrictReader extends thrift.TBinaryProtocol {
  #elements: number

  constructor(frame: Buffer) {
    super(new thrift.TFramedTransport(frame), true, true)
    this.#elements = Math.floor(frame.length / LEAST_ELEMENT_BYTES)
  }

  override readListBegin() {
    return this.#counted(super.readListBegin())
  }

  override readSetBegin() {
    return this.#counted(super.readSetBegin())
  }

  override readMapBegin() {
    return this.#counted(super.readMapBegin())
  }

  #counted<T extends { size: number }>(begin: T): T {
    this.#elements -= begin.size
    if (begin.size < 0 || this.#elements < 0) {
      throw new Error(`a container claims ${begin.size} elements, more than its frame can hold`)
    }
    return begin
  }
}

export class Calls {
  readonly #processor: InstanceType<typeof service.Processor>

  constructor(session: Session) {
    this.#processor = new service.Processor(session)
  }

  /** Throws where the frame is no call at all; what a call is refused for is in the answer. */
  answer(frame: Buffer): Promise<Buffer> {
    return new Promise((resolve) => {
      const flushed = (answer: Buffer | undefined) => resolve(answer!)
      const output = new thrift.TBinaryProtocol(new thrift.TFramedTransport(undefined, flushed), true, true)
      this.#processor.process(new StrictReader(frame), output)
    })
  }
}
