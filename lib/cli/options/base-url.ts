// lib/cli/options/base-url.ts: the server that --http names, of a relay or of Zipkin: what stands before /api. Pure.
import { addressText, parseAddress } from '../../address.js'

/** What docs/traces.md starts a relay with. */
export const usualBase = 'http://127.0.0.1:4651'

/** HOST:PORT or a URL to what stands before /api/v2. @throws TypeError naming what was given */
export function parseBase(text: string): string {
  try {
    if (!/^https?:\/\//i.test(text)) {
      return new URL(`http://${addressText(parseAddress(text))}`).origin
    }
    const { origin, pathname, username, search, hash } = new URL(text)
    if (username + search + hash === '') return origin + pathname.replace(/\/+$/, '')
  } catch {} // said below
  throw new TypeError(
    `${JSON.stringify(text)}: expected HOST:PORT such as 127.0.0.1:4651, or a URL such as http://zipkin:9411`,
  )
}
