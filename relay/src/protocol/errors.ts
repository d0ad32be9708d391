// relay/src/protocol/errors.ts: how a call of a controller fails: the other side said no, or there is no other side. What it says may be
// printed: the messages have nothing in them that a terminal obeys.

import { visible } from '../common/visible.js'

/** Characters of a message: the other side may be anybody, and an answer may be long. */
const MOST_LETTERS = 2000

const shown = (message: string): string => visible(message.slice(0, MOST_LETTERS))

/** As the enum Refusal of idl/blkin.thrift; spelled out, so that public types name nothing of the wire's. */
export type RefusalReason =
  | 'VERSION'
  | 'TOKEN'
  | 'NO_HELLO'
  | 'MALFORMED'
  | 'SEQUENCE'
  | 'STORAGE'
  | 'NO_SESSION'
  | 'EXISTS'
  | 'LIMIT'
  | 'FILTER'

/** The other side understood and says no. The message says what was given and what is allowed. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly code = 'ERR_BLKIN_REFUSED'

  constructor(
    readonly reason: RefusalReason,
    message: string,
  ) {
    super(shown(message))
  }
}

/**
 * ERR_BLKIN_AWAY    nobody is there: no such socket, nobody listens, or the connection ended
 * ERR_BLKIN_DENIED  the socket belongs to another user
 * ERR_BLKIN_SILENT  no answer came in time
 * ERR_BLKIN_ANSWER  what came is no answer
 */
export type ConnectionCode = 'ERR_BLKIN_AWAY' | 'ERR_BLKIN_DENIED' | 'ERR_BLKIN_SILENT' | 'ERR_BLKIN_ANSWER'

/** The message begins with the address. */
export class ConnectionError extends Error {
  override name = 'ConnectionError'

  constructor(
    readonly code: ConnectionCode,
    address: string,
    message: string,
  ) {
    super(`${address}: ${shown(message)}`)
  }
}
