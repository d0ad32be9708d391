// lib/address.ts: HOST:PORT, as flags and the environment give it. Pure.

export interface Address {
  host: string
  port: string
}

/** @throws TypeError naming what was given, and what else may be. An IPv6 address stands in brackets. */
export function parseAddress(text: string, orElse = ''): Address {
  const [, bracketed, plain, port = ''] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  if (host !== undefined && Number(port) <= 65535) return { host, port }
  throw new TypeError(
    `${JSON.stringify(text)}: expected HOST:PORT, such as 127.0.0.1:4650 or [::1]:4650${orElse}`,
  )
}

/** What parseAddress() takes. */
export function addressText({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
