// lib/cli/relay/fleet.ts: the relay that --relay names, asked for its processes and its rules. Called by the verbs that have
// the flag. A relay of this user on this host is asked at its socket, where it is known that it is that and where no token
// is needed; another by TCP, with a token.
import type { ConnectionError, Fleet, Refusal } from '@blkin/relay'
import { parseAddress } from '../../address.js'
import { ownSocket, socketPathOf } from '../../relay-address.js'
import { loadRelay } from './load-relay.js'
import { readerToken } from './tokens.js'

/** Connects, runs the work and lets go. */
export async function withFleet<T>(address: string, work: (fleet: Fleet) => Promise<T>): Promise<T> {
  const fleet = (await connectOwn(address)) ?? (await connectNamed(address))
  try {
    return await work(fleet)
  } finally {
    fleet.close()
  }
}

/** At the socket of this user's relay that listens on that port of this host; undefined where there is none. */
async function connectOwn(address: string): Promise<Fleet | undefined> {
  if (socketPathOf(address) !== undefined) return undefined
  const { host, port } = parseAddress(address)
  if (!/^(localhost|127\.[\d.]+|::1)$/.test(host)) return undefined
  const { connectFleet } = await loadRelay()
  return connectFleet(`unix:${ownSocket(port)}`).catch(() => undefined)
}

async function connectNamed(address: string): Promise<Fleet> {
  const { connectFleet } = await loadRelay()
  try {
    return await connectFleet(address, readerToken())
  } catch (error) {
    if ((error as Refusal).reason === 'TOKEN')
      throw new Error(
        `${(error as Error).message}; set BLKIN_TOKEN to the relay's token, or BLKIN_CONTROL_TOKEN where it has one`,
      )
    if ((error as ConnectionError).code !== 'ERR_BLKIN_AWAY') throw error
    throw new Error(
      `the relay is away: ${(error as Error).message}; start one there: blkin relay --listen ${address}`,
    )
  }
}
