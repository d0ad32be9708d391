// test/support/shims.ts: libraries that are preloaded into a relay or a traced program, compiled once a run.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { program } from './run.js'

const sources = {
  'call-fault': join(import.meta.dirname, '../matrix/call-fault.c'),
  'power-cut': program('power-cut.c'),
  'clock-shift': program('clock-shift.c'),
}

let folder: string | undefined
const compiled = new Map<string, string>()

export function shim(name: keyof typeof sources): string {
  folder ??= mkdtempSync(join(tmpdir(), 'blkin-shims-'))
  const made = compiled.get(name) ?? join(folder, `${basename(sources[name], '.c')}.so`)
  if (!compiled.has(name))
    execFileSync('gcc', ['-O1', '-shared', '-fPIC', '-o', made, sources[name], '-ldl'], { stdio: 'pipe' })
  compiled.set(name, made)
  return made
}

export function removeShims(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
}
