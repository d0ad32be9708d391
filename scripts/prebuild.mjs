#!/usr/bin/env node
// scripts/prebuild.mjs: makes prebuilds/linux-<arch>/blkin.<libc>.node for every target, which the package carries so that
// installing it compiles nothing and runs no script. An unchanged tree builds nothing.
import { mkdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { addon } from './lib/addon.mjs'
import { isMain, mustRun, root, seconds } from './lib/run.mjs'
import { addonHash, isFresh, writeStamp } from './lib/stamp.mjs'
import { prebuildOf, targets } from './lib/targets.mjs'
import { whyNoZig, zig } from './lib/zig.mjs'

const AT_ONCE = 2 // a target's C++ library is built on one core, while another's files take the other
const stampOf = (target) => `build/prebuild/${target.name}`
const isMade = (target, hash) => isFresh(stampOf(target), hash, [prebuildOf(target)])

/** Builds what is not there or older than its sources. */
export async function ensurePrebuilds(say = console.log) {
  const hash = addonHash()
  const missing = targets.filter((target) => !isMade(target, hash))
  if (missing.length === 0) return
  const reason = whyNoZig()
  if (reason !== undefined) throw new Error(reason)
  const build = async () => {
    for (let target = missing.shift(); target !== undefined; target = missing.shift()) {
      const start = performance.now()
      rmSync(join(root, stampOf(target)), { force: true })
      await compile(target, hash)
      writeStamp(stampOf(target), hash)
      say(`built ${prebuildOf(target)} in ${seconds(performance.now() - start)}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, build))
}

/**
 * Two commands: the headers, which are most of what there is to compile, once for all files; then those. The first one's
 * file is named by all that goes into the addon: Zig keeps each object by its command and sources, and must not take one
 * that was made with other headers.
 */
async function compile(target, hash) {
  const out = join(root, prebuildOf(target))
  const headers = join(root, `build/prebuild/${target.name}.${hash.slice(0, 16)}.pch`)
  mkdirSync(dirname(out), { recursive: true })
  mkdirSync(dirname(headers), { recursive: true })
  const require = createRequire(import.meta.url)
  const folders = ['node-addon-api', 'node-api-headers'].map((name) => require(name).include_dir)
  const [compiler, ...triple] = zig.cxx(target.triple)
  const flags = [
    ...[
      ...triple,
      ...addon.cflags,
      ...(addon[target.libc] ?? []),
      ...addon.cxxflags,
      ...addon.optimize,
      '-fPIC',
    ],
    ...[...addon.defines, 'NODE_GYP_MODULE_NAME=blkin', 'BUILDING_NODE_EXTENSION'].map((name) => `-D${name}`),
    ...['-Inative', ...folders.flatMap((folder) => ['-isystem', folder])],
  ]
  const run = (...args) => mustRun(compiler, [...flags, ...args], { env: zig.env })
  try {
    await run('-x', 'c++-header', 'native/addon/environment.hpp', '-o', headers)
    await run('-include-pch', headers, '-shared', '-s', ...addon.ldflags, '-o', out, ...addon.sources)
  } finally {
    rmSync(headers, { force: true })
  }
}

if (isMain(import.meta)) {
  try {
    await ensurePrebuilds()
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
