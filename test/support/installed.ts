// test/support/installed.ts: a folder of the test's own with the package in its node_modules, as npm would lay it out: what
// programs outside this repository have.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { folder, root } from './run.js'

export const allPrebuilds = ['x64', 'arm64'].flatMap((arch) =>
  ['glibc', 'musl'].map((libc) => `prebuilds/linux-${arch}/blkin.${libc}.node`),
)
const ownPrebuild = `prebuilds/linux-${process.arch}/blkin.glibc.node`

/** Where the package is below `at`. */
export const packageIn = (at: string): string => join(at, 'node_modules/blkin')

/** Copies the package below `at`, with this machine's addon under its published name, and its likes for others. */
export function installIn(at: string, prebuilds: readonly string[] = allPrebuilds): string {
  const home = packageIn(at)
  cpSync(join(root, 'dist'), join(home, 'dist'), {
    recursive: true,
    filter: (source) => !source.startsWith(join(root, 'dist/cli')),
  })
  cpSync(join(root, 'package.json'), join(home, 'package.json'))
  for (const file of prebuilds) {
    mkdirSync(dirname(join(home, file)), { recursive: true })
    if (file === ownPrebuild) cpSync(join(root, 'build/Release/blkin.node'), join(home, file))
    else writeFileSync(join(home, file), 'an addon for another machine')
  }
  return home
}

/** A folder with the package installed, and the given files. */
export function app(files: Record<string, string>, prebuilds?: readonly string[]): string {
  const at = folder()
  installIn(at, prebuilds)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(at, name)), { recursive: true })
    writeFileSync(join(at, name), text)
  }
  return at
}
