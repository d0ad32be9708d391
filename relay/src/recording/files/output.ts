// relay/src/recording/files/output.ts: the folder that a relay is to write to, made and tried before anything is promised.

import { randomBytes } from 'node:crypto'
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const words: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'a read-only file system',
  ENOENT: 'nothing can be made there',
  ENOTDIR: 'a file is in the way',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the quota is used up',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'a loop of links',
}

/**
 * Makes the folder, with those above it, and writes a file there that it takes away again.
 *
 * @throws TypeError naming what was given and what is wrong
 */
export async function makeOutput(path: string): Promise<void> {
  try {
    await make(path)
    const trial = join(path, `.trial-${randomBytes(8).toString('hex')}`)
    await writeFile(trial, 'x', { flag: 'wx' }).finally(() => rm(trial, { force: true }))
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    const why = words[code] === undefined ? message : `${words[code]} (${code})`
    throw new TypeError(`output is "${path}": ${why}; expected a folder to write to, or one that can be made`)
  }
}

/** mkdir's own `recursive` tries for ever where the kernel makes no folder, as below /proc. */
async function make(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') {
      if (!(await stat(path)).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' })
    } else if (code === 'ENOENT' && dirname(path) !== path) {
      await make(dirname(path))
      await mkdir(path, { mode: 0o700 })
    } else throw error
  }
}
