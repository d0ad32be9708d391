// admin.ts: who owns a directory, and how the command line talks to the owner.
// The owner listens on a unix socket in the directory, so a second owner is refused for as long as the first lives,
// also after a crash: a socket file that nobody listens on is taken over. One JSON command in, one JSON answer out.

import { rmSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'

export type AdminCommand =
  | { command: 'create'; volume: string; size: number }
  | { command: 'snapshot'; volume: string; name: string }
  | { command: 'clone'; snapshot: string; volume: string }
  | { command: 'list' }

export interface VolumeInfo {
  name: string
  size: number
  readonly: boolean
  /** Objects in its map, shared ones included. */
  objects: number
}

export type AdminReply = { volumes: VolumeInfo[] } | { error: string }

const MAX_COMMAND = 64 * 1024
/** Bytes of a unix socket's path; longer ones Linux cuts short or refuses. */
const MAX_PATH = 107

/** Becomes the owner of `dir`; returns how to stop. Throws when there is one already. */
export async function own(
  dir: string,
  answer: (command: AdminCommand) => Promise<AdminReply>,
): Promise<() => Promise<void>> {
  const file = socketPath(dir)
  if ((await ask(dir, { command: 'list' })) !== undefined) throw new Error(`${dir}: another server owns it`)
  rmSync(file, { force: true })
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    let text = ''
    socket.setEncoding('utf8')
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk: string) => {
      text += chunk
      if (text.length > MAX_COMMAND) socket.destroy()
      const end = text.indexOf('\n')
      if (end < 0) return
      socket.pause()
      respond(text.slice(0, end), answer).then((reply) => socket.end(`${JSON.stringify(reply)}\n`))
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(file, resolve)
  })
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
}

/** The owner's answer; undefined where nobody owns the directory. */
export function ask(dir: string, command: AdminCommand): Promise<AdminReply | undefined> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(socketPath(dir))
    let text = ''
    socket.setEncoding('utf8')
    socket.on('connect', () => socket.write(`${JSON.stringify(command)}\n`))
    socket.on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('end', () => {
      if (text.endsWith('\n')) resolve(JSON.parse(text))
      else reject(new Error(`${dir}: the server ended before it answered`))
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined)
      else reject(error)
    })
  })
}

async function respond(
  line: string,
  answer: (command: AdminCommand) => Promise<AdminReply>,
): Promise<AdminReply> {
  try {
    return await answer(JSON.parse(line))
  } catch (error) {
    return { error: (error as Error).message }
  }
}

function socketPath(dir: string): string {
  const file = path.join(dir, 'admin.sock')
  if (Buffer.byteLength(file) > MAX_PATH) {
    throw new Error(`${file}: too long for a unix socket; expected at most ${MAX_PATH} bytes`)
  }
  return file
}
