// lib/cli/relay/recover.ts: what processes left when they were killed, brought to the relay that they sent to.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Relay } from '@blkin/relay'
import { parseAddress } from '../../address.js'
import { loadError, native } from '../../native.js'
import { socketPathOf } from '../../relay-address.js'
import { count } from '../print/amounts.js'
import { note } from '../print/print.js'
import { visible } from '../print/visible.js'

/** For all of them in one look. What is not brought then stays, for the next look or the next start. */
const recoverMs = 10_000
const stragglersMs = 1000
const lookEveryMs = 2000

/** Recording is promised whole, so it does not begin where nothing could be recovered. */
export function requireNative(): void {
  if (native === undefined) throw new Error(`the addon could not be loaded: ${loadError?.message}`)
}

/** Processes that have a moment to live finish what they were sending; then comes what dead ones left. */
export async function collectRest(relay: Relay, token: string): Promise<void> {
  const alive = () => relay.stats().processes.some((process) => process.connected)
  for (const end = performance.now() + stragglersMs; alive() && performance.now() < end; ) await sleep(10)
  const { address } = relay
  await collectDead({ relay, address, token, reported: new Set(), cancel: new Int32Array(1) })
}

/**
 * Looks every two seconds for what killed processes of this host left that sent to this relay, at any of its addresses and by whatever
 * name: of this user, or of all where it is root.
 *
 * @returns what ends it, also a look that has begun
 */
export function keepCollecting(
  relay: Relay,
  addresses: readonly string[],
  token: string,
): () => Promise<void> {
  const end = new AbortController()
  const reported = new Set<string>()
  const cancel = new Int32Array(1)
  const looking = (async () => {
    while (!end.signal.aborted) {
      for (const address of addresses)
        await collectDead({ relay, address, token, reported, cancel }).catch((error: Error) =>
          note(error.message),
        )
      await sleep(lookEveryMs, undefined, { signal: end.signal }).catch(() => {})
    }
  })()
  return () => {
    end.abort()
    Atomics.store(cancel, 0, 1)
    return looking
  }
}

interface Look {
  relay: Relay
  address: string
  token: string
  /** The folders of which it was said that they are not whole. */
  reported: Set<string>
  /** Its word is not 0 once it is to end. */
  cancel: Int32Array
}

async function collectDead({ relay, address, token, reported, cancel }: Look): Promise<void> {
  const path = socketPathOf(address)
  const found = await native?.recover({
    ...(path === undefined ? parseAddress(address) : { host: '', port: '', path }),
    ...{ token, timeout: recoverMs, cancel },
    // Who left a folder shows no token: of other users only those are taken that did while they lived.
    ...(token ? { known: knownTo(relay) } : {}),
  })
  for (const { folder, events, givenUp, delivered, error } of found ?? []) {
    if (events > 0) note(`${events} events came from what a dead process left`)
    if (delivered && givenUp > 0)
      note(
        `${visible(folder)}: ${count(givenUp, 'event')} given up for room before, and counted as lost in its trace`,
      )
    if (Atomics.load(cancel, 0) === 0 && !delivered && (givenUp > 0 || !reported.has(folder))) {
      note(`${visible(folder)}: not all could be recovered: ${visible(error)}`)
      reported.add(folder)
    }
  }
}

/** The sessions' uuids, 16 bytes each. */
function knownTo(relay: Relay): Buffer {
  const uuids = relay.stats().processes.map(({ uuid }) => uuid.replaceAll('-', ''))
  return Buffer.from(uuids.join(''), 'hex')
}
