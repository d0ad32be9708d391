// relay/src/store/trace.ts: one process's trace on disk: its folder, its metadata, its streams.
// A session owns it from hello until its connection ends, and calls one thing at a time.
// Nothing but `metadata`, `events_N` and hidden files is ever in the folder; metadata changes by rename only.

import { mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Process } from '../check/hello.js'
import { malformed, refuse } from '../check/refuse.js'
import { checkTracepoint, MAX_TRACEPOINTS } from '../check/tracepoint.js'
import type { Tracepoint } from '../wire.js'
import type { Mark } from './mark.js'
import { contextText, dashed, eventBlock, LAYOUT, preamble, splitMetadata } from './metadata.js'
import type { OpenStreams } from './open-streams.js'
import { type PutMark, StreamFile, storage } from './stream-file.js'

const MAX_STREAMS = 4096
const MAX_METADATA = 16 * 2 ** 20

export class Trace {
  readonly #streams = new Map<number, StreamFile>()
  #events: string[]
  #metadataBytes: number

  private constructor(
    readonly folder: string,
    readonly process: Process,
    readonly head: string,
    events: string[],
    readonly openStreams: OpenStreams,
  ) {
    this.#events = events
    this.#metadataBytes = head.length + events.reduce((sum, text) => sum + text.length, 0)
  }

  /** Makes the folder, or goes on with the one that is there. */
  static async open(output: string, process: Process, openStreams: OpenStreams): Promise<Trace> {
    const name = folderName(process)
    const folder = join(output, name)
    try {
      if (!(await exists(folder))) {
        const unborn = join(output, `.${name}`) // a folder without metadata is never seen
        await mkdir(unborn, { recursive: true, mode: 0o700 })
        await writeMetadata(unborn, preamble(process), process.synced)
        await rename(unborn, folder)
        if (process.synced) await syncFolder(output)
      }
      const { preamble: head, events } = splitMetadata(await readFile(join(folder, 'metadata'), 'utf8'))
      if (!head.includes(`uuid = "${dashed(process.uuid)}"`)) {
        refuse('STORAGE', `${folder} holds the trace of another process; move it away`)
      }
      if (!head.endsWith(`${LAYOUT}${contextText(process.contexts)}};\n`)) {
        refuse('MALFORMED', `hello.contexts differ from those this trace began with; expected the same`)
      }
      const trace = new Trace(folder, process, head, events, openStreams)
      for (const file of await readdir(folder)) {
        const stream = /^events_(\d{1,6})$/.exec(file)?.[1]
        if (stream !== undefined) trace.#stream(Number(stream))
      }
      return trace
    } catch (error) {
      return refusal(folder, error)
    }
  }

  get tracepoints(): number {
    return this.#events.length
  }

  get streams(): number[] {
    return [...this.#streams.keys()].sort((a, b) => a - b)
  }

  held(stream: number): Promise<Mark> {
    return this.openStreams.use(this.#stream(stream), (file) => file.held())
  }

  /** The tracepoints are on the disk, by name, when this returns. */
  async declare(tracepoints: Tracepoint[]): Promise<void> {
    const known = this.#events.length
    const added: string[] = []
    let expected = tracepoints[0]?.id ?? known
    if (expected < 0 || expected > known) malformed('tracepoint: id', expected, `0 to ${known}, the next one`)
    for (const tracepoint of tracepoints) {
      if (expected >= MAX_TRACEPOINTS) malformed('tracepoint: id', expected, `0 to ${MAX_TRACEPOINTS - 1}`)
      checkTracepoint(tracepoint, expected)
      const block = eventBlock(tracepoint)
      if (expected >= known) added.push(block)
      else if (block !== this.#events[expected]) {
        refuse('MALFORMED', `tracepoint ${expected} differs from the one declared before; expected the same`)
      }
      expected++
    }
    if (added.length === 0) return
    const bytes = this.#metadataBytes + added.reduce((sum, text) => sum + text.length, 0)
    if (bytes > MAX_METADATA) malformed('tracepoints: metadata', `${bytes} bytes`, `at most ${MAX_METADATA}`)
    const events = [...this.#events, ...added]
    try {
      await writeMetadata(this.folder, this.head + events.join(''), this.process.synced)
    } catch (error) {
      storage(join(this.folder, 'metadata'), error)
    }
    this.#events = events
    this.#metadataBytes = bytes
  }

  put(stream: number, mark: PutMark, packets: Buffer): Promise<boolean> {
    const file = this.#stream(stream)
    return this.openStreams.use(file, () => file.put(mark, packets, this.process.synced))
  }

  async close(): Promise<void> {
    for (const file of this.#streams.values()) await this.openStreams.close(file)
  }

  #stream(stream: number): StreamFile {
    const known = this.#streams.get(stream)
    if (known) return known
    if (this.#streams.size >= MAX_STREAMS)
      malformed('put.stream', stream, `at most ${MAX_STREAMS} streams a process`)
    const made = new StreamFile(this.folder, this.process.uuid, stream)
    this.#streams.set(stream, made)
    return made
  }
}

/** PROGRAM-PID-UUID8. A first dot would hide the folder, so it is replaced too. */
export function folderName(process: Process): string {
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
  if (error instanceof Error && 'code' in error) storage(folder, error)
  throw error
}
