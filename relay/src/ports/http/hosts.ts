// relay/src/ports/http/hosts.ts: by which names a browser may have come here. A page whose name is made to point at this machine after it was loaded
// (DNS rebinding) is the API's own origin to its browser, but says its own name in `Host`. An address cannot be made to point
// elsewhere, so any will do. The server asks where there is no token: who shows that is no such page. Pure.

import { isIP } from 'node:net'

export class Hosts {
  readonly #names: Set<string>
  readonly #isAny: boolean

  /** `own`: names of this machine; `origins`: whose pages may ask, in the form that Cors has checked, or `*`. */
  constructor(own: readonly string[], origins: readonly string[]) {
    const allowed = origins.filter((origin) => origin !== '*')
    this.#isAny = allowed.length < origins.length
    const names = own.flatMap((name) => [name, name.replace(/\..*/, '')])
    this.#names = new Set([
      ...names.map((name) => name.toLowerCase()),
      ...allowed.map((origin) => new URL(origin).hostname),
    ])
  }

  /** Undefined where `host`, as the header has it, is allowed; else what is wrong with it. Only old clients, which are no browsers, say none. */
  refusal(host: string | undefined): string | undefined {
    if (this.#isAny || host === undefined) return undefined
    const name = host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase()
    const isAddress = isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0
    if (isAddress || name === 'localhost' || name.endsWith('.localhost') || this.#names.has(name))
      return undefined
    return (
      `Host is ${JSON.stringify(host.slice(0, MOST_WORDS))}; expected localhost, an address, or this machine's name. ` +
      "Show a token, or say the name with the relay's --allow-origin"
    )
  }
}

const MOST_WORDS = 300
