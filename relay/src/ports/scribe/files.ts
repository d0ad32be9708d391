// relay/src/ports/scribe/files.ts: messages of Scribe's categories in files, a folder for each place, within a bound for all of them.
// A batch is written whole or not at all, one batch at a time. When there is no room, or the disk refuses, that is told once,
// and its sender keeps what it has.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Semaphore } from '../../common/semaphore.js'
import { LogFile } from './log-file.js'

export interface FileLimits {
  /** Bytes of one file, but for a batch that is longer. */
  file: number
  /** Bytes of all of them. Looked at anew, but not more often than so many milliseconds, when they seem to be there. */
  all: number
  look: number
  /** Folders, and files that are open at once: more only while one batch needs them. */
  folders: number
  open: number
}

export const usualLimits: FileLimits = {
  file: 1_000_000_000,
  all: 10 * 2 ** 30,
  look: 1_000,
  folders: 1_000,
  open: 64,
}

export class Files {
  /** Why the last batch was not taken; undefined while all is well. */
  trouble: string | undefined
  /** Taken, since the start. */
  bytes = 0
  readonly #turns = new Semaphore(1)
  /** The one that was not used for longest comes first. */
  readonly #open = new Map<string, LogFile>()
  #folders = new Set<string>()
  #used = 0
  #looked = Number.NEGATIVE_INFINITY

  constructor(
    readonly root: string,
    readonly log: (line: string) => void,
    readonly limits: FileLimits = usualLimits,
  ) {}

  /**
   * Writes each folder's bytes, and then does what else belongs to the batch.
   *
   * @returns false where nothing of it was taken
   */
  append(batch: ReadonlyMap<string, Buffer>, then: () => boolean): Promise<boolean> {
    return this.#turns.take(async () => {
      const written: LogFile[] = []
      try {
        await this.#room(batch)
        for (const [folder, bytes] of batch) {
          const file = await this.#file(folder, batch)
          written.push(file)
          await file.append(bytes, this.limits.file)
        }
        this.#tell(undefined)
        if (then()) {
          for (const bytes of batch.values()) this.#count(bytes.length)
          return true
        }
      } catch (error) {
        this.#tell((error as Error).message)
      }
      await this.#takeBack(written)
      return false
    })
  }

  close(): Promise<void> {
    return this.#turns.take(async () => {
      for (const name of [...this.#open.keys()]) await this.#close(name)
    })
  }

  /** @throws Error where there is none */
  async #room(batch: ReadonlyMap<string, Buffer>): Promise<void> {
    const bytes = [...batch.values()].reduce((sum, { length }) => sum + length, 0)
    const added = () => [...batch.keys()].filter((folder) => !this.#folders.has(folder)).length
    const lacks = () => {
      if (this.#used + bytes > this.limits.all)
        return `the files hold ${this.#used} bytes of ${this.limits.all}`
      if (added() > 0 && this.#folders.size + added() > this.limits.folders)
        return `there are ${this.#folders.size} folders of ${this.limits.folders}`
      return undefined
    }
    // somebody may have made room
    if (lacks() !== undefined || this.#looked < 0) await this.#look()
    const lacking = lacks()
    if (lacking !== undefined) throw new Error(`${this.root}: ${lacking}; make room there`)
    for (const folder of batch.keys()) this.#folders.add(folder)
  }

  async #look(): Promise<void> {
    const now = performance.now()
    if (now - this.#looked < this.limits.look) return
    const folders = new Set<string>()
    let used = 0
    for (const folder of await entriesOf(this.root)) {
      folders.add(folder)
      for (const file of await entriesOf(join(this.root, folder))) {
        used += (await stat(join(this.root, folder, file)).catch(() => undefined))?.size ?? 0
      }
    }
    this.#folders = folders
    this.#used = used
    this.#looked = now
  }

  async #file(folder: string, batch: ReadonlyMap<string, Buffer>): Promise<LogFile> {
    const known = this.#open.get(folder)
    const file = known ?? (await LogFile.open(join(this.root, folder), folder))
    this.#open.delete(folder)
    this.#open.set(folder, file)
    await this.#keepFew(batch)
    return file
  }

  /** Those of the batch stay, since it may have to be taken back. */
  async #keepFew(batch: ReadonlyMap<string, Buffer>): Promise<void> {
    for (const name of this.#open.keys()) {
      if (this.#open.size <= this.limits.open) return
      if (!batch.has(name)) await this.#close(name)
    }
  }

  async #takeBack(written: LogFile[]): Promise<void> {
    for (const file of written) {
      try {
        await file.takeBack()
      } catch (error) {
        this.log(`${file.path}: what was not taken may be there: ${(error as Error).message}`)
        await this.#close(file.name)
      }
    }
  }

  async #close(folder: string): Promise<void> {
    const file = this.#open.get(folder)
    this.#open.delete(folder)
    await file?.close().catch((error: Error) => this.log(`${file.path}: ${error.message}`))
  }

  #count(bytes: number): void {
    this.#used += bytes
    this.bytes += bytes
  }

  /** A change of weather is told, not each drop of rain. */
  #tell(trouble: string | undefined): void {
    const before = this.trouble
    this.trouble = trouble
    if ((trouble === undefined) !== (before === undefined))
      this.log(`scribe: ${trouble === undefined ? 'messages are taken again' : `try later: ${trouble}`}`)
  }
}

async function entriesOf(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}
