// lib/cli/relay/dead-socket.ts: whether somebody listens at a Unix socket: those of traced processes, and of commands that were killed.
import { createConnection } from 'node:net'

/** Whether nobody listens at a socket. A full one, or one that fails in another way, has somebody behind it. */
export const isDead = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(path)
    const end = (dead: boolean) => {
      socket.destroy()
      resolve(dead)
    }
    socket.once('connect', () => end(false))
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      end(code === 'ECONNREFUSED' || code === 'ENOENT'),
    )
  })
