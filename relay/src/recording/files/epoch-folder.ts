// relay/src/recording/files/epoch-folder.ts: the folder of one epoch of a session, which is a CTF trace: its name and its metadata.
// trace.ts owns them, and calls one thing at a time. Metadata changes by rename only.

import { constants } from 'node:fs'
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { syncFile, syncFolder } from '../../common/disk.js'
import { type Epoch, uuidOf } from '../../ctf/epochs.js'
import { contextText, dashed, LAYOUT, preamble, splitMetadata } from '../../ctf/metadata.js'
import { TraceError } from '../../ctf/model.js'
import { parseMetadata } from '../../ctf/tsdl.js'
import { checkSecret, type Process } from '../../protocol/check/hello.js'
import { refuse, storage } from '../../protocol/check/refuse.js'

/** Of the session's secret. */
const DIGEST = '.secret'
/** No link is followed, where others may put one. */
const REPLACE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW

export class EpochFolder {
  private constructor(
    readonly path: string,
    readonly epoch: Epoch,
    readonly uuid: Buffer,
    readonly synced: boolean,
    readonly head: string,
    /** Of the tracepoints in it. */
    private blocks: readonly string[],
    /** Its name is on the disk, or need not be. */
    private isNamed: boolean,
  ) {}

  /** Those of a session that are there, in their order. */
  static async all(output: string, process: Process): Promise<EpochFolder[]> {
    const name = folderName(process)
    const numbers: number[] = []
    for (const one of await list(output)) {
      const number = one === name ? '0' : one.startsWith(`${name}-`) ? one.slice(name.length + 1) : ''
      if (/^(0|[1-9]\d{0,9})$/.test(number)) numbers.push(Number(number))
    }
    return Promise.all(
      numbers.sort((a, b) => a - b).map((number) => EpochFolder.#open(output, process, number)),
    )
  }

  static async #open(output: string, process: Process, number: number): Promise<EpochFolder> {
    const path = pathOf(output, process, number)
    try {
      const text = await readFile(join(path, 'metadata'), 'utf8')
      const { preamble: head, events } = splitMetadata(text)
      const began = await readDigest(path)
      if (began !== undefined) checkSecret(began, process)
      const epoch = { number, offset: 0n }
      const uuid = uuidOf(process.uuid, epoch)
      if (!head.includes(`uuid = "${dashed(uuid)}"`)) {
        refuse('STORAGE', `${path} holds the trace of another process; move it away`)
      }
      epoch.offset = parseMetadata(path, text).offset
      if (!head.endsWith(`${LAYOUT}${contextText(process.contexts)}};\n`)) {
        refuse('MALFORMED', 'hello.contexts differ from those this trace began with; expected the same')
      }
      return new EpochFolder(path, epoch, uuid, process.synced, head, events, !process.synced)
    } catch (error) {
      return refusal(path, error)
    }
  }

  /**
   * With its metadata in it from the first moment that it has its name: a folder without is never seen. Both are synced whatever
   * was asked: of a session that a power cut left nothing of, nobody would know that anything is missing.
   */
  static async make(
    output: string,
    process: Process,
    epoch: Epoch,
    blocks: readonly string[],
  ): Promise<EpochFolder> {
    const path = pathOf(output, process, epoch.number)
    const uuid = uuidOf(process.uuid, epoch)
    const head = preamble({ ...process, uuid, clockOffset: epoch.offset })
    const made = new EpochFolder(path, epoch, uuid, process.synced, head, [...blocks], false)
    const unborn = join(dirname(path), `.${basename(path)}`)
    try {
      await mkdir(unborn, { recursive: true, mode: 0o700 })
      await made.#write(unborn, blocks, true)
      if (process.secretDigest !== undefined) await made.#replace(unborn, DIGEST, process.secretDigest, true)
      await rename(unborn, path)
    } catch (error) {
      refusal(path, error)
    }
    return made
  }

  /**
   * Its name is on the disk when this returns. Apart from make(): where it fails the folder is there all the same, and another one
   * cannot take its name.
   */
  async keepName(): Promise<void> {
    if (this.isNamed) return
    try {
      await syncFolder(dirname(this.path))
    } catch (error) {
      storage(this.path, error)
    }
    this.isNamed = true
  }

  /** The tracepoints are on the disk, by name, when this returns. */
  async declare(blocks: readonly string[]): Promise<void> {
    if (blocks.length <= this.blocks.length) return
    try {
      await this.#write(this.path, blocks, this.synced)
    } catch (error) {
      storage(join(this.path, 'metadata'), error)
    }
    this.blocks = [...blocks]
  }

  get text(): string {
    return this.head + this.blocks.join('')
  }

  /** Files of streams, and others. */
  files(): Promise<string[]> {
    return list(this.path)
  }

  #write(folder: string, blocks: readonly string[], synced: boolean): Promise<void> {
    return this.#replace(folder, 'metadata', this.head + blocks.join(''), synced)
  }

  async #replace(folder: string, name: string, text: string, synced: boolean): Promise<void> {
    const hidden = join(folder, `.${name}`)
    const file = await open(hidden, REPLACE, 0o600)
    try {
      await file.writeFile(text)
      if (synced) await syncFile(file)
    } finally {
      await file.close()
    }
    await rename(hidden, join(folder, name))
    if (synced) await syncFolder(folder)
  }
}

/** Whose session it is: undefined in the folder of one without a secret, and where the machine stopped while it was written. */
async function readDigest(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, DIGEST), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return ''
  })
  return /^[0-9a-f]{64}$/.test(text) ? text : undefined
}

/** PROGRAM-PID-UUID8, and -NUMBER behind that where it is not the first. A first dot would hide the folder, so it is replaced too. */
export function folderName(process: Process): string {
  const program = process.program.replace(/[^A-Za-z0-9._-]|^\./g, '_').slice(0, 200)
  return `${program}-${process.pid}-${process.uuid.toString('hex', 0, 4)}`
}

export function pathOf(output: string, process: Process, number: number): string {
  return join(output, folderName(process) + (number === 0 ? '' : `-${number}`))
}

/** Nothing where there is no such folder. */
async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? [] : refusal(folder, error)
  }
}

function refusal(folder: string, error: unknown): never {
  if (error instanceof TraceError) refuse('STORAGE', error.message)
  if (error instanceof Error && 'code' in error) storage(folder, error)
  throw error
}
