#!/usr/bin/env node
// scripts/lint-native.mjs: clang-tidy over every .cc file that CMake knows, the addon's included. Slow (a few
// seconds a file), so it is a step of its own: npm run lint:native [-- FILE...]
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { configure } from './lib/ctest.mjs'
import { root, run } from './lib/run.mjs'

const out = await configure('plain')
const commands = JSON.parse(readFileSync(join(root, out, 'compile_commands.json'), 'utf8'))
const asked = process.argv.slice(2)
const files = commands
  .map(({ file }) => relative(root, file))
  .filter((file) => asked.length === 0 || asked.includes(file))
  .sort()

const tool = (await run('clang-tidy', ['--version'])).code === 0 ? 'clang-tidy' : 'clang-tidy-14'
const queue = [...files]
const workers = Array.from({ length: availableParallelism() }, async () => {
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const { code, output } = await run(tool, ['-p', out, '--quiet', file])
    console.log(`${code === 0 ? 'ok    ' : 'failed'} ${file}`)
    if (code === 0) continue
    console.log(output.trimEnd())
    process.exitCode = 1
  }
})
await Promise.all(workers)
