// relay/src/common/disk.ts: what was written is on the disk, and so is its name: for all that keep files.

import fs from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { promisify } from 'node:util'

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
