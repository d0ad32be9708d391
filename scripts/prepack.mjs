#!/usr/bin/env node
// scripts/prepack.mjs: what npm runs before it packs or publishes either package: all that they promise is built from these sources
// and nothing else, or nothing is packed. Speaks on stderr: stdout is npm's.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { mustRun, root } from './lib/run.mjs'
import { ensurePrebuilds } from './prebuild.mjs'
import { ensureSetup } from './setup.mjs'

const say = (text) => process.stderr.write(`prepack: ${text}\n`)

// How npm was called to pack is not meant for what is called here: under --dry-run nothing would be built.
for (const name of ['dry_run', 'json', 'workspace', 'workspaces', 'pack_destination', 'ignore_scripts'])
  delete process.env[`npm_config_${name}`]

try {
  await ensureSetup()
  say('compiling TypeScript')
  // From nothing: what was compiled from a module that is gone would be packed too.
  for (const made of ['dist', 'relay/dist', 'relay/types'])
    rmSync(join(root, made), { recursive: true, force: true })
  await mustRun('npm', ['run', '--silent', 'build:ts'])
  await ensurePrebuilds(say)
} catch (error) {
  say(error.message)
  process.exitCode = 1
}
