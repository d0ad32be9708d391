// relay/src/ports/scribe/log-file.ts: the newest file of one folder of messages, FOLDER/FOLDER_00000 and so on, appended to and, when
// it is long enough, followed by the next. files.ts owns it and calls one thing at a time.

import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFile } from '../../common/disk.js'

export class LogFile {
  /** Its length before what was appended last. */
  #before = 0

  private constructor(
    readonly path: string,
    readonly name: string,
    private file: FileHandle,
    private number: number,
    private size: number,
  ) {}

  /** Goes on with the newest that is there. */
  static async open(path: string, name: string): Promise<LogFile> {
    await mkdir(path, { recursive: true, mode: 0o700 })
    const numbers = (await readdir(path)).map((entry) => numberOf(name, entry))
    const newest = Math.max(0, ...numbers)
    const file = await openFile(path, name, newest)
    try {
      return new LogFile(path, name, file, newest, (await file.stat()).size)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Handed to the kernel when this returns. What one call brings is in one file. */
  async append(bytes: Buffer, most: number): Promise<void> {
    this.#before = this.size
    if (this.size > 0 && this.size + bytes.length > most) await this.#next()
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.file.write(bytes, done)
      done += bytesWritten
      this.size += bytesWritten
    }
  }

  /** As if what was appended last had not been. */
  async takeBack(): Promise<void> {
    await this.file.truncate(this.#before)
    this.size = this.#before
  }

  /** On the disk when this returns. */
  async close(): Promise<void> {
    try {
      await syncFile(this.file)
    } finally {
      await this.file.close()
    }
  }

  async #next(): Promise<void> {
    const next = await openFile(this.path, this.name, this.number + 1)
    const full = this.file
    this.file = next
    this.number++
    this.size = this.#before = 0
    try {
      await syncFile(full)
    } finally {
      await full.close()
    }
  }
}

/** Only the relay's user may read it: messages may hold what is not for everybody. */
const openFile = (path: string, name: string, number: number): Promise<FileHandle> =>
  open(join(path, `${name}_${String(number).padStart(5, '0')}`), 'a', 0o600)

/** -1 where the entry is none of its files. */
function numberOf(name: string, entry: string): number {
  const digits = entry.startsWith(`${name}_`) ? entry.slice(name.length + 1) : ''
  return /^\d{5,9}$/.test(digits) ? Number(digits) : -1
}
