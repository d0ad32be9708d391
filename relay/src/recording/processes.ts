// relay/src/recording/processes.ts: the processes this relay has heard, by uuid: who owns each trace, and its numbers.
// Sessions claim and leave; stats() reads. A uuid has one owner: a newer claim ends the older connection first,
// because the older one of the two is mostly one whose network died without a word.
// It keeps the numbers of at most 1024 processes that are gone, and no files.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dashed } from '../ctf/metadata.js'
import type { TraceInfo, TraceTracepoint } from '../ctf/model.js'
import { parseMetadata } from '../ctf/tsdl.js'
import type { Enabled } from '../protocol/check/enabled.js'
import { checkSecret, type Process } from '../protocol/check/hello.js'
import { MAX_TRACEPOINTS } from '../protocol/check/tracepoint.js'
import { type Mark, NOTHING } from './mark.js'

export interface LostCounts {
  noRoom: number
  tooBig: number
  badValue: number
  noRing: number
  overwritten: number
  unstored: number
}

export interface ProcessStats {
  uuid: string
  pid: number
  program: string
  folder: string
  connected: boolean
  events: number
  lost: LostCounts
  bytes: number
  /** Puts stored since this relay started. */
  puts: number
  tracepoints: number
}

/** What all processes brought since the relay began: never less than before. */
export interface ProcessTotals {
  events: number
  bytes: number
  puts: number
  lost: LostCounts
}

export interface Owner {
  /** Ends the connection; resolves when it has let go of the trace. */
  end(why: string): Promise<void>
}

const KEPT = 1024
const NONE_LOST: Readonly<LostCounts> = {
  noRoom: 0,
  tooBig: 0,
  badValue: 0,
  noRing: 0,
  overwritten: 0,
  unstored: 0,
}
const REASONS = Object.keys(NONE_LOST) as (keyof LostCounts)[]

export class Entry {
  owner: Owner | undefined
  #folder = ''
  puts = 0
  /** Its hello was taken, once at least. */
  wasOpened = false
  /** While its recording is open; the tracepoints of one that is gone are in its folder. */
  info: TraceInfo | undefined
  /** What is on in it, as it told last; undefined once it is gone. */
  enabled: Enabled | undefined
  #tracepoints = 0
  readonly #marks = new Map<number, Mark>()
  /** Of the files of epochs that are over. */
  #bytesBefore = 0

  constructor(readonly process: Process) {}

  opened(info: TraceInfo): void {
    this.info = info
    this.wasOpened = true
  }

  /** Of its first epoch that has one. */
  get folder(): string {
    return this.info?.folder ?? this.#folder
  }

  left(): void {
    this.#folder = this.folder
    this.#tracepoints = this.info?.tracepoints.length ?? this.#tracepoints
    this.info = undefined
    this.enabled = undefined
    this.owner = undefined
  }

  /** Where a stream ends now. @returns where it ended before, in the files of this epoch */
  note(stream: number, mark: Mark): Mark {
    let before = this.#marks.get(stream) ?? NOTHING
    if (before.epoch.number < mark.epoch.number) {
      this.#bytesBefore += before.bytes
      before = { ...before, bytes: 0 }
    }
    this.#marks.set(stream, mark)
    return before
  }

  stats(): ProcessStats {
    const lost = { ...NONE_LOST }
    let events = 0
    let bytes = this.#bytesBefore
    for (const mark of this.#marks.values()) {
      for (const reason of REASONS) lost[reason] += mark[reason]
      events += mark.events
      bytes += mark.bytes
    }
    const { uuid, pid, program } = this.process
    const { folder, puts } = this
    const tracepoints = this.info?.tracepoints.length ?? this.#tracepoints
    const connected = this.owner !== undefined
    return { uuid: dashed(uuid), pid, program, folder, connected, events, lost, bytes, puts, tracepoints }
  }
}

export class Processes {
  readonly #totals: ProcessTotals = { events: 0, bytes: 0, puts: 0, lost: { ...NONE_LOST } }
  /** "provider:event" of what was declared, also by processes that are gone. */
  readonly declared = new Set<string>()
  readonly #entries = new Map<string, Entry>()

  async claim(process: Process, owner: Owner): Promise<Entry> {
    const key = process.uuid.toString('hex')
    const known = this.#entries.get(key)
    if (known) checkSecret(known.process.secretDigest, process) // before whoever is there is sent away
    for (let entry = this.#entries.get(key); entry?.owner; entry = this.#entries.get(key)) {
      await entry.owner.end('the same process said hello on a newer connection')
    }
    const entry = this.#entries.get(key) ?? new Entry(process)
    entry.owner = owner
    this.#entries.delete(key) // and back in as the newest
    this.#entries.set(key, entry)
    return entry
  }

  /** A put was stored, and the stream ends there now. */
  stored(entry: Entry, stream: number, mark: Mark): void {
    const totals = this.#totals
    const grown = (key: 'events' | 'bytes' | keyof LostCounts) => Math.max(0, mark[key] - before[key]) // its folder may have gone
    const before = entry.note(stream, mark)
    entry.puts++
    totals.puts++
    totals.events += grown('events')
    totals.bytes += grown('bytes')
    for (const reason of REASONS) totals.lost[reason] += grown(reason)
  }

  leave(entry: Entry): void {
    entry.left()
    // Nothing of it is remembered, its secret least of all: it may be a stranger's, who is refused by what is on disk.
    if (!entry.wasOpened) this.#entries.delete(entry.process.uuid.toString('hex'))
    for (const [key, one] of this.#entries) {
      if (this.#entries.size <= KEPT) break
      if (!one.owner) this.#entries.delete(key)
    }
  }

  get totals(): ProcessTotals {
    return { ...this.#totals, lost: { ...this.#totals.lost } }
  }

  keepNames(tracepoints: readonly { provider: string; event: string }[]): void {
    for (const { provider, event } of tracepoints)
      if (this.declared.size < MAX_TRACEPOINTS) this.declared.add(`${provider}:${event}`)
  }

  get entries(): Entry[] {
    return [...this.#entries.values()]
  }

  /** What is on in the session of that uuid, with its dashes. */
  enabled(uuid: string): Enabled | undefined {
    return this.#entries.get(uuid.replaceAll('-', ''))?.enabled
  }

  /** By the session's uuid, with its dashes; undefined where there is no such session. */
  async tracepoints(uuid: string): Promise<TraceTracepoint[] | undefined> {
    const entry = this.#entries.get(uuid.replaceAll('-', ''))
    if (entry?.info) return entry.info.tracepoints
    if (!entry?.folder) return undefined
    const text = await readFile(join(entry.folder, 'metadata'), 'utf8').catch(() => undefined)
    return text === undefined ? [] : parseMetadata(entry.folder, text).tracepoints // it recorded nothing, and went
  }

  stats(): ProcessStats[] {
    return [...this.#entries.values()].map((entry) => entry.stats())
  }
}
