// relay/src/intake/calls.ts: from a frame to a call on the session and back to the bytes of its answer.
// The connection calls answer(); reading and writing are Apache's runtime and the code it generated.

import { StrictReader } from '../strict-reader.js'
import { service, thrift } from '../wire.js'
import type { Session } from './session.js'

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
