// lib/untraced.ts: the one line on stderr where tracing was asked for and cannot be. Asked for: by BLKIN_ENABLE, BLKIN_TRACE
// or BLKIN_RELAY, or by enable() or openSession(). Also where it is not one tracer that traces. Where the addon loads and has
// no ring, native/process/session_write.cc tells it.
import { appendFileSync } from 'node:fs'
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'
import { versionsApart } from './copies.js'
import { loadError, native } from './native.js'
import { writeError } from './stderr.js'
import { version } from './version.js'

/** Known to all copies in this thread, and to the Workers that it starts. */
const told = 'blkin: told why nothing is traced'

/** Of an addon that is not the first of its process: native/folder/process_folder.cc. */
const secondFolder = /\/\d+-\d+-\d+$/

const askingVariables = ['BLKIN_ENABLE', 'BLKIN_TRACE', 'BLKIN_RELAY']

function reason(): string | undefined {
  if (loadError !== undefined) return `not traced: ${loadError.message}`
  if (versionsApart.length > 0) {
    const versions = [...versionsApart, version].join(' and ')
    return `versions ${versions} are loaded together: each records for itself, and a span of one is not seen by the other; install one of them`
  }
  if (secondFolder.test(native?.status().folder ?? ''))
    return 'another copy of the addon is loaded in this process: each records for itself; load blkin in the main thread first'
  return undefined
}

function tell(): void {
  const why = reason()
  if (why === undefined || getEnvironmentData(told) === true) return
  setEnvironmentData(told, true)
  const line = `blkin: ${why.replace(/\s+/g, ' ')}\n`
  writeError(line)
  try {
    // For `blkin record`, whose processes may be anywhere below its command.
    if (process.env.BLKIN_ERROR_FILE) appendFileSync(process.env.BLKIN_ERROR_FILE, line)
  } catch {} // as where --permission is given
}

export function tellIfEnvironmentAsked(): void {
  if (askingVariables.some((name) => process.env[name])) tell()
}

/** The program's own enable() is written for all systems that it runs on: where none is traced, it is not told. */
export function tellProgram(): void {
  if (process.platform === 'linux') tell()
}
