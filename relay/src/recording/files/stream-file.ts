// relay/src/recording/files/stream-file.ts: one stream's file in one epoch, appended to put by put, and the marks that make it exact.
// A trace owns it and calls one thing at a time. Order of a put: check, mark, packets in one write, sync if asked.
// After any failure it closes and forgets; the next call reads the truth back from the disk (stream-recovery.ts).
// Never leaves half a put: what a kill or a full disk left beyond the newest true mark is cut off.

import { constants, writeSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFile, syncFolder } from '../../common/disk.js'
import { streamFile } from '../../ctf/streams.js'
import { parseMetadata } from '../../ctf/tsdl.js'
import { storage } from '../../protocol/check/refuse.js'
import { encodeMark, type Mark, NOTHING, type PutMark, slotOf } from '../mark.js'
import { follow } from '../put.js'
import type { EpochFolder } from './epoch-folder.js'
import { applyRecovery, BOOT, planRecovery, type Recovery, readMarks } from './stream-recovery.js'

/** Told of a file of which more was gone than a put that was under way. */
export type OnRepair = (path: string, recovery: Recovery) => void

export class StreamFile {
  #mark: Mark | undefined
  #file: FileHandle | undefined
  #marks: FileHandle | undefined
  /** The names of both files are on the disk. */
  #isNamed = false

  constructor(
    readonly folder: EpochFolder,
    readonly stream: number,
    /** Its file in the epoch before: where this one is empty, what that ends with is held. */
    private before: StreamFile | undefined,
    readonly repaired: OnRepair,
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
      if (synced) await this.#guard(() => this.#sync(this.#marks!, this.#file!))
      return false
    }
    const next = follow(mark, given, packets, this.folder.uuid, this.stream)
    await this.#guard(async () => {
      writeAll(this.#marks!, encodeMark({ ...next, boot: BOOT }), slotOf(next))
      if (synced) await syncFile(this.#marks!)
      writeAll(this.#file!, packets, mark.bytes)
      if (synced) await this.#sync(this.#file!)
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

  /** The content first, then the names: a name without its content would be taken for a loss. */
  async #sync(...files: FileHandle[]): Promise<void> {
    for (const file of files) await syncFile(file)
    if (this.#isNamed) return
    await syncFolder(this.folder.path)
    this.#isNamed = true
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
  }

  async #recover(file: FileHandle, marksFile: FileHandle): Promise<Mark> {
    const { folder, stream } = this
    const marks = await readMarks(marksFile)
    const [newest] = marks
    const place = {
      ...{ uuid: folder.uuid, epoch: folder.epoch, stream },
      info: () => parseMetadata(folder.path, folder.text),
      before: () => this.#heldBefore(),
    }
    // without a mark nothing says how much is on the disk
    const extent = newest === undefined ? 'all' : newest.boot === BOOT ? 'put' : 'recent'
    const found = await planRecovery(file, marks, place, { extent, atRest: false })
    if (found.isDamaged) {
      await applyRecovery(file, marksFile, found)
      this.repaired(join(folder.path, streamFile(stream)), found)
    } else if (found.keep < found.size) await file.truncate(found.keep)
    return found.mark
  }

  async #heldBefore(): Promise<Mark> {
    const mark = (await this.before?.held()) ?? NOTHING
    await this.before?.close()
    return mark
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
