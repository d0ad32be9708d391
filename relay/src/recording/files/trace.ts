// relay/src/recording/files/trace.ts: one session of a process on disk: a folder for each epoch of its time of day, and its streams in them.
// A session owns it from hello until its connection ends, and calls one thing at a time.
// Nothing but `metadata`, `events_N`, `spans_N` and hidden files is ever in a folder. One comes with the first put of its epoch:
// a process that is connected, and was never told to record, leaves none.

import { type Epoch, uuidOf } from '../../ctf/epochs.js'
import { preamble, splitMetadata } from '../../ctf/metadata.js'
import type { TraceInfo } from '../../ctf/model.js'
import { streamOf } from '../../ctf/streams.js'
import { parseMetadata } from '../../ctf/tsdl.js'
import type { Process } from '../../protocol/check/hello.js'
import { malformed } from '../../protocol/check/refuse.js'
import type { Tracepoint } from '../../protocol/wire.js'
import { Declared } from '../declared.js'
import { type Mark, NOTHING, type PutMark } from '../mark.js'
import { follow } from '../put.js'
import type { Recorder, Recording } from '../recording.js'
import { EpochFolder, folderName, pathOf } from './epoch-folder.js'
import { OpenStreams } from './open-streams.js'
import { type OnRepair, StreamFile } from './stream-file.js'

const MAX_STREAMS = 4096
const MAX_EPOCHS = 4096

/** Traces below one folder. */
export class TraceFiles implements Recorder {
  /** Those that are written to, by their folder's name. */
  readonly sessions = new Set<string>()

  constructor(
    readonly output: string,
    readonly repaired: OnRepair = () => {},
    readonly openStreams = new OpenStreams(),
  ) {}

  /** A process has one at a time. */
  async open(process: Process): Promise<Recording> {
    const session = folderName(process)
    this.sessions.add(session) // before anything of it is looked for: from now on nobody removes it
    try {
      return await Trace.open(this, process)
    } catch (error) {
      this.sessions.delete(session)
      throw error
    }
  }
}

class Trace implements Recording {
  readonly #streams = new Map<number, StreamFile>()
  readonly #epochs = new Map<number, EpochFolder>()
  readonly #declared: Declared

  private constructor(
    readonly files: TraceFiles,
    readonly process: Process,
    readonly info: TraceInfo,
    text: string,
  ) {
    const { preamble: head, events } = splitMetadata(text)
    this.#declared = new Declared(head, events, info.tracepoints)
  }

  /** Goes on with the folders that are there; where there are none, the first put makes one. */
  static async open(files: TraceFiles, process: Process): Promise<Trace> {
    const { output } = files
    const epochs = await EpochFolder.all(output, process)
    const text = epochs.at(-1)?.text ?? preamble(process) // tracepoints are told to the newest first
    const folder = epochs[0]?.path ?? pathOf(output, process, 0)
    const info = { ...parseMetadata(folder, text), offset: process.clockOffset }
    const trace = new Trace(files, process, info, text)
    for (const epoch of epochs) {
      trace.#epochs.set(epoch.epoch.number, epoch)
      for (const file of await epoch.files()) {
        const stream = streamOf(file)
        if (stream !== undefined) trace.#begin(stream, epoch)
      }
    }
    return trace
  }

  get openStreams(): OpenStreams {
    return this.files.openStreams
  }

  get followed(): boolean {
    return false
  }

  get streams(): number[] {
    return [...this.#streams.keys()].sort((a, b) => a - b)
  }

  async held(stream: number): Promise<Mark> {
    const file = this.#streams.get(stream)
    return file === undefined ? NOTHING : this.openStreams.use(file, () => file.held())
  }

  /** The tracepoints are on the disk, by name, when this returns; or will be with the folder. */
  async declare(tracepoints: Tracepoint[]): Promise<void> {
    const added = this.#declared.check(tracepoints)
    if (added.blocks.length === 0) return
    const newest = [...this.#epochs.values()].at(-1)
    await newest?.declare([...this.#declared.blocks, ...added.blocks])
    this.#declared.add(added)
  }

  async put(stream: number, mark: PutMark, packets: Buffer): Promise<boolean> {
    const known = this.#streams.get(stream)
    const isBehind = known === undefined || known.folder.epoch.number < mark.epoch.number
    // before anything is made for it
    if (isBehind)
      follow(await this.held(stream), mark, packets, uuidOf(this.process.uuid, mark.epoch), stream)
    const file = isBehind ? await this.#next(stream, mark.epoch) : known
    await file.folder.declare(this.#declared.blocks)
    await file.folder.keepName()
    return this.openStreams.use(file, () => file.put(mark, packets, this.process.synced))
  }

  async close(): Promise<void> {
    for (const file of this.#streams.values()) await this.openStreams.close(file)
    this.files.sessions.delete(folderName(this.process))
  }

  /** The stream's file in an epoch that it was not in yet. */
  async #next(stream: number, epoch: Epoch): Promise<StreamFile> {
    const known = this.#streams.get(stream)
    if (known) await this.openStreams.close(known)
    else if (this.#streams.size >= MAX_STREAMS)
      malformed('put.stream', stream, `at most ${MAX_STREAMS} streams a process`)
    return this.#begin(stream, this.#epochs.get(epoch.number) ?? (await this.#bear(epoch)))
  }

  async #bear(epoch: Epoch): Promise<EpochFolder> {
    if (this.#epochs.size >= MAX_EPOCHS)
      malformed('put.epoch', epoch.number, `at most ${MAX_EPOCHS} epochs a session`)
    const folder = await EpochFolder.make(this.files.output, this.process, epoch, this.#declared.blocks)
    if (this.#epochs.size === 0) this.info.folder = folder.path
    this.#epochs.set(epoch.number, folder)
    return folder
  }

  #begin(stream: number, folder: EpochFolder): StreamFile {
    const made = new StreamFile(folder, stream, this.#streams.get(stream), this.files.repaired)
    this.#streams.set(stream, made)
    return made
  }
}
