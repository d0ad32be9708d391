// relay/src/recording/files/trace-retention.ts: which traces of a relay's folder stay: none goes where no limit was given. Whole traces go, of
// processes that have ended, the oldest first: those that are older than maxAge, and then as many as are more than maxTraces or
// maxBytes. trace-store.ts calls it. A trace is out of sight before the first of its files is gone.

import { existsSync } from 'node:fs'
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { soonest } from '../../common/wall-clock.js'
import { streamOf } from '../../ctf/streams.js'
import { parseMetadata } from '../../ctf/tsdl.js'
import type { Mark } from '../mark.js'
import { BOOT, bootOf, readMarks } from './stream-recovery.js'
import { listTraces } from './trace-folders.js'

export interface TraceRetention {
  /** Traces whose last event came longer ago go; milliseconds. */
  maxAge?: number
  /** The oldest go where all of them together take more. */
  maxBytes?: number
  /** The oldest go where there are more. */
  maxTraces?: number
}

/** A session, in a folder for each epoch. */
interface Kept {
  session: string
  folders: string[]
  bytes: number
  /** When something was written to it last. */
  last: number
}

export interface RemovedTraces {
  traces: number
  bytes: number
  events: number
}

export interface KeptTraces {
  traces: number
  bytes: number
  /** More than may be, of processes that may write to them still. */
  isOver: boolean
}

/** For so long after its last packet nothing goes: a process that lost its connection comes again, and spans are read behind. */
const QUIET_MS = 60_000
const HIDDEN = '.removed-'

const limits = ['maxAge', 'maxBytes', 'maxTraces'] as const

/** @throws TypeError naming the option, what was given and what is allowed */
export function checkRetention(given: unknown): TraceRetention {
  if (typeof given !== 'object' || given === null)
    throw new TypeError(`retention is ${String(given)}; expected an object`)
  for (const [key, value] of Object.entries(given)) {
    if (!(limits as readonly string[]).includes(key))
      throw new TypeError(`retention has ${JSON.stringify(key)}; expected ${limits.join(', ')}`)
    if (value !== undefined && !(Number.isFinite(value) && value > 0))
      throw new TypeError(`retention.${key} is ${JSON.stringify(value)}; expected a number above 0`)
  }
  return given
}

/** Removes what is beyond the limits; says what went, and what is there. */
export async function removeOldTraces(
  output: string,
  { maxAge = Infinity, maxBytes = Infinity, maxTraces = Infinity }: TraceRetention,
  /** Whether somebody writes to that session, and for how long a read may be behind. */
  { isOpen, behindMs }: { isOpen: (session: string) => boolean; behindMs: number },
): Promise<{ removed: RemovedTraces; kept: KeptTraces }> {
  await finishRemoving(output)
  const all = (await sessionsIn(output)).sort((a, b) => a.last - b.last)
  const removed: RemovedTraces = { traces: 0, bytes: 0, events: 0 }
  let bytes = all.reduce((sum, one) => sum + one.bytes, 0)
  let traces = all.length
  const now = soonest()
  for (const one of all) {
    const age = now - one.last
    if (age <= maxAge && bytes <= maxBytes && traces <= maxTraces) break
    if (age < QUIET_MS + behindMs || isOpen(one.session) || (await livesHere(one))) continue
    const events = await eventsOf(one)
    if (isOpen(one.session)) continue // it came again meanwhile
    await remove(one)
    removed.traces++
    removed.bytes += one.bytes
    removed.events += events
    bytes -= one.bytes
    traces--
  }
  return { removed, kept: { traces, bytes, isOver: bytes > maxBytes || traces > maxTraces } }
}

async function sessionsIn(output: string): Promise<Kept[]> {
  const sessions = new Map<string, Kept>()
  for (const { path, session } of await listTraces(output)) {
    const kept = sessions.get(session) ?? { session, folders: [], bytes: 0, last: 0 }
    sessions.set(session, kept)
    kept.folders.push(path)
    for (const name of await readdir(path)) {
      const found = await stat(join(path, name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error // metadata has another name while it is written
      })
      kept.bytes += found?.size ?? 0
      kept.last = Math.max(kept.last, found?.mtimeMs ?? 0)
    }
  }
  return [...sessions.values()]
}

/** Its process runs on this machine, whatever became of its connection. */
async function livesHere({ folders }: Kept): Promise<boolean> {
  const [folder = ''] = folders
  try {
    const { bootId, pid } = parseMetadata(folder, await readFile(join(folder, 'metadata'), 'utf8'))
    return bootOf(bootId) === BOOT && existsSync(`/proc/${pid}`)
  } catch {
    return false // nobody goes on with it
  }
}

/** As the marks have it: of each stream, those of all its epochs stand in the newest. */
async function eventsOf({ folders }: Kept): Promise<number> {
  const newest = new Map<string, Mark['events']>()
  for (const folder of folders) {
    for (const name of await readdir(folder)) {
      if (!name.startsWith('.') || streamOf(name.slice(1)) === undefined) continue
      const file = await open(join(folder, name), 'r')
      const [mark] = await readMarks(file).finally(() => file.close())
      if (mark) newest.set(name, mark.events)
    }
  }
  return [...newest.values()].reduce((sum, events) => sum + events, 0)
}

/** The later epochs first: what is left after a kill is the begin of a trace. */
async function remove({ folders }: Kept): Promise<void> {
  for (const folder of folders.toReversed()) {
    const hidden = join(dirname(folder), HIDDEN + basename(folder))
    await rename(folder, hidden)
    await rm(hidden, { recursive: true })
  }
}

/** What a kill left of it. */
async function finishRemoving(output: string): Promise<void> {
  for (const name of await readdir(output))
    if (name.startsWith(HIDDEN)) await rm(join(output, name), { recursive: true, force: true })
}
