// lib/cli/fleet.ts: the relay that --relay names, asked for its processes and its rules. Called by the verbs that have
// the flag.
import type { ConnectionError, Fleet, Refusal } from '@blkin/relay'
import { parseAddress } from '../address.js'
import { checkFlag } from './exit.js'
import { loadRelay } from './load-relay.js'

/** Connects, runs the work and lets go. */
export async function withFleet<T>(address: string, work: (fleet: Fleet) => Promise<T>): Promise<T> {
  checkFlag('--relay', () => parseAddress(address))
  const { connectFleet } = await loadRelay()
  let fleet: Fleet
  try {
    fleet = await connectFleet(address, process.env.BLKIN_TOKEN ?? '')
  } catch (error) {
    if ((error as Refusal).reason === 'TOKEN')
      throw new Error(`${(error as Error).message}; set BLKIN_TOKEN to the relay's token`)
    if ((error as ConnectionError).code !== 'ERR_BLKIN_AWAY') throw error
    throw new Error(
      `the relay is away: ${(error as Error).message}; start one there: blkin relay --listen ${address}`,
    )
  }
  try {
    return await work(fleet)
  } finally {
    fleet.close()
  }
}
