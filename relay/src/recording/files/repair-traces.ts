// relay/src/recording/files/repair-traces.ts: the traces of an output folder, brought to where they can be read and are counted: by `blkin repair`
// for a folder at rest, and by a relay at its start for what the power cut before it may have left. What is to be done with one file
// says stream-recovery.ts. A trace without readable metadata cannot be read by anybody, and keeps babeltrace2 from reading those
// beside it: it is set aside, under a name with a dot.

import { type FileHandle, open, readdir, readFile, readlink, realpath, rename, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { syncFolder } from '../../common/disk.js'
import { TraceError, type TraceInfo } from '../../ctf/model.js'
import { streamOf } from '../../ctf/streams.js'
import { parseMetadata } from '../../ctf/tsdl.js'
import { type Mark, NOTHING, type WrittenMark } from '../mark.js'
import { applyRecovery, BOOT, bootOf, planRecovery, type Recovery, readMarks } from './stream-recovery.js'
import { isTraceName, listTraces, type TraceFolder } from './trace-folders.js'

export interface RepairedFile {
  path: string
  /** Bytes that were cut off, and events that were stored and are gone. */
  cutBytes: number
  missingEvents: number
}

export interface RepairReport {
  traces: number
  streams: number
  repaired: RepairedFile[]
  /** Traces without metadata that can be read. */
  setAside: string[]
  /** What the system refused; the others are repaired all the same. */
  failed: { path: string; message: string }[]
}

export interface RepairOptions {
  /** Say what would be done. */
  isDryRun?: boolean
  /** Only what a power cut just before may have left: streams of another boot that were written last. Others are as they were left. */
  isAtStart?: boolean
}

/** Against the newest: what is older was on the disk. */
const RECENT_MS = 600_000

export async function repairTraces(path: string, options: RepairOptions = {}): Promise<RepairReport> {
  const report: RepairReport = { traces: 0, streams: 0, repaired: [], setAside: [], failed: [] }
  const traces = await listTraces(path)
  const since = options.isAtStart ? (await newestOf(traces)) - RECENT_MS : 0
  const marks = new Map<string, Mark>() // of each stream, where it ended in the epoch before
  for (const [i, trace] of traces.entries()) {
    const isLast = traces[i + 1]?.session !== trace.session
    if (trace.epoch === 0 || traces[i - 1]?.session !== trace.session) marks.clear()
    try {
      await repairTrace(trace, isLast, since, marks, options, report)
    } catch (error) {
      report.failed.push({ path: trace.path, message: (error as Error).message })
    }
  }
  return report
}

/**
 * Throws where a process has the folder or something in it open: a relay has it as long as it runs. Only where there is /proc, and of
 * processes that this user may look at.
 */
export async function checkAtRest(path: string): Promise<void> {
  const folder = await realpath(path)
  const output = isTraceName(folder) ? dirname(folder) : folder
  for (const pid of (await namesIn('/proc')).filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid) continue
    for (const fd of await namesIn(`/proc/${pid}/fd`)) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')
      if (target === output || target.startsWith(`${folder}/`))
        throw new Error(`${path} is in use by process ${pid}, which has ${target} open; end it first`)
    }
  }
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => [])

async function repairTrace(
  trace: TraceFolder,
  isLast: boolean,
  since: number,
  marks: Map<string, Mark>,
  { isDryRun = false, isAtStart = false }: RepairOptions,
  report: RepairReport,
): Promise<void> {
  const info = trace.streams.length === 0 ? 'foreign' : await readInfo(trace.path)
  if (info === 'foreign') return
  report.traces++
  if (info === 'unreadable') {
    report.setAside.push(trace.path)
    if (!isDryRun) await setAside(trace.path)
    return
  }
  const uuid = Buffer.from(info.uuid.replaceAll('-', ''), 'hex')
  const epoch = { number: trace.epoch, offset: info.offset }
  for (const name of trace.streams) {
    const path = join(trace.path, name)
    const stream = streamOf(name)!
    const before = async () => marks.get(name) ?? NOTHING
    const place = { uuid, epoch, stream, info: () => info, before }
    const { mtimeMs } = await stat(path)
    const found = await withFiles(path, isDryRun, async (file, marksFile) => {
      const written = marksFile === undefined ? [] : await readMarks(marksFile)
      if (isAtStart && (mtimeMs < since || written[0]?.boot === BOOT))
        return { mark: written[0], recovery: undefined }
      const atRest = !isAtStart || !isLast || isOfDead(written[0], info)
      const extent = isAtStart && written.length > 0 ? 'recent' : 'all'
      const recovery = await planRecovery(file, written, place, { extent, atRest })
      const isChanged = recovery.isDamaged || recovery.keep !== recovery.size
      if (isChanged && !isDryRun && marksFile) await applyRecovery(file, marksFile, recovery)
      return { mark: recovery.mark, recovery: isChanged ? recovery : undefined }
    })
    report.streams++
    if (found.recovery) report.repaired.push(repairedFile(path, found.recovery))
    if (found.mark) marks.set(name, { ...found.mark, epoch })
  }
}

export const repairedFile = (path: string, { size, keep, missing }: Recovery): RepairedFile => ({
  ...{ path, cutBytes: size - keep, missingEvents: missing },
})

/** It ran on this machine, with the relay that wrote the mark, before the machine was started again. */
const isOfDead = (mark: WrittenMark | undefined, { bootId }: TraceInfo): boolean =>
  mark !== undefined && mark.boot !== BOOT && mark.boot === bootOf(bootId)

async function withFiles<Result>(
  path: string,
  isDryRun: boolean,
  work: (file: FileHandle, marksFile: FileHandle | undefined) => Promise<Result>,
): Promise<Result> {
  const file = await open(path, isDryRun ? 'r' : 'r+')
  let marksFile: FileHandle | undefined
  try {
    const marksPath = join(dirname(path), `.${basename(path)}`)
    marksFile = await open(marksPath, isDryRun ? 'r' : 'r+').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      return isDryRun ? undefined : open(marksPath, 'wx+', 0o600)
    })
    return await work(file, marksFile)
  } finally {
    await file.close()
    await marksFile?.close()
  }
}

/** Another version's is left as it is: babeltrace2 reads it. */
async function readInfo(folder: string): Promise<TraceInfo | 'foreign' | 'unreadable'> {
  let text = ''
  try {
    text = await readFile(join(folder, 'metadata'), 'utf8')
    return parseMetadata(folder, text)
  } catch (error) {
    const isWhole = text.endsWith('};\n') && !text.includes('\0')
    if (error instanceof TraceError) return error.isForeign && isWhole ? 'foreign' : 'unreadable'
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'unreadable'
    throw error
  }
}

async function setAside(path: string): Promise<void> {
  const there = new Set(await readdir(dirname(path)))
  const hidden = `.${basename(path)}.unreadable`
  let name = hidden
  for (let n = 1; there.has(name); n++) name = `${hidden}-${n}`
  await rename(path, join(dirname(path), name))
  await syncFolder(dirname(path))
}

async function newestOf(traces: readonly TraceFolder[]): Promise<number> {
  let newest = 0
  for (const { path, streams } of traces)
    for (const name of streams) newest = Math.max(newest, (await stat(join(path, name))).mtimeMs)
  return newest
}
