#!/usr/bin/env node
// scripts/build-native.mjs: builds the addon with node-gyp into build/Release (or build/Debug). Only what
// changed is compiled. Says one line, or everything when it fails.
//   --debug             no optimisation, asserts on
//   --sanitize=address  AddressSanitizer, into --out (default build/address), so the plain build stays
//   --out=DIR           build there instead
// A build elsewhere is loaded with BLKIN_PREBUILD=DIR; CONTRIBUTING.md has the line for AddressSanitizer.
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { mirror, nodeDir } from './lib/gyp.mjs'
import { bin, mustRun, root, seconds } from './lib/run.mjs'

const { values } = parseArgs({
  options: { debug: { type: 'boolean' }, sanitize: { type: 'string' }, out: { type: 'string' } },
})
const start = performance.now()
const out = values.out ?? (values.sanitize && `build/${values.sanitize}`)
const cwd = out === undefined ? root : resolve(root, out)
if (out !== undefined) mirror(cwd)

const mode = values.debug ? '--debug' : '--release'
const headers = await nodeDir()
const configure = ['configure', mode, ...(headers === undefined ? [] : [`--nodedir=${headers}`])]
if (values.sanitize !== undefined) configure.push('--', `-Dsanitize=${values.sanitize}`)

try {
  // Not `rebuild`: it would begin by removing build/, where the C++ tests are built too.
  await mustRun(bin('node-gyp'), configure, { cwd })
  await mustRun(bin('node-gyp'), ['build', mode, '--jobs=max'], { cwd })
  const built = join(cwd, 'build', values.debug ? 'Debug' : 'Release', 'blkin.node')
  console.log(`built ${relative(root, built)} in ${seconds(performance.now() - start)}`)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
