// relay/src/ports/listener.ts: a port of the relay's: a bounded number of connections (places.ts), counted, and ended when it closes.
// startRelay() opens one for traced processes and controllers, scribe/server.ts one for Scribe's clients.

import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Rejections } from '../common/rejections.js'
import { type Address, peerOf, shown } from '../protocol/address.js'
import { listenAtFile, type SocketFile, socketAddress } from '../protocol/socket-file.js'
import type { Connection } from './connection.js'
import { type PlaceLimits, Places } from './places.js'

const CLOSE_MS = 5_000

export interface ConnectionCounts {
  open: number
  /** Turned away because as many as may be were open. */
  refused: number
  /** Ended by the relay: bad bytes, a wrong token, a limit of time. */
  ended: number
}

export interface Listener {
  /** Where it listens indeed: port 0 has become one. */
  address: string
  counts(): ConnectionCounts
  /** Finishes the calls that are being stored, ends every connection and stops listening. */
  close(): Promise<void>
}

export async function startListener(
  where: Address | SocketFile,
  limits: PlaceLimits,
  connect: (socket: Socket) => Connection,
  { reject }: Rejections,
): Promise<Listener> {
  const open = new Set<Connection>()
  const places = new Places<Connection>(limits)
  const counts = { refused: 0, ended: 0 }
  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    if (!places.makeRoom()) {
      counts.refused++
      const from = peerOf(socket)
      reject('connection', 'too many', `${from}: ${open.size} connections are open`, { isLost: false })
      socket.on('error', () => {}).destroy()
      return
    }
    const connection = connect(socket)
    open.add(connection)
    places.add(connection)
    void connection.over.then(() => {
      open.delete(connection)
      places.delete(connection)
      if (connection.failed) counts.ended++
    })
  })
  const { address, remove } = await listenAt(server, where)
  return {
    address,
    counts: () => ({ open: open.size, ...counts }),
    async close() {
      server.close()
      await remove()
      const all = [...open].map((connection) => connection.end('the relay is closing'))
      let timer: NodeJS.Timeout | undefined
      const late = new Promise((done) => {
        timer = setTimeout(done, CLOSE_MS)
      })
      await Promise.race([Promise.allSettled(all), late])
      clearTimeout(timer)
    },
  }
}

async function listenAt(server: Server, where: Address | SocketFile) {
  if ('path' in where)
    return { address: socketAddress(where.path), remove: await listenAtFile(server, where) }
  server.listen(where.port, where.host, 511)
  await once(server, 'listening')
  return { address: shown(server.address() as AddressInfo), remove: async () => {} }
}
