// relay/src/store/trace.ts: one process's trace on disk: its folder, its metadata, its streams.
// A session owns it from hello until its connection ends, and calls one thing at a time.
// Nothing but `metadata`, `events_N`, `spans_N` and hidden files is ever in the folder; metadata changes by rename only. The folder
// comes with the first put: a process that is connected, and was never told to record, leaves none.

import { mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Process } from '../check/hello.js'
import { malformed, refuse } from '../check/refuse.js'
import { streamOf } from '../ctf/streams.js'
import type { Recorder, Recording } from '../intake/recording.js'
import { TraceError, type TraceInfo } from '../read/model.js'
import { parseMetadata } from '../read/tsdl.js'
import type { Tracepoint } from '../wire.js'
import { Declared } from './declared.js'
import { type Mark, NOTHING, type PutMark } from './mark.js'
import { contextText, dashed, LAYOUT, preamble, splitMetadata } from './metadata.js'
import { OpenStreams } from './open-streams.js'
import { StreamFile, storage } from './stream-file.js'

const MAX_STREAMS = 4096

/** Traces below one folder. */
export class TraceFiles implements Recorder {
  constructor(
    readonly output: string,
    readonly openStreams = new OpenStreams(),
  ) {}

  open(process: Process): Promise<Recording> {
    return Trace.open(this.output, process, this.openStreams)
  }
}

class Trace implements Recording {
  readonly #streams = new Map<number, StreamFile>()
  readonly #declared: Declared

  private constructor(
    readonly process: Process,
    readonly info: TraceInfo,
    readonly head: string,
    events: string[],
    readonly openStreams: OpenStreams,
    private born: boolean,
  ) {
    this.#declared = new Declared(head, events, info.tracepoints)
  }

  /** Goes on with the folder that is there; where there is none, the first put makes it. */
  static async open(output: string, process: Process, openStreams: OpenStreams): Promise<Trace> {
    const name = folderName(process)
    const folder = join(output, name)
    try {
      const born = await exists(folder)
      const text = born ? await readFile(join(folder, 'metadata'), 'utf8') : preamble(process)
      const { preamble: head, events } = splitMetadata(text)
      if (!head.includes(`uuid = "${dashed(process.uuid)}"`)) {
        refuse('STORAGE', `${folder} holds the trace of another process; move it away`)
      }
      const info = parseMetadata(folder, text)
      if (!head.endsWith(`${LAYOUT}${contextText(process.contexts)}};\n`)) {
        refuse('MALFORMED', 'hello.contexts differ from those this trace began with; expected the same')
      }
      const trace = new Trace(process, info, head, events, openStreams, born)
      for (const file of born ? await readdir(folder) : []) {
        const stream = streamOf(file)
        if (stream !== undefined) trace.#stream(stream)
      }
      return trace
    } catch (error) {
      return refusal(folder, error)
    }
  }

  get streams(): number[] {
    return [...this.#streams.keys()].sort((a, b) => a - b)
  }

  async held(stream: number): Promise<Mark> {
    if (!this.born) return NOTHING
    return this.openStreams.use(this.#stream(stream), (file) => file.held())
  }

  /** The tracepoints are on the disk, by name, when this returns; or will be with the folder. */
  async declare(tracepoints: Tracepoint[]): Promise<void> {
    const added = this.#declared.check(tracepoints)
    if (added.blocks.length === 0) return
    const { folder } = this.info
    if (!this.born) return this.#declared.add(added)
    const text = this.head + this.#declared.blocks.join('') + added.blocks.join('')
    try {
      await writeMetadata(folder, text, this.process.synced)
    } catch (error) {
      storage(join(folder, 'metadata'), error)
    }
    this.#declared.add(added)
  }

  async put(stream: number, mark: PutMark, packets: Buffer): Promise<boolean> {
    if (!this.born) await this.#bear()
    const file = this.#stream(stream)
    return this.openStreams.use(file, () => file.put(mark, packets, this.process.synced))
  }

  async #bear(): Promise<void> {
    const { folder } = this.info
    const unborn = join(dirname(folder), `.${basename(folder)}`) // a folder without metadata is never seen
    try {
      await mkdir(unborn, { recursive: true, mode: 0o700 })
      await writeMetadata(unborn, this.head + this.#declared.blocks.join(''), this.process.synced)
      await rename(unborn, folder)
      if (this.process.synced) await syncFolder(dirname(folder))
    } catch (error) {
      refusal(folder, error)
    }
    this.born = true
  }

  async close(): Promise<void> {
    for (const file of this.#streams.values()) await this.openStreams.close(file)
  }

  #stream(stream: number): StreamFile {
    const known = this.#streams.get(stream)
    if (known) return known
    if (this.#streams.size >= MAX_STREAMS)
      malformed('put.stream', stream, `at most ${MAX_STREAMS} streams a process`)
    const made = new StreamFile(this.info.folder, this.process.uuid, stream)
    this.#streams.set(stream, made)
    return made
  }
}

/** PROGRAM-PID-UUID8. A first dot would hide the folder, so it is replaced too. */
function folderName(process: Process): string {
  const program = process.program.replace(/[^A-Za-z0-9._-]|^\./g, '_').slice(0, 200)
  return `${program}-${process.pid}-${process.uuid.toString('hex', 0, 4)}`
}

async function writeMetadata(folder: string, text: string, synced: boolean): Promise<void> {
  const hidden = join(folder, '.metadata')
  const file = await open(hidden, 'w', 0o600)
  try {
    await file.writeFile(text)
    if (synced) await file.datasync()
  } finally {
    await file.close()
  }
  await rename(hidden, join(folder, 'metadata'))
  if (synced) await syncFolder(folder)
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error) => (error.code === 'ENOENT' ? false : Promise.reject(error)),
  )
}

function refusal(folder: string, error: unknown): never {
  if (error instanceof TraceError) refuse('STORAGE', error.message)
  if (error instanceof Error && 'code' in error) storage(folder, error)
  throw error
}
