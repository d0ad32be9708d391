// relay/src/spans/address.ts: IP addresses as spans have them: version 4 by itself where it came as version 6. Pure.

import { isIP } from 'node:net'
import type { Endpoint } from './span.js'

/** Undefined where it is no IP address. */
export function ipOf(text: string): Pick<Endpoint, 'ipv4' | 'ipv6'> | undefined {
  const version = isIP(text)
  if (version === 4) return { ipv4: text }
  if (version !== 6 || text.includes('%')) return undefined
  const ipv6 = new URL(`http://[${text}]/`).hostname.slice(1, -1) // in the form of RFC 5952
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(ipv6)
  if (mapped === null) return { ipv6 }
  const [high, low] = [Number.parseInt(mapped[1]!, 16), Number.parseInt(mapped[2]!, 16)]
  return { ipv4: [high >> 8, high & 255, low >> 8, low & 255].join('.') }
}
