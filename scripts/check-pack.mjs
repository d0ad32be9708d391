#!/usr/bin/env node
// scripts/check-pack.mjs: is what `npm pack` makes fit for others? publint and attw read the tarballs; that they install and load
// is for test/install*.test.ts. Throws, or exits with 1, on the first thing that is not right.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packAll } from './lib/pack.mjs'
import { bin, isMain, mustRun } from './lib/run.mjs'

export async function checkPack(say = console.log) {
  const work = mkdtempSync(join(tmpdir(), 'blkin-pack-'))
  try {
    // The relay is of ES modules, which require() loads from Node 20.19 on, and types that say so are right. So are the bundlers'
    // plugins, as unplugin is.
    const esm = '--exclude-entrypoints vite rollup esbuild webpack'.split(' ')
    const profiles = { blkin: ['strict', ...esm], '@blkin/relay': ['esm-only'] }
    for (const { name, file } of await packAll(work, say)) {
      await mustRun(bin('publint'), ['run', '--strict', file])
      await mustRun(bin('attw'), [file, '--no-emoji', '--no-color', '--profile', ...profiles[name]])
    }
    say('publint and attw: blkin, @blkin/relay')
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

if (isMain(import.meta)) {
  try {
    await checkPack()
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
