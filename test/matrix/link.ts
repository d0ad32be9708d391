// test/matrix/link.ts: the link between a traced program and its relay, as a proxy that can be cut, or say nothing any more.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Link {
  address: string
  /** Ends all connections by a reset. New ones are made. */
  cut(): void
  /** From now on not a byte passes in either direction, and no connection is ended: as if a cable was drawn. */
  silence(): void
  /** New connections pass again; those that were silent are reset, as the kernels would find them. */
  heal(): void
  /** Passes at most so many bytes at once, with a pause in between. */
  slow(isSlow: boolean): void
}

export async function openLink(relay: string): Promise<Link> {
  const pairs = new Set<Socket>()
  let isSilent = false
  let isSlow = false
  const forward = (from: Socket, to: Socket) => {
    pairs.add(from)
    from.on('error', () => {})
    from.on('close', () => {
      pairs.delete(from)
      to.destroy()
    })
    from.on('data', (bytes) => {
      if (isSilent) return void from.pause()
      to.write(bytes)
      if (!isSlow) return
      from.pause()
      setTimeout(() => from.resume(), 30)
    })
  }
  const server = createServer((socket) => {
    const [host, port] = relay.split(':')
    const other = connect(Number(port), host)
    forward(socket, other)
    forward(other, socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const socket of pairs) socket.resetAndDestroy()
  }
  onTestFinished(() => {
    cut()
    server.close()
  })
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    silence: () => {
      isSilent = true
    },
    heal: () => {
      isSilent = false
      cut()
    },
    slow: (is) => {
      isSlow = is
    },
  }
}
