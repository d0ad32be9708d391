#!/usr/bin/env node
// scripts/check-pack.mjs: is what `npm pack` makes fit for others? publint and attw read the tarballs; then the
// root's is installed into an empty folder with scripts off, and must load its prebuilt addon there, both
// ways of loading. Throws, or exits with 1, on the first thing that is not right.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bin, isMain, mustRun, root } from './lib/run.mjs'
import { ensurePrebuilds } from './prebuild.mjs'

export async function checkPack(say = console.log) {
  await ensurePrebuilds(say)
  const work = mkdtempSync(join(tmpdir(), 'blkin-pack-'))
  try {
    const blkin = await pack('.', work)
    for (const tarball of [blkin, await pack('relay', work)]) {
      await mustRun(bin('publint'), ['run', '--strict', tarball])
      // esm-only: require() of these loads the same ES modules (Node 20.17 on), and types that say so are right.
      await mustRun(bin('attw'), ['--profile', 'esm-only', '--no-emoji', '--no-color', tarball])
    }
    say('publint and attw: blkin, @blkin/relay')
    await installAndLoad(blkin, work, say)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function pack(folder, into) {
  const printed = await mustRun('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', into], {
    cwd: join(root, folder),
  })
  return join(into, printed.trim().split('\n').at(-1))
}

async function installAndLoad(tarball, work, say) {
  const home = join(work, 'app')
  const here = ['--prefix', home, '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund']
  await mustRun('mkdir', [home])
  writeFileSync(join(home, 'package.json'), '{ "private": true }\n')
  await mustRun('npm', ['install', ...here, tarball], { cwd: home })
  for (const load of ["await import('blkin')", "createRequire(process.cwd() + '/x.js')('blkin')"]) {
    const script = `import { createRequire } from 'node:module'; const { isNative } = ${load}; console.log(isNative)`
    const args = ['--no-warnings', '--input-type=module', '--eval', script]
    const printed = await mustRun(process.execPath, args, { cwd: home, env: { BLKIN_REQUIRE_NATIVE: '1' } })
    if (printed.trim() !== 'true')
      throw new Error(`${load} in an empty folder: isNative is ${printed.trim()}`)
    say(`installed from the tarball, ${load}: isNative is true`)
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
