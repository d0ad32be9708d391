// lib/cli/recover.ts: what the recorded processes left when they were killed, brought to the relay that records them.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Relay } from '@blkin/relay'
import { parseAddress } from '../address.js'
import { loadError, native } from '../native.js'
import { note } from './print.js'

const recoverMs = 10_000
const stragglersMs = 1000

/** Recording is promised whole, so it does not begin where nothing could be recovered. */
export function requireNative(): void {
  if (native === undefined) throw new Error(`the addon could not be loaded: ${loadError?.message}`)
}

/** Processes that have a moment to live finish what they were sending; then comes what dead ones left. */
export async function collectRest(relay: Relay, token: string): Promise<void> {
  const alive = () => relay.stats().processes.some((process) => process.connected)
  for (const end = Date.now() + stragglersMs; alive() && Date.now() < end; ) await sleep(10)
  const found = (await native?.recover({ ...parseAddress(relay.address), token, timeout: recoverMs })) ?? []
  for (const { folder, events, delivered, error } of found) {
    if (events > 0) note(`${events} events came from what a dead process left`)
    if (!delivered) note(`${folder}: not all could be recovered: ${error}`)
  }
}
