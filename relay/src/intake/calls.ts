// relay/src/intake/calls.ts: from a frame to a call on its session and back to the bytes of its answer.
// The first call says which service it is: Relay, or Fleet where it is greet.
// The connection calls answer(); reading and writing are Apache's runtime and the code it generated.

import { FleetSession } from '../fleet/fleet-session.js'
import type { Owner } from '../store/processes.js'
import { StrictReader } from '../strict-reader.js'
import { fleet, service, thrift } from '../wire.js'
import { type House, Session } from './session.js'
import type { Side } from './side.js'

/** Who speaks is not known before the first call. */
const FIRST_OF_FLEET = 'greet'

export class Calls {
  /** Who speaks: a traced process, until its first call says otherwise. */
  side: Side
  #processor: { process(input: object, output: object): void }
  #spoken = false

  constructor(
    readonly house: House,
    owner: Owner,
  ) {
    const session = new Session(house, owner)
    this.side = session
    this.#processor = new service.Processor(session)
  }

  /** Throws where the frame is no call at all; what a call is refused for is in the answer. */
  answer(frame: Buffer): Promise<Buffer> {
    if (!this.#spoken) this.#first(frame)
    return new Promise((resolve) => {
      const flushed = (answer: Buffer | undefined) => resolve(answer!)
      const output = new thrift.TBinaryProtocol(new thrift.TFramedTransport(undefined, flushed), true, true)
      this.#processor.process(new StrictReader(frame), output)
    })
  }

  #first(frame: Buffer): void {
    this.#spoken = true
    if (new StrictReader(frame).readMessageBegin().fname !== FIRST_OF_FLEET) return
    const session = new FleetSession(this.house)
    this.side = session
    this.#processor = new fleet.Processor(session)
  }
}
