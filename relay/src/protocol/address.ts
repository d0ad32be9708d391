// relay/src/protocol/address.ts: what --listen and its like may say. Pure: it looks nothing up and opens nothing.

import { type AddressInfo, BlockList, isIP, type Socket } from 'node:net'

export interface Address {
  host: string
  port: number
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** @throws TypeError naming what was given */
export function parseAddress(text: string, what = 'listen'): Address {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (!match || port > 65535) {
    throw new TypeError(`${what} is "${text}"; expected host:port, such as "127.0.0.1:4650" or "[::1]:4650"`)
  }
  return { host: match[1] ?? match[2]!, port }
}

/**
 * Where who has no token may listen too: on this machine only.
 *
 * @throws TypeError naming what was given
 */
export function guardedAddress(text: string, what: string, token: string | undefined): Address {
  const address = parseAddress(text, what)
  if (token !== undefined || isLoopback(address.host)) return address
  throw new TypeError(`${what} is "${text}" and token is missing; expected a token on anything but loopback`)
}

/** Where a server listens, as parseAddress() takes it. */
export function shown({ address, family, port }: AddressInfo): string {
  return `${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

/** For logs. */
export const peerOf = ({ remoteAddress, remotePort }: Socket): string =>
  remoteAddress === undefined ? 'a client on this host' : `${remoteAddress}:${remotePort}`

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  const family = isIP(host)
  return family === 0 ? host === 'localhost' : loopback.check(host, family === 4 ? 'ipv4' : 'ipv6')
}

/**
 * Whether who listens at the one is who is reached at the other, as far as the names tell: what goes from there to here would
 * come back, without end.
 */
export function isSame(a: Address, b: Address): boolean {
  const isHere = ({ host }: Address) => isLoopback(host) || host === '0.0.0.0' || host === '::'
  return a.port === b.port && (a.host === b.host || (isHere(a) && isHere(b)))
}
