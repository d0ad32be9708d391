// scripts/lib/prebuilds.mjs: the binaries that the package `blkin` promises, and that they are there and of these sources.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { mustRun, root } from './run.mjs'
import { addonHash, isFresh, writeStamp } from './stamp.mjs'

/** In the root, and in the package. */
export const prebuilds = ['prebuilds/linux-x64/blkin.glibc.node']

const stamp = 'build/.blkin-prebuild'

/** Builds them where sources have changed. Throws where one is missing then. */
export async function ensurePrebuilds(say = console.log) {
  const hash = addonHash()
  if (!isFresh(stamp, hash, prebuilds)) {
    say('building the prebuilds')
    await mustRun(process.execPath, ['scripts/prebuild.mjs'])
    const missing = prebuilds.filter((file) => !existsSync(join(root, file)))
    if (missing.length > 0) throw new Error(`npm run prebuilds left no ${missing.join(', ')}`)
    writeStamp(stamp, hash)
  }
}
