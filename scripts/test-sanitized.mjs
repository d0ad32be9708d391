#!/usr/bin/env node
// scripts/test-sanitized.mjs: `npm run test:sanitized`: tests of tracepoints, with an addon inside Node that has AddressSanitizer and
// UndefinedBehaviorSanitizer.
import { bin, run } from './lib/run.mjs'
import { sanitizedAddon, sanitizerReports } from './lib/sanitized.mjs'
import { ensureSetup } from './setup.mjs'

/** What runs through most of the addon: every way to its rings, to sessions and rules, and Workers that end. */
const tests = [
  ...['wrong-values', 'declarations', 'redeclared', 'gates', 'gates-changes', 'contexts', 'session-turns'],
  ...['trace-workers', 'trace-channel'],
].map((name) => `test/${name}.test.ts`)

await ensureSetup()
const env = await sanitizedAddon()
const { code } = await run(bin('vitest'), ['run', ...tests], { env, show: true })
const said = sanitizerReports()
if (said !== '') console.error(said)
process.exitCode = code === 0 && said === '' ? 0 : 1
