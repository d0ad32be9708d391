#!/usr/bin/env node
// scripts/test-native.mjs: the C++ tests. `npm run test:native -- [plain|address|undefined|thread] [NAME]`;
// NAME is a regular expression that test names must match.
import { ctest, flavours } from './lib/ctest.mjs'
import { seconds } from './lib/run.mjs'

const args = process.argv.slice(2)
// The length first: with no argument args[0] is undefined, which is also the name of a flavour.
const flavour = args.length > 0 && args[0] in flavours ? args.shift() : 'plain'
const [name] = args
const start = performance.now()
try {
  const { passed, failed, skipped, output } = await ctest(flavour, name === undefined ? [] : ['-R', name])
  console.log(output.trimEnd())
  console.log(
    `${flavour}: ${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds(performance.now() - start)}`,
  )
  process.exitCode = failed === 0 ? 0 : 1
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
