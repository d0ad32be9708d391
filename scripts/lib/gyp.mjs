// scripts/lib/gyp.mjs: what node-gyp has to be told here: where Node's headers are, and a folder of its own
// for builds that must not replace build/Release.
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root, run } from './run.mjs'

/**
 * The folder whose include/node holds the headers: npm's setting first, then the running Node's own.
 * Undefined leaves node-gyp to download them.
 */
export async function nodeDir() {
  const set = process.env.npm_config_nodedir ?? (await run('npm', ['config', 'get', 'nodedir'])).output.trim()
  if (existsSync(join(set, 'include/node/node_api.h'))) return set
  const prefix = dirname(dirname(process.execPath))
  return existsSync(join(prefix, 'include/node/node_api.h')) ? prefix : undefined
}

/**
 * A folder that looks like the root to node-gyp, made of links: it always builds into ./build, so another
 * build needs another place. lib/addon.ts loads it with BLKIN_PREBUILD=<folder>.
 */
export function mirror(folder) {
  mkdirSync(folder, { recursive: true })
  for (const name of ['binding.gyp', 'package.json', 'native', 'node_modules', 'scripts']) {
    rmSync(join(folder, name), { force: true })
    symlinkSync(join(root, name), join(folder, name))
  }
}
