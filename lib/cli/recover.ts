// lib/cli/recover.ts: what processes left when they were killed, brought to the relay that they sent to.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Relay } from '@blkin/relay'
import { addressText, parseAddress } from '../address.js'
import { loadError, native } from '../native.js'
import { socketPathOf } from '../relay-address.js'
import { note } from './print.js'

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
  await collectDead(relay.address, token, new Set())
}

/**
 * Looks every two seconds for what killed processes of this host left that sent to this relay, at any of its addresses.
 *
 * @returns what ends it, once a look that has begun is over
 */
export function keepCollecting(addresses: readonly string[], token: string): () => Promise<void> {
  const end = new AbortController()
  const told = new Set<string>()
  const looking = (async () => {
    while (!end.signal.aborted) {
      for (const address of addresses.map(namedAs))
        await collectDead(address, token, told).catch((error: Error) => note(error.message))
      await sleep(lookEveryMs, undefined, { signal: end.signal }).catch(() => {})
    }
  })()
  return () => {
    end.abort()
    return looking
  }
}

/** They must have named it as it names itself; one that listens everywhere is 127.0.0.1 to them. */
function namedAs(address: string): string {
  if (socketPathOf(address) !== undefined) return address
  const { host, port } = parseAddress(address)
  const isEverywhere = host === '0.0.0.0' || host === '::'
  return addressText({ host: isEverywhere ? '127.0.0.1' : host, port })
}

/** `told`: the folders of which it was said that they are not whole. */
async function collectDead(address: string, token: string, told: Set<string>): Promise<void> {
  const path = socketPathOf(address)
  const where = path === undefined ? parseAddress(address) : { host: '', port: '', path }
  const found = (await native?.recover({ ...where, token, timeout: recoverMs })) ?? []
  for (const { folder, events, delivered, error } of found) {
    if (events > 0) note(`${events} events came from what a dead process left`)
    if (!delivered && !told.has(folder)) note(`${folder}: not all could be recovered: ${error}`)
    if (!delivered) told.add(folder)
  }
}
