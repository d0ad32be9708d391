// relay/src/protocol/strict-reader.ts: Apache's reader of the binary protocol over one frame, which believes no length in it: of the
// strict one, or of either. A frame may not claim more elements than its bytes can hold: that is checked before one is made.
// The relay reads calls with it, the clients answers.

import { thrift } from './wire.js'

/** The smallest struct that is listed, a LogEntry with nothing in it, takes 15 bytes; of all else only strings are. */
const STRUCT_BYTES = 15
const STRING_BYTES = 4

export class StrictReader extends thrift.TBinaryProtocol {
  #left: number

  constructor(frame: Buffer, strict = true) {
    super(new thrift.TFramedTransport(frame), strict, true)
    this.#left = frame.length
  }

  /** A name of the protocol that is not strict comes as bytes from Apache's reader. */
  override readMessageBegin() {
    const begin = super.readMessageBegin()
    return { ...begin, fname: String(begin.fname) }
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

  #counted<T extends { size: number; etype?: number }>(begin: T): T {
    this.#left -= begin.size * (begin.etype === thrift.Thrift.Type.STRING ? STRING_BYTES : STRUCT_BYTES)
    if (begin.size < 0 || this.#left < 0) {
      throw new Error(`a container claims ${begin.size} elements, more than its frame can hold`)
    }
    return begin
  }
}
