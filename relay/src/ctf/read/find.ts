// relay/src/ctf/read/find.ts: which traces are at a path: the one there, or all those below it.
// merge.ts calls it once. It reads metadata and lists stream files; it opens no stream.

import { type Dirent, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TraceError, type TraceInfo } from '../model.js'
import { streamOf } from '../streams.js'
import { parseMetadata } from '../tsdl.js'

export interface FoundTrace {
  info: TraceInfo
  streams: number[]
}

/** Called with what is passed over; where there is none, the first such thing is thrown. */
export type OnFault = (error: TraceError) => void

export function findTraces(path: string, onFault?: OnFault): FoundTrace[] {
  const faults: TraceError[] = []
  const found = [...walk(path, faults)]
  if (found.length === 0 && faults.length !== 1) {
    const of = faults.length === 0 ? '' : ` of ours, and ${faults.length} others`
    const expected = 'expected a folder with a file "metadata", or folders that have one'
    throw new TraceError(path, `no trace here${of}; ${expected}`, true)
  }
  for (const fault of faults) {
    if (onFault === undefined || found.length === 0) throw fault
    onFault(fault)
  }
  return found
}

function* walk(path: string, faults: TraceError[]): Generator<FoundTrace> {
  let inside: string[] = []
  try {
    const entries = list(path)
    if (entries.some((entry) => entry.name === 'metadata')) return yield traceAt(path, entries)
    inside = entries.filter((one) => one.isDirectory() && !one.name.startsWith('.')).map(({ name }) => name)
  } catch (error) {
    if (!(error instanceof TraceError)) throw error
    faults.push(error)
  }
  for (const name of inside) yield* walk(join(path, name), faults)
}

function traceAt(path: string, entries: Dirent[]): FoundTrace {
  const info = parseMetadata(path, textOf(join(path, 'metadata')))
  const streams = entries.flatMap((entry) => streamOf(entry.name) ?? [])
  return { info, streams: streams.sort((a, b) => a - b) }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new TraceError(path, `cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

function list(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const words: Record<string, string> = { ENOENT: 'no such folder', ENOTDIR: 'not a folder' }
    throw new TraceError(path, words[code ?? ''] ?? `cannot be listed (${code})`, code === 'ENOENT')
  }
}
