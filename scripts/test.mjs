#!/usr/bin/env node
// scripts/test.mjs: `npm test`. Everything, cheapest answer first and vitest last; `npm test -- NAME` is the
// short way while working: vitest alone, on the test files whose path holds NAME.
// The last line counts tests: those of vitest and of the plain C++ run. The same C++ tests under a sanitizer,
// lint and packaging add nothing when they pass, one failed or skipped each when they do not. Tests that depend on Node.js
// run once more under each other release line that we promise, and tests of tracepoints with each call static, and count there too.
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { checkPack } from './check-pack.mjs'
import { ctest } from './lib/ctest.mjs'
import { missingPackages } from './lib/debian.mjs'
import { buildFuzzers, fuzzerPackages, fuzzNative, nativeTargets } from './lib/fuzz.mjs'
import { lines, nodeBinary } from './lib/nodes.mjs'
import { bin, mustRun, root, run, seconds } from './lib/run.mjs'
import { whyNoZig } from './lib/zig.mjs'
import { ensurePrebuilds } from './prebuild.mjs'
import { ensureSetup } from './setup.mjs'

const total = { passed: 0, failed: 0, skipped: 0 }
/** What failed, told once more at the end: the rest of the output is long, and CI may keep only its end. */
const failures = []
const args = process.argv.slice(2)

/** What Node.js does differently from line to line: contexts, channels of diagnostics, HTTP, the addon's values, Workers. */
const nodeDependent = [
  ...[
    'trace-entries',
    'trace-instrument',
    'trace-outcomes',
    'trace-routes',
    'trace-propagation',
    'trace-spans',
  ],
  ...['trace-sampling', 'trace-workers', 'trace-channel', 'contexts', 'values', 'wrong-values', 'rules'],
  ...['memory', 'no-native'],
].map((name) => `test/${name}.test.ts`)

const staticCalls = { title: 'vitest, calls static', flags: ['--config', 'vitest.static.config.ts'] }

if (await check('setup', () => setUp(args.length === 0))) {
  if (args.length === 0) await checkAll()
  await vitest(args)
  if (args.length === 0) await vitest([], staticCalls)
  if (args.length === 0) await otherNodes()
}
for (const failure of failures) console.log(`FAILED: ${failure}`)
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exitCode = total.failed === 0 ? 0 : 1

async function setUp(debian) {
  const { missing } = await ensureSetup({ debian })
  if (missing.length > 0) console.log(`without ${missing.join(' ')}: what needs them is skipped`)
}

async function checkAll() {
  await check('lint: biome', () => mustRun(bin('biome'), ['check', '.']))
  await check('lint: clang-format', clangFormat)
  await check('lint: imports', () => mustRun('npm', ['run', '--silent', 'lint:imports']))
  await check('types', async () => {
    await mustRun(bin('tsc'), ['-b'])
    await mustRun(bin('tsc'), ['-p', 'test'])
  })
  await check('C++ tests', () => nativeTests('plain'))
  await check('C++ tests, AddressSanitizer', () => nativeTests('address'))
  await check('C++ tests of the ring, ThreadSanitizer', () => nativeTests('thread'))
  await check('fuzzers of C++', fuzzers)
  await check('prebuilds', prebuilds)
  await check('package', () => checkPack())
}

/** Runs one step and tells how it went. Work may return { skipped: 'why' }, and throws to fail. */
async function check(name, work) {
  const start = performance.now()
  console.log(`== ${name}`)
  try {
    const skipped = (await work())?.skipped
    if (skipped !== undefined) total.skipped++
    console.log(
      skipped === undefined ? `ok, ${seconds(performance.now() - start)}\n` : `SKIPPED: ${skipped}\n`,
    )
    return true
  } catch (error) {
    total.failed++
    failures.push(`${name}: ${beginning(error.message)}`)
    console.log(`${error.message}\nFAILED: ${name}, ${seconds(performance.now() - start)}\n`)
    return false
  }
}

async function clangFormat() {
  if (missingPackages(['clang-format']).length > 0) return { skipped: 'clang-format is not installed' }
  const files = ['native', 'bench'].flatMap(filesUnder).filter((file) => /\.(cc|hpp|c|h)$/.test(file))
  if (files.length > 0) await mustRun('clang-format', ['--dry-run', '-Werror', ...files])
}

function filesUnder(folder) {
  if (!statSync(join(root, folder), { throwIfNoEntry: false })) return []
  return readdirSync(join(root, folder), { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => !path.includes('node_modules/'))
}

async function prebuilds() {
  const reason = whyNoZig()
  if (reason !== undefined) return { skipped: reason }
  await ensurePrebuilds()
}

async function nativeTests(flavour) {
  const missing = missingPackages(['cmake', 'libgtest-dev'])
  if (missing.length > 0) return { skipped: `${missing.join(' and ')} not installed` }
  const { output, ...counts } = await ctest(flavour)
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  if (counts.passed + counts.failed + counts.skipped === 0) return { skipped: 'there is no such test yet' }
  if (flavour === 'plain') {
    total.passed += counts.passed
    total.skipped += counts.skipped
    total.failed += Math.max(0, counts.failed - 1) // check() counts the first
  }
  if (counts.failed > 0) throw new Error(output.trimEnd())
}

/** Half a minute in all, with the same seed each time: new ones are for `npm run fuzz`. Those of the relay are relay/test/fuzz-*.test.ts. */
async function fuzzers() {
  const missing = missingPackages(fuzzerPackages)
  if (missing.length > 0) return { skipped: `${missing.join(' and ')} not installed` }
  await buildFuzzers()
  for (const target of nativeTargets)
    console.log(await fuzzNative(target, Math.ceil(30 / nativeTargets.length), { seed: 1 }))
}

async function otherNodes() {
  for (const line of lines) {
    if (process.version.startsWith(`v${line}.`)) continue
    const node = nodeBinary(line)
    if (node === undefined) await check(`Node ${line}`, () => ({ skipped: 'it cannot be fetched' }))
    else await vitest(nodeDependent, { node, title: `vitest on Node ${line}` })
    // Where modules are loaded in another way than on Node 20.
    if (node !== undefined && line === 24)
      await vitest(['contexts', 'rules', 'wrong-values'], {
        ...staticCalls,
        node,
        title: 'the same on Node 24',
      })
  }
}

async function vitest(names, { node = process.execPath, title = 'vitest', flags = [] } = {}) {
  const report = join(root, 'build/vitest.json')
  rmSync(report, { force: true })
  console.log(`== ${title}`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const { code } = await run(node, [bin('vitest'), 'run', ...reporters, ...flags, ...names], { show: true })
  const { passed, failed, skipped, messages } = readReport(report)
  total.passed += passed
  total.skipped += skipped
  // A run can fail with no test to blame: a file that does not load, an error outside any test.
  total.failed += code !== 0 ? Math.max(1, failed) : failed
  if (code !== 0 && messages.length === 0) messages.push('an error outside any test')
  failures.push(...messages.map((message) => `${title}: ${message}`))
}

function readReport(report) {
  if (!statSync(report, { throwIfNoEntry: false })) return { passed: 0, failed: 0, skipped: 0, messages: [] }
  const json = JSON.parse(readFileSync(report, 'utf8'))
  const notLoaded = json.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  )
  return {
    passed: json.numPassedTests,
    failed: json.numFailedTests + notLoaded.length,
    skipped: json.numPendingTests + json.numTodoTests,
    messages: [
      ...notLoaded.map((file) => `${relative(root, file.name)}: ${beginning(file.message)}`),
      ...json.testResults.flatMap((file) =>
        file.assertionResults
          .filter((test) => test.status === 'failed')
          .map(
            (test) =>
              `${relative(root, file.name)}: ${test.fullName}: ${beginning(test.failureMessages[0] ?? '')}`,
          ),
      ),
    ],
  }
}

function beginning(message) {
  return message.trim().slice(0, 600)
}
