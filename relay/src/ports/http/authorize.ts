// relay/src/ports/http/authorize.ts: whether a request shows a token that gives it the right: as a Bearer's, or as the password of Basic, which is
// what curl -u, browsers and data sources of dashboards can say; whose name it is told with does not matter. The server asks. Pure.

import { type Right, rightsBy, type Tokens } from '../../protocol/check/rights.js'

/** What a 401 says of it; a browser asks its user then. */
export const CHALLENGE = ['Bearer realm="blkin"', 'Basic realm="blkin", charset="UTF-8"']

/** What a request of the method needs. */
export const rightFor = (method: string | undefined): Right =>
  method === 'GET' || method === 'HEAD' ? 'read' : 'write'

/** Without a token, which is on this machine only, everything is open that no token of its own guards. */
export const isGuarded = (right: Right, { token, readToken, controlToken }: Tokens): boolean =>
  token !== undefined || (right === 'read' && (readToken ?? controlToken) !== undefined)

export const isAuthorized = (authorization = '', right: Right, tokens: Tokens): boolean =>
  rightsBy(tokens)(shownToken(authorization)).includes(right)

function shownToken(authorization: string): string {
  const [, scheme = '', credentials = ''] = /^(\S+) +(\S+)$/.exec(authorization) ?? []
  if (scheme.toLowerCase() === 'bearer') return credentials
  return scheme.toLowerCase() === 'basic' ? passwordOf(credentials) : ''
}

function passwordOf(credentials: string): string {
  const pair = Buffer.from(credentials, 'base64').toString('utf8')
  return pair.slice(pair.indexOf(':') + 1)
}
