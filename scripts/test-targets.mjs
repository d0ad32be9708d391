#!/usr/bin/env node
// scripts/test-targets.mjs: the C++ tests of what differs between processors and libcs, the rings and the clock, on each target
// that we publish for: `npm run test:targets`. Where a processor is emulated there is no rseq, and its tests are skipped;
// so those of arm64 run once more under a kernel of their own, which has it.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { armGuest } from './lib/arm-guest.mjs'
import { missingPackages } from './lib/debian.mjs'
import { launcher } from './lib/machines.mjs'
import { mustRun, root, run, seconds } from './lib/run.mjs'
import { targets } from './lib/targets.mjs'
import { whyNoZig, zig } from './lib/zig.mjs'

const googletest = '/usr/src/googletest/googletest'
const sources = [
  ...['ring', 'ring_storm', 'ring_kill', 'ring_overwrite', 'clock'].map(
    (name) => `native/test/${name}_test.cc`,
  ),
  'native/clock/clock.cc',
  ...['gtest-all', 'gtest_main'].map((name) => `${googletest}/src/${name}.cc`),
]

async function build({ name, triple }) {
  const out = `build/targets/${name}/ring_tests`
  mkdirSync(join(root, `build/targets/${name}`), { recursive: true })
  const [compiler, ...args] = zig.cxx(triple)
  const flags = [
    '-std=gnu++20',
    '-O2',
    '-UNDEBUG',
    '-Inative',
    '-isystem',
    `${googletest}/include`,
    '-isystem',
    googletest,
  ]
  await mustRun(compiler, [...args, ...flags, '-s', '-o', out, ...sources], { env: zig.env })
  return join(root, out)
}

/** Counts of what GoogleTest printed; throws where a test failed, or where it did not come to its end. */
function counts(output) {
  const number = (what) => Number(new RegExp(`\\[ *${what} *\\] (\\d+) test`).exec(output)?.[1] ?? 0)
  if (!/\[=+\] \d+ tests? from .* ran/.test(output) || number('FAILED') > 0)
    throw new Error(output.slice(-8000))
  return `${number('PASSED')} passed, ${number('SKIPPED')} skipped`
}

async function step(name, work) {
  const start = performance.now()
  try {
    console.log(`${name}: ${await work()}, ${seconds(performance.now() - start)}`)
  } catch (error) {
    console.log(`${name}: FAILED, ${seconds(performance.now() - start)}\n${error.message}`)
    process.exitCode = 1
  }
}

const reason =
  whyNoZig() ?? (missingPackages(['libgtest-dev']).length > 0 ? 'libgtest-dev is not installed' : undefined)
if (reason !== undefined) {
  console.log(`SKIPPED: ${reason}`)
} else {
  const only = process.argv[2] ?? ''
  for (const target of targets.filter(({ name }) => name.includes(only))) {
    const words = launcher(target)
    await step(target.name, async () => {
      const program = await build(target)
      if (words === undefined) return 'SKIPPED: nothing here runs it'
      const [command, ...args] = [...words, program, '--gtest_color=no']
      const env = target.arch !== process.arch ? { BLKIN_TEST_SLOWER: '10' } : {}
      return counts((await run(command, args, { env })).output)
    })
  }
  const arm = targets.find(({ name }) => name === 'linux-arm64.glibc')
  if (arm.name.includes(only)) {
    await step(`${arm.name} on a kernel of its own`, async () => {
      const guest = armGuest()
      if (guest.reason !== undefined) return `SKIPPED: ${guest.reason}`
      return counts(await guest.run(await build(arm)))
    })
  }
}
