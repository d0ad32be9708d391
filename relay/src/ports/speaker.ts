// relay/src/ports/speaker.ts: from a frame to a call on somebody's side and back to the bytes of its answer.
// A connection has one: calls.ts for traced processes and controllers, scribe/calls.ts for Scribe's clients. Reading and writing
// are Apache's runtime and the code it generated.

import { thrift } from '../protocol/wire.js'
import type { Side } from './side.js'

export interface Speaker {
  /** Who speaks. */
  readonly side: Side
  /** Throws where the frame is no call at all; what a call is refused for is in the answer. Undefined: nobody waits for one. */
  answer(frame: Buffer): Promise<Buffer | undefined>
}

export interface Processor {
  process(input: object, output: object): void
}

/** What the processor makes of a call that has an answer, which it calls for itself. */
export function processed(processor: Processor, input: object, strict: boolean): Promise<Buffer> {
  return new Promise((resolve) => {
    const flushed = (answer: Buffer | undefined) => resolve(answer!)
    processor.process(
      input,
      new thrift.TBinaryProtocol(new thrift.TFramedTransport(undefined, flushed), true, strict),
    )
  })
}
