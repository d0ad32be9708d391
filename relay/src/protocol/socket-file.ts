// relay/src/protocol/socket-file.ts: a socket in the file system that a relay listens at. Who may connect is what its mode says: it comes
// to its name with that mode, by rename from a folder that nobody else can look into, and takes the place of one that a
// relay left which was killed. It never takes the place of one where somebody listens, or of a file of another kind.

import { once } from 'node:events'
import { chmod, lstat, mkdtemp, rename, rm } from 'node:fs/promises'
import { createConnection, type Server } from 'node:net'
import { isAbsolute, join } from 'node:path'

/** How a socket's address begins. */
const SCHEME = 'unix:'
/** Of what the kernel takes, less what the folder adds in which the socket is made. */
const MOST_BYTES = 107 - '.123456/s'.length

export interface SocketFile {
  path: string
  mode: number
}

/** Undefined where the address is one of another kind. @throws TypeError naming what was given */
export function socketPath(address: string, what: string): string | undefined {
  if (!address.startsWith(SCHEME)) return undefined
  const path = address.slice(SCHEME.length)
  if (isAbsolute(path) && Buffer.byteLength(path) <= MOST_BYTES && !path.includes('\0')) return path
  throw new TypeError(
    `${what} is ${JSON.stringify(address)}; expected unix: and an absolute path of at most ${MOST_BYTES} bytes, such as "unix:/run/blkin/relay"`,
  )
}

export const socketAddress = (path: string): string => `${SCHEME}${path}`

/** @returns what takes the file away, where it is still this server's */
export async function listenAtFile(server: Server, { path, mode }: SocketFile): Promise<() => Promise<void>> {
  await checkFree(path)
  const folder = await mkdtemp(`${path}.`).catch((error: NodeJS.ErrnoException) => {
    throw new TypeError(`listen is "${socketAddress(path)}": ${error.code}; expected a folder to write to`)
  })
  try {
    const made = join(folder, 's')
    server.listen(made, 511)
    await once(server, 'listening')
    await chmod(made, mode)
    const { ino } = await lstat(made)
    await rename(made, path)
    return async () => {
      const there = await lstat(path).catch(() => undefined)
      if (there?.ino === ino) await rm(path, { force: true })
    }
  } catch (error) {
    server.close()
    throw error
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function checkFree(path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined)
  if (there === undefined) return
  const why = !there.isSocket()
    ? 'a file of another kind is there'
    : (await isHeard(path)) && 'somebody listens there'
  if (why) throw new TypeError(`listen is "${socketAddress(path)}": ${why}; expected a name that is free`)
}

const isHeard = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(path)
    const end = (is: boolean) => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', () => end(true))
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      end(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    )
  })
