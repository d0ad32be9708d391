// relay/src/recording/files/trace-folders.ts: the traces that stand in a folder, by the names that epoch-folder.ts and stream-file.ts give: those of a
// session one behind the other, by epoch. Folders that no relay made are passed over. repair-traces.ts and trace-retention.ts use it.

import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { streamOf } from '../../ctf/streams.js'

export interface TraceFolder {
  path: string
  /** The folder's name in epoch 0. */
  session: string
  epoch: number
  /** Files of streams that have marks: only a relay writes those. */
  streams: string[]
}

const NAME = /^([A-Za-z0-9_][A-Za-z0-9._-]*-\d+-[0-9a-f]{8})(?:-([1-9]\d{0,9}))?$/

/** Those below `path`, or the one that it is. */
export async function listTraces(path: string): Promise<TraceFolder[]> {
  const own = await traceAt(path)
  const found = own ? [own] : []
  for (const entry of own ? [] : await readdir(path, { withFileTypes: true })) {
    const trace = entry.isDirectory() ? await traceAt(join(path, entry.name)) : undefined
    if (trace) found.push(trace)
  }
  return found.sort((a, b) => (a.session < b.session ? -1 : a.session > b.session ? 1 : a.epoch - b.epoch))
}

/** Not whether it is there. */
export const isTraceName = (path: string): boolean => NAME.test(basename(path))

async function traceAt(path: string): Promise<TraceFolder | undefined> {
  const [, session, epoch = '0'] = NAME.exec(basename(path)) ?? []
  if (session === undefined) return undefined
  const names = await readdir(path)
  const streams = names.filter((name) => streamOf(name) !== undefined && names.includes(`.${name}`))
  return { path, session, epoch: Number(epoch), streams }
}
