// scripts/lib/way.mjs: a way to a local port that can be cut and mended: what lies behind it is away for as long.
import { once } from 'node:events'
import net from 'node:net'

/** @param {number} to a port of the loopback address */
export async function startWay(to) {
  /** @type {Set<net.Socket>} */
  const sockets = new Set()
  const open = async (/** @type {number} */ port) => {
    const server = net.createServer((from) => {
      const on = net.connect(to, '127.0.0.1')
      for (const socket of [from, on]) {
        sockets.add(socket)
        socket.on('error', () => {}).on('close', () => [from, on].map((each) => each.destroy()))
      }
      from.pipe(on).pipe(from)
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return server
  }
  let server = await open(0)
  const { port } = /** @type {net.AddressInfo} */ (server.address())
  return {
    address: `127.0.0.1:${port}`,
    /** Connections on it end, and new ones are refused. */
    cut() {
      server.close()
      for (const socket of sockets) socket.destroy()
      sockets.clear()
    },
    async mend() {
      server = await open(port)
    },
  }
}
