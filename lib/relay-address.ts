// lib/relay-address.ts: where a relay is: HOST:PORT, or unix:PATH for a socket in the file system. Nothing behind unix: is the
// socket of this user's own relay, which is also where a process sends that is told nothing.
import { isAbsolute, join } from 'node:path'
import { addressText, parseAddress } from './address.js'
import { userFolder } from './user-folder.js'

const scheme = 'unix:'
/** Of what the kernel takes. */
const mostBytes = 107
const usualPort = '4650'

/** Where `blkin relay` listens for others than its own user, and for programs that are told so. */
export const usualAddress = `127.0.0.1:${usualPort}`

/** The socket of this user's relay that listens on that port too. */
export const ownSocket = (port = usualPort): string => join(userFolder(), `relay-${port}`)

export const ownRelay = (): string => `${scheme}${ownSocket()}`

/** The address, written as it is compared. @throws TypeError naming what was given */
export function parseRelay(text: string): string {
  if (!text.startsWith(scheme)) return addressText(parseAddress(text, ', or unix:PATH'))
  const path = text.slice(scheme.length)
  if (path === '') return ownRelay()
  const hasControl = [...path].some((letter) => letter < ' ' || letter === '\x7f')
  if (isAbsolute(path) && Buffer.byteLength(path) <= mostBytes && !hasControl) return text
  throw new TypeError(
    `${JSON.stringify(text)}: expected HOST:PORT, or unix: and an absolute path of at most ${mostBytes} bytes`,
  )
}

/** The path of a socket; undefined for HOST:PORT. */
export const socketPathOf = (address: string): string | undefined =>
  address.startsWith(scheme) ? address.slice(scheme.length) : undefined
