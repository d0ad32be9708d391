// relay/src/ports/relay/calls.ts: the calls of one connection to the relay's port. The first says which service it is: Relay, or
// Fleet where it is greet. The connection calls answer().

import { StrictReader } from '../../protocol/strict-reader.js'
import { fleet, service } from '../../protocol/wire.js'
import type { Owner } from '../../recording/processes.js'
import type { SessionContext } from '../context.js'
import { FleetSession } from '../fleet/fleet-session.js'
import type { Side } from '../side.js'
import { type Processor, processed, type Speaker } from '../speaker.js'
import { Session } from './session.js'

/** Who speaks is not known before the first call. */
const FIRST_OF_FLEET = 'greet'

export class Calls implements Speaker {
  /** A traced process, until its first call says otherwise. */
  side: Side
  #processor: Processor
  #spoken = false

  constructor(
    readonly context: SessionContext,
    owner: Owner,
  ) {
    const session = new Session(context, owner)
    this.side = session
    this.#processor = new service.Processor(session)
  }

  answer(frame: Buffer): Promise<Buffer> {
    if (!this.#spoken) this.#first(frame)
    return processed(this.#processor, new StrictReader(frame), true)
  }

  #first(frame: Buffer): void {
    this.#spoken = true
    if (new StrictReader(frame).readMessageBegin().fname !== FIRST_OF_FLEET) return
    const session = new FleetSession(this.context)
    this.side = session
    this.#processor = new fleet.Processor(session)
  }
}
