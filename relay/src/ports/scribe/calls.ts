// relay/src/ports/scribe/calls.ts: the calls of one client of Scribe, in the strict protocol or in the one before it: it is answered as
// it asks. The connection calls answer(). So many calls of all clients are read at once, since one that is read takes some ten
// times the bytes of its frame; the others wait as they came.

import type { Semaphore } from '../../common/semaphore.js'
import { StrictReader } from '../../protocol/strict-reader.js'
import { scribe } from '../../protocol/wire.js'
import { processed, type Speaker } from '../speaker.js'
import type { ScribeSession } from './session.js'

/** Nobody waits for an answer to these, and no stranger stops the relay or makes it begin anew. */
const ignored = new Set(['shutdown', 'reinitialize'])

export class ScribeCalls implements Speaker {
  readonly #processor

  constructor(
    readonly side: ScribeSession,
    readonly turns: Semaphore,
  ) {
    this.#processor = new scribe.Processor(side)
  }

  async answer(frame: Buffer): Promise<Buffer | undefined> {
    const { fname } = new StrictReader(frame, false).readMessageBegin()
    if (ignored.has(fname)) return undefined
    const isStrict = frame[0]! >= 0x80
    return this.turns.take(() => processed(this.#processor, new StrictReader(frame, false), isStrict))
  }
}
