// lib/user-folder.ts: the folder that this user's traced processes, relay and standing rules share, blkin-UID, and where it may
// lie. The tracer, `blkin relay` and every verb that looks for processes ask here; native/folder/paths.cc says the same.
import { existsSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

/** TMPDIR alone: os.tmpdir() would take TMP and TEMP too, of which the addon knows nothing. */
function bases(): [string, string] {
  const { TMPDIR = '' } = process.env
  return ['/dev/shm', isAbsolute(TMPDIR) ? TMPDIR : '/tmp']
}

const inBase = (base: string): string => join(base, `blkin-${process.geteuid?.() ?? 0}`)

/** Where a process may have its folder: in the first, or in the next where that takes none. */
export const userFolders = (): string[] => [...new Set(bases().map(inBase))]

/** The first that this machine can have. */
export function userFolder(): string {
  const [first, second] = bases()
  return inBase(existsSync(first) ? first : second)
}
