// test/support/installed-program.ts: a program in a folder of its own, where blkin is installed.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { folder, root } from './run.js'

/** @returns the folder, gone when the test is over */
export function installed(files: Record<string, string>): string {
  const home = folder()
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, name)), { recursive: true })
    writeFileSync(join(home, name), text)
  }
  mkdirSync(join(home, 'node_modules'), { recursive: true })
  symlinkSync(root, join(home, 'node_modules/blkin'))
  return home
}
