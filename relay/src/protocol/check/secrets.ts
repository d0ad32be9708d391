// relay/src/protocol/check/secrets.ts: tokens, and the secrets of sessions, compared and digested. Pure.

import { createHash, timingSafeEqual } from 'node:crypto'

const digest = (secret: string | Buffer): Buffer => createHash('sha256').update(secret).digest()

/** Takes the same time whichever byte differs; hashing makes the lengths equal. */
export const isSameSecret = (given: string, right: string): boolean =>
  timingSafeEqual(digest(given), digest(right))

/** What is kept of a secret: who reads it cannot show the secret. */
export const digestOf = (secret: Buffer): string => digest(secret).toString('hex')
