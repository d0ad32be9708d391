// relay/src/protocol/check/rights.ts: what a client may do, by where it came in and by the token that it shows. Pure.
//
//   write    bring events and spans      what every traced program needs, so its token is in every environment
//   read     see processes and events    of all programs
//   control  give and take rules         for all programs; to see what they do is part of it
//
// A token opens all that has no token of its own.

import { isSameSecret } from './secrets.js'

export type Right = 'write' | 'read' | 'control'

export interface Tokens {
  /** What every client must show; needed to listen on anything but loopback. */
  token?: string
  /** Who shows this may read, and the `token` no longer reads where `controlToken` is there too. */
  readToken?: string
  /** Who shows this may read and control, and the `token` no longer controls. */
  controlToken?: string
}

export type RightsOf = (given: string) => readonly Right[]

const ALL: readonly Right[] = ['write', 'read', 'control']

/** At a socket that nobody but the relay's own user and root reaches. */
export const ownRights: RightsOf = () => ALL

export const rightsBy =
  (tokens: Tokens): RightsOf =>
  (given) => {
    const { token, readToken, controlToken } = tokens
    if (controlToken !== undefined && isSameSecret(given, controlToken)) return ['read', 'control']
    if (readToken !== undefined && isSameSecret(given, readToken)) return ['read']
    if (token === undefined) return ['write'] // on this machine only: whoever is on it may bring events
    if (!isSameSecret(given, token)) return []
    if (controlToken === undefined) return ALL
    return readToken === undefined ? ['write', 'read'] : ['write']
  }

/** Empty texts are no tokens: a variable that is set to nothing is not set. */
export const givenTokens = ({ token, readToken, controlToken }: Tokens): Tokens => ({
  ...(token ? { token } : {}),
  ...(readToken ? { readToken } : {}),
  ...(controlToken ? { controlToken } : {}),
})
