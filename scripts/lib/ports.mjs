// scripts/lib/ports.mjs: a port that nobody listens on, for servers that cannot be asked to take any.
import { once } from 'node:events'
import { createServer } from 'node:net'

/** @returns {Promise<number>} of the loopback address; free a moment ago */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  server.close()
  await once(server, 'close')
  return port
}
