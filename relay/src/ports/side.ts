// relay/src/ports/side.ts: what a connection knows of whoever speaks on it: a traced process or a controller.
// relay/session.ts and fleet/fleet-session.ts are the two. One call at a time; only a waiting one is hurried.

import type { Wait } from '../common/wait.js'

export interface Side {
  /** It has said who it is, and may stay. */
  readonly greeted: boolean
  /** It has shown that it belongs here, and keeps its place whoever else comes. */
  readonly belongs: boolean
  /** For logs. */
  readonly name: string
  /** Set where nothing more may be said after this answer. */
  readonly finished: string | undefined
  /** A call of its was refused: it will go, and come again. */
  readonly isRefused: boolean
  /** Set while the call being answered waits for something to happen. */
  readonly wait: Wait | undefined
  close(): Promise<void>
}
