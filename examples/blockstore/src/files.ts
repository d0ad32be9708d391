// files.ts: objects as files of one directory. Used by the store process (store-server.ts) only.
// Ranges are read and written synchronously: they are memory copies to and from the page cache, and a trip through
// libuv's thread pool costs several times the copy. All that waits for the disk (sync, copy, put) is asynchronous.
// A name becomes a path only after it was checked, so nothing outside the directory is ever touched.

import fs from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { constants } from 'node:os'
import path from 'node:path'
import { StoreError } from './object-store.js'

const { ENOENT, EINVAL } = constants.errno
const MAX_OPEN = 256
const THE_DIRECTORY = ''

export class FileObjects {
  readonly #dir: string
  /** Open files. When full, the one opened first is closed. */
  readonly #open = new Map<string, number>()
  /** Written since their last sync began. THE_DIRECTORY stands for entries made and removed. */
  readonly #dirty = new Set<string>()
  readonly #syncing = new Map<string, Promise<void>>()
  #temporaries = 0

  constructor(dir: string) {
    fs.mkdirSync(dir, { recursive: true })
    for (const name of fs.readdirSync(dir)) if (name.startsWith('.put-')) fs.rmSync(path.join(dir, name))
    this.#dir = dir
  }

  writeRange(name: string, offset: number, data: Buffer): void {
    const fd = this.#open.get(name) ?? this.#openFile(name, true)
    this.#dirty.add(name)
    for (let done = 0; done < data.length; ) {
      done += fs.writeSync(fd, data, done, data.length - done, offset + done)
    }
  }

  /** Fills `target`; past the end of the file with zeros. */
  readRange(name: string, offset: number, target: Buffer): void {
    const fd = this.#open.get(name) ?? this.#openFile(name, false)
    for (let done = 0; done < target.length; ) {
      const got = fs.readSync(fd, target, done, target.length - done, offset + done)
      if (got === 0) {
        target.fill(0, done)
        return
      }
      done += got
    }
  }

  size(name: string): number {
    return fs.fstatSync(this.#open.get(name) ?? this.#openFile(name, false)).size
  }

  async put(name: string, data: Buffer): Promise<void> {
    const target = this.#path(name)
    const temporary = path.join(this.#dir, `.put-${this.#temporaries++}`)
    const file = await open(temporary, 'w')
    try {
      await file.writeFile(data)
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(temporary, target)
    this.#close(name)
    this.#dirty.add(THE_DIRECTORY)
    await this.#sync(THE_DIRECTORY)
  }

  /** `to` must not be in use yet: while the copy runs it is there in part. */
  async copy(from: string, to: string): Promise<void> {
    const target = this.#path(to)
    await fs.promises.copyFile(this.#path(from), target, fs.constants.COPYFILE_FICLONE)
    this.#dirty.add(to).add(THE_DIRECTORY)
  }

  async delete(name: string): Promise<void> {
    this.#close(name)
    this.#dirty.delete(name)
    await rm(this.#path(name), { force: true })
    this.#dirty.add(THE_DIRECTORY)
  }

  /** Also waits for syncs that are under way: an earlier flush may have taken the name off the dirty list. */
  async flush(name?: string): Promise<void> {
    const names = name === undefined ? [...this.#dirty, ...this.#syncing.keys()] : [name, THE_DIRECTORY]
    await Promise.all(names.map((each) => this.#sync(each)))
  }

  async end(): Promise<void> {
    await this.flush()
    for (const name of [...this.#open.keys()]) this.#close(name)
  }

  #sync(name: string): Promise<void> {
    const running = this.#syncing.get(name)
    if (!this.#dirty.delete(name)) return running ?? Promise.resolve()
    // A sync that is running may have missed the latest write: another one follows it.
    const next = (running ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => this.#syncFile(name))
      .catch((error: unknown) => {
        this.#dirty.add(name)
        throw error
      })
      .finally(() => {
        if (this.#syncing.get(name) === next) this.#syncing.delete(name)
      })
    this.#syncing.set(name, next)
    return next
  }

  /** By a descriptor of its own: the cached one may be closed while the kernel is at work. */
  async #syncFile(name: string): Promise<void> {
    const file = await open(path.join(this.#dir, name), 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined // deleted meanwhile
      throw error
    })
    try {
      await file?.datasync()
    } finally {
      await file?.close()
    }
  }

  #openFile(name: string, create: boolean): number {
    const file = this.#path(name)
    let fd: number
    try {
      fd = fs.openSync(file, fs.constants.O_RDWR)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      if (!create) throw new StoreError(ENOENT, `object ${name}: absent`)
      fd = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600)
      this.#dirty.add(THE_DIRECTORY)
    }
    if (this.#open.size >= MAX_OPEN) this.#close(this.#open.keys().next().value!)
    this.#open.set(name, fd)
    return fd
  }

  #close(name: string): void {
    const fd = this.#open.get(name)
    if (fd === undefined) return
    this.#open.delete(name)
    fs.closeSync(fd)
  }

  #path(name: string): string {
    if (!/^[A-Za-z0-9][A-Za-z0-9._@-]*$/.test(name))
      throw new StoreError(EINVAL, `object name "${name}": refused`)
    return path.join(this.#dir, name)
  }
}
