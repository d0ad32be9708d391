// lib/cli/process/error-file.ts: hears from the processes of a recorded command why they are not traced: each adds its line to the
// file that BLKIN_ERROR_FILE names (lib/untraced.ts), wherever its stderr goes.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { visible } from '../print/visible.js'

export interface ErrorFile {
  readonly path: string
  /** Each reason once, and the file is gone. Empty where no process told any. */
  take(): string
}

export function errorFile(): ErrorFile {
  const folder = mkdtempSync(join(tmpdir(), 'blkin-record-'))
  const path = join(folder, 'errors')
  return {
    path,
    take() {
      const lines = readOr(path, '').split('\n')
      rmSync(folder, { recursive: true, force: true })
      return [...new Set(lines)]
        .filter((line) => line !== '')
        .map((line) => visible(line.replace(/^blkin: /, '')))
        .join('; ')
    },
  }
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return otherwise
  }
}
