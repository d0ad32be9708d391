// relay/src/store/stream-file.ts: one stream's file in one epoch, appended to put by put, and the marks that make it exact.
// A trace owns it and calls one thing at a time. Order of a put: check, mark, packets in one write, sync if asked.
// After any failure it closes and forgets; the next call reads the truth back from the disk (recover()).
// Never leaves half a put: what a kill or a full disk left beyond the newest true mark is cut off.

import { constants, writeSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { follow } from '../check/put.js'
import { refuse } from '../check/refuse.js'
import { streamFile } from '../ctf/streams.js'
import type { EpochFolder } from './epoch-folder.js'
import {
  beginEpoch,
  decodeMarks,
  encodeMark,
  MARKS_FILE_BYTES,
  type Mark,
  NOTHING,
  type PutMark,
  slotOf,
  type WrittenMark,
} from './mark.js'

export class StreamFile {
  #mark: Mark | undefined
  #file: FileHandle | undefined
  #marks: FileHandle | undefined

  constructor(
    readonly folder: EpochFolder,
    readonly stream: number,
    /** Its file in the epoch before: where this one is empty, what that ends with is held. */
    private before: StreamFile | undefined,
  ) {}

  /** The last put stored, or zeros where there is none. */
  async held(): Promise<Mark> {
    if (this.#mark === undefined) await this.#open()
    return this.#mark!
  }

  /** True when stored now, false when it was here before. */
  async put(given: PutMark, packets: Buffer, synced: boolean): Promise<boolean> {
    if (!this.#file) await this.#open()
    const mark = this.#mark!
    if (given.sequence <= mark.sequence) {
      if (synced) await this.#guard(() => this.#file!.datasync())
      return false
    }
    const next = follow(mark, given, packets, this.folder.uuid, this.stream)
    await this.#guard(async () => {
      writeAll(this.#marks!, encodeMark(next), slotOf(next))
      if (synced) await this.#marks!.datasync()
      writeAll(this.#file!, packets, mark.bytes)
      if (synced) await this.#file!.datasync()
    }, mark.bytes)
    this.#mark = next
    this.before = undefined
    return true
  }

  async close(): Promise<void> {
    const open = [this.#file, this.#marks]
    this.#file = this.#marks = undefined
    await Promise.allSettled(open.map((handle) => handle?.close()))
  }

  /** Does what it is told, and turns a disk's refusal into ours, cutting the file back first. */
  async #guard(work: () => Promise<void>, wholeBytes?: number): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (wholeBytes !== undefined) await this.#file?.truncate(wholeBytes).catch(() => {})
      this.#mark = undefined
      await this.close()
      storage(join(this.folder.path, streamFile(this.stream)), error)
    }
  }

  async #open(): Promise<void> {
    const name = streamFile(this.stream)
    const path = join(this.folder.path, name)
    try {
      this.#marks = await openToUpdate(join(this.folder.path, `.${name}`))
      this.#file = await openToUpdate(path)
      this.#mark ??= await this.#recover(this.#file, this.#marks)
    } catch (error) {
      await this.close()
      storage(path, error)
    }
    if (this.#mark === undefined) {
      await this.close()
      refuse('STORAGE', `${path} is shorter than what was stored in it; move its folder away to start anew`)
    }
  }

  /** The newest mark that the file bears out, the file cut to it; undefined where the disk lost what was stored. */
  async #recover(file: FileHandle, marksFile: FileHandle): Promise<Mark | undefined> {
    const slots = Buffer.alloc(MARKS_FILE_BYTES)
    await marksFile.read(slots, 0, MARKS_FILE_BYTES, 0)
    const marks = decodeMarks(slots)
    const { size } = await file.stat()
    const { epoch } = this.folder
    const whole = marks.find((one) => one.bytes <= size)
    const mark = whole === undefined ? await this.#nothingYet(size, marks) : { ...whole, epoch }
    if (mark !== undefined && mark.bytes < size) await file.truncate(mark.bytes)
    return mark
  }

  /** Undefined where there was something. */
  async #nothingYet(size: number, marks: WrittenMark[]): Promise<Mark | undefined> {
    const before = (await this.before?.held()) ?? NOTHING
    await this.before?.close()
    const firstPutWasCut = marks.length === 1 && marks[0]!.sequence === before.sequence + 1
    if (!firstPutWasCut && (size > 0 || marks.length > 0)) return undefined
    return beginEpoch(before, this.folder.epoch)
  }
}

async function openToUpdate(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDWR | constants.O_NOFOLLOW)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return await open(path, 'wx+', 0o600)
  }
}

/**
 * One write; more only where the kernel took less. At once, on this thread: it goes to memory and takes microseconds, where its way to
 * another thread and back took thirty times as long. What goes to the disk, syncs, does not hold this thread up.
 */
function writeAll(file: FileHandle, bytes: Buffer, at: number): void {
  let done = 0
  while (done < bytes.length) done += writeSync(file.fd, bytes, done, bytes.length - done, at + done)
}

export function storage(path: string, error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException
  return refuse('STORAGE', `${path}: ${code ?? message}; try again later`, code)
}
