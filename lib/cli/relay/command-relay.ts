// lib/cli/relay/command-relay.ts: the relay of one command: record, tail, top and overhead. It listens at a socket in a folder of its own,
// whose name never comes again, as a free port does: what dead processes left for another relay is not taken for this one's.
// Traced programs may change their user before they connect, so everybody reaches it, and the token says who belongs there;
// whose relay it is they see by the kernel's word.
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { lstat, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Relay, RelayOptions } from '@blkin/relay'
import { userFolder } from '../../user-folder.js'
import { isDead } from './dead-socket.js'
import { loadRelay } from './load-relay.js'

export interface CommandRelay {
  readonly relay: Relay
  /** What programs show to it. */
  readonly token: string
  close(): Promise<void>
}

const prefix = 'blkin-relay-'
const base = () => dirname(userFolder())

export async function startCommandRelay(
  options: Omit<RelayOptions, 'listen' | 'token'>,
): Promise<CommandRelay> {
  const { startRelay } = await loadRelay()
  await removeDead()
  const token = randomBytes(16).toString('hex')
  const folder = mkdtempSync(join(base(), prefix))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    chmodSync(folder, 0o711) // nobody can list it, or put anything there
    const relay = await startRelay({ ...options, listen: `unix:${join(folder, 'relay')}`, token })
    return { relay, token, close: () => relay.close().finally(remove) }
  } catch (error) {
    remove()
    throw error
  }
}

/** What commands of this user left that were killed. A folder without a socket may be one that is being made. */
async function removeDead(): Promise<void> {
  const isOurs = async (path: string) =>
    (await lstat(path).catch(() => undefined))?.uid === process.geteuid?.()
  const names = await readdir(base()).catch(() => [])
  for (const folder of names.filter((name) => name.startsWith(prefix)).map((name) => join(base(), name))) {
    const socket = join(folder, 'relay')
    if ((await isOurs(folder)) && (await isOurs(socket)) && (await isDead(socket)))
      await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}
