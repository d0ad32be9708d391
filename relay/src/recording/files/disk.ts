// relay/src/recording/files/disk.ts: what several files of the store do with a disk: they keep names on it, and say what it refused.

import fs from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { refuse } from '../../protocol/check/refuse.js'

// Not the handle's own sync() and datasync(): Yarn's Plug'n'Play puts another in its place, which has neither.

/** What was written is on the disk when this returns. */
export const syncFile = ({ fd }: FileHandle): Promise<void> => promisify(fs.fdatasync)(fd)

/** The names in the folder are on the disk when this returns; where a file system has no such call, when it puts them there. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await promisify(fs.fsync)(handle.fd)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
  } finally {
    await handle.close()
  }
}

export function storage(path: string, error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException
  return refuse('STORAGE', `${path}: ${code ?? message}; try again later`, code)
}
