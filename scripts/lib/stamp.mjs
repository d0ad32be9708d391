// scripts/lib/stamp.mjs: "is this step's result newer than its sources?" by content, not by time, so that
// a checkout, a copy or a touched file does not build again. A stamp holds the hash that was built.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './run.mjs'

/**
 * Hash of files, and of the files below folders, whose path passes `wanted`. What is not there adds nothing.
 * @param {string[]} paths
 * @param {(file: string) => boolean} wanted
 */
export function hashOf(paths, wanted = () => true) {
  const hash = createHash('sha256').update(`${process.arch} ${process.platform}\n`)
  for (const file of paths.flatMap(filesUnder).filter(wanted)) {
    hash.update(`${file}\n`).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

/** What the addon is made from. Tests and models are not part of it. */
export const addonHash = () =>
  hashOf(
    [
      ...['binding.gyp', 'native', 'scripts/prebuild.mjs'],
      ...['node-addon-api', 'node-api-headers'].map((name) => `node_modules/${name}/package.json`),
      ...['addon', 'targets', 'zig'].map((name) => `scripts/lib/${name}.mjs`),
    ],
    (file) => !/^native\/(test|fuzz|model)\//.test(file),
  )

/** True when the stamp holds this hash and every product is still there. */
export function isFresh(stamp, hash, products) {
  if (!products.every((product) => existsSync(join(root, product)))) return false
  try {
    return readFileSync(join(root, stamp), 'utf8') === hash
  } catch {
    return false
  }
}

export function writeStamp(stamp, hash) {
  mkdirSync(dirname(join(root, stamp)), { recursive: true })
  writeFileSync(join(root, stamp), hash)
}

function filesUnder(path) {
  const stat = statSync(join(root, path), { throwIfNoEntry: false })
  if (stat === undefined) return []
  if (stat.isFile()) return [path]
  return readdirSync(join(root, path))
    .filter((name) => name !== 'node_modules' && name !== 'dist' && name !== 'build')
    .sort()
    .flatMap((name) => filesUnder(`${path}/${name}`))
}
