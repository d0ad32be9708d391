// relay/src/read/find.ts: which traces are at a path: the one there, or all those below it.
// merge.ts calls it once. It reads metadata and lists stream files; it opens no stream.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { streamOf } from '../ctf/streams.js'
import { TraceError, type TraceInfo } from './model.js'
import { parseMetadata } from './tsdl.js'

export interface FoundTrace {
  info: TraceInfo
  streams: number[]
}

export function findTraces(path: string): FoundTrace[] {
  const found = [...walk(path)]
  if (found.length === 0) {
    throw new TraceError(
      path,
      'no trace here; expected a folder with a file "metadata", or folders that have one',
    )
  }
  return found
}

function* walk(path: string): Generator<FoundTrace> {
  const entries = list(path)
  if (entries.some((entry) => entry.name === 'metadata')) {
    const info = parseMetadata(path, readFileSync(join(path, 'metadata'), 'utf8'))
    const streams = entries.flatMap((entry) => streamOf(entry.name) ?? [])
    yield { info, streams: streams.sort((a, b) => a - b) }
    return
  }
  for (const entry of entries) {
    if (entry.isDirectory() && !entry.name.startsWith('.')) yield* walk(join(path, entry.name))
  }
}

function list(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const words: Record<string, string> = { ENOENT: 'no such folder', ENOTDIR: 'not a folder' }
    throw new TraceError(path, words[code ?? ''] ?? `cannot be listed (${code})`)
  }
}
