// relay/src/control/own-folder.ts: folders and sockets in places where every user may write, such as /dev/shm: whose they are is looked at
// before they are believed. A folder is looked at by its descriptor, and what is in it is reached through that, so that
// nobody can put another in its place in between. The controllers' side and the file of standing rules use it.

import { constants, existsSync } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** The message begins with the path, and says whose it is or what it is. */
export class FolderError extends Error {
  override name = 'FolderError'
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
const OTHERS = 0o077
const OTHERS_WRITE = 0o022
const STICKY = 0o1000

const uid = (): number => process.geteuid?.() ?? 0

/**
 * Runs the work on a folder that is this user's alone: `at` leads into it. Undefined where there is no such folder.
 * `shown`: what errors call it.
 *
 * @throws FolderError where it is another's, others may look into it, or it is a link or no folder
 */
export async function inOwnFolder<T>(
  path: string,
  work: (at: string) => Promise<T>,
  shown = path,
): Promise<T | undefined> {
  const folder = await openFolder(path, shown)
  if (folder === undefined) return undefined
  try {
    await checkOwn(folder, shown)
    return await work(through(folder, path))
  } finally {
    await folder.close()
  }
}

/** The same; it is made where it is not there. */
export async function inMadeFolder<T>(path: string, work: (at: string) => Promise<T>): Promise<T> {
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST')
      throw new FolderError(`${path}: ${error.code}; expected a folder that can be made`)
  })
  let done: { value: T } | undefined
  await inOwnFolder(path, async (at) => {
    done = { value: await work(at) }
  })
  if (done === undefined) throw new FolderError(`${path}: it is gone; expected a folder that stays`)
  return done.value
}

async function openFolder(path: string, shown: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, FOLDER)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    const words: Record<string, string> = {
      ...{
        ELOOP: 'it is a link',
        ENOTDIR: 'it is a link, or no folder',
        EACCES: 'it belongs to another user',
      },
    }
    throw new FolderError(`${shown}: ${words[code] ?? code}; expected a folder of yours alone`)
  }
}

async function checkOwn(folder: FileHandle, shown: string): Promise<void> {
  const { uid: owner, mode } = await folder.stat()
  if (owner !== uid())
    throw new FolderError(`${shown}: it belongs to uid ${owner}; expected a folder of uid ${uid()} alone`)
  if ((mode & OTHERS) !== 0) {
    const text = (mode & 0o777).toString(8).padStart(4, '0')
    throw new FolderError(`${shown}: its mode is ${text}; expected 0700, a folder of yours alone`)
  }
}

/** Where there is no /proc, by its name: whoever could rename it meanwhile could do so in a folder of theirs only. */
function through(folder: FileHandle, path: string): string {
  const descriptors = '/proc/self/fd'
  return existsSync(descriptors) ? join(descriptors, String(folder.fd)) : path
}

/** Why what listens at this socket may be another user's than this one or root; undefined where it may not, or nothing is there. */
export async function whyNotOwn(path: string): Promise<string | undefined> {
  const socket = await lstat(path).catch(() => undefined)
  if (socket === undefined) return undefined
  if (!socket.isSocket()) return 'it is no socket'
  if (!isOwn(socket.uid)) return `it belongs to uid ${socket.uid}; expected a socket of uid ${uid()} or root`
  const folder = await stat(dirname(path))
  const others = (folder.mode & OTHERS_WRITE) !== 0 && (folder.mode & STICKY) === 0
  return isOwn(folder.uid) && !others ? undefined : 'others may put a socket into its folder'
}

const isOwn = (owner: number): boolean => owner === uid() || owner === 0
