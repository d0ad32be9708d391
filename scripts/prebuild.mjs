#!/usr/bin/env node
// scripts/prebuild.mjs: makes prebuilds/<platform>-<arch>/blkin.<libc>.node, which the package carries so that
// installing it compiles nothing and runs no script. Built aside: prebuildify takes the file it built away,
// and build/Release/blkin.node must stay.
import { join } from 'node:path'
import { mirror, nodeDir } from './lib/gyp.mjs'
import { bin, mustRun, root } from './lib/run.mjs'

const aside = join(root, 'build/prebuild')
mirror(aside)

const headers = await nodeDir()
// prebuildify has no switch for the headers, but the node-gyp it starts reads this.
const env = headers === undefined ? {} : { npm_config_nodedir: headers }
const target = ['--napi', `--target=${process.version}`]
try {
  await mustRun(bin('prebuildify'), [...target, '--strip', '--tag-libc', `--cwd=${aside}`, `--out=${root}`], {
    env,
  })
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
