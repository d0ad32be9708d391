// lib/cli/relay/record-socket.ts: where the programs of a recorded command find their relay: a socket in a folder of its own. They may
// change their user before they connect, so everybody reaches it, and the token says who belongs there; whose relay it is
// they see by the kernel's word.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { userFolder } from '../../user-folder.js'

export interface RecordSocket {
  /** As startRelay() takes it. */
  listen: string
  remove(): void
}

export function recordSocket(): RecordSocket {
  const folder = mkdtempSync(join(dirname(userFolder()), 'blkin-record-'))
  chmodSync(folder, 0o711) // nobody can list it, or put anything there
  return {
    listen: `unix:${join(folder, 'relay')}`,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
