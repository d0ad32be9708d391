// relay/src/http/authorize.ts: whether a request shows the token: as a Bearer's, or as the password of Basic, which is what curl -u,
// browsers and data sources of dashboards can say; whose name it is told with does not matter. The server asks. Pure.

import { createHash, timingSafeEqual } from 'node:crypto'

/** What a 401 says of it; a browser asks its user then. */
export const CHALLENGE = ['Bearer realm="blkin"', 'Basic realm="blkin", charset="UTF-8"']

export function isAuthorized(authorization = '', token: string): boolean {
  const [, scheme = '', credentials = ''] = /^(\S+) +(\S+)$/.exec(authorization) ?? []
  const isBasic = scheme.toLowerCase() === 'basic'
  if (!isBasic && scheme.toLowerCase() !== 'bearer') return false
  return isSame(isBasic ? passwordOf(credentials) : credentials, token)
}

function passwordOf(credentials: string): string {
  const pair = Buffer.from(credentials, 'base64').toString('utf8')
  return pair.slice(pair.indexOf(':') + 1)
}

/** Takes as long whatever they are. */
function isSame(a: string, b: string): boolean {
  const digest = (secret: string) => createHash('sha256').update(secret).digest()
  return timingSafeEqual(digest(a), digest(b))
}
