// relay/src/protocol/struct-file.ts: one struct of the IDL as a file: Thrift's strict binary protocol, no frame around it.
// The relay keeps its rules so, and a user's standing rules are one. Replaced by rename: whoever reads sees the old
// file or the new one, also after a kill. The reader checks the size and the form; what it says is the caller's to check.

import { constants } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { syncFile } from '../common/disk.js'
import { StrictReader } from './strict-reader.js'
import { thrift } from './wire.js'

/** So that what is in one fits a frame too. */
export const MOST_BYTES = 2 ** 20

/** A link is not followed, and a pipe that nobody writes to is not waited for. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** What the generated classes have and their types do not say. */
interface Struct {
  read(input: object): void
  write(output: object): void
}

/** Undefined where there is no such file. @throws Error that begins with `shown` */
export async function readStruct<Made extends object>(
  path: string,
  Type: new () => Made,
  shown = path,
): Promise<Made | undefined> {
  let file: FileHandle | undefined
  try {
    file = await open(path, READ)
    const stats = await file.stat()
    if (!stats.isFile()) throw new Error('it is no file')
    if (stats.size > MOST_BYTES) throw new Error(`it has ${stats.size} bytes; expected at most ${MOST_BYTES}`)
    const made = new Type()
    const reader = new StrictReader(await file.readFile())
    ;(made as unknown as Struct).read(reader)
    return made
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new Error(`${shown}: ${code === 'ELOOP' ? 'it is a link' : (code ?? message ?? 'not as written')}`)
  } finally {
    await file?.close()
  }
}

/** On the disk when this returns. Only its owner may read it: a rule may name what is secret. */
export async function writeStruct(path: string, bytes: Buffer): Promise<void> {
  const unborn = `${path}.${process.pid}.new`
  try {
    await rm(unborn, { force: true }) // of one that was killed, or a link of somebody else's
    const file = await open(unborn, 'wx', 0o600)
    try {
      await file.writeFile(bytes)
      await syncFile(file)
    } finally {
      await file.close()
    }
    await rename(unborn, path)
  } catch (error) {
    await rm(unborn, { force: true })
    throw error
  }
}

export function structBytes(value: object): Buffer {
  let bytes: Buffer | undefined
  const output = new thrift.TFramedTransport(undefined, (framed) => {
    bytes = framed!.subarray(4)
  })
  ;(value as Struct).write(new thrift.TBinaryProtocol(output, true, true))
  output.flush()
  return bytes!
}
