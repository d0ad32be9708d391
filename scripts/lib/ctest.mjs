// scripts/lib/ctest.mjs: configures, builds and runs the C++ tests in one flavour, each in its own folder
// under build/. cmake-js passes the Node-API headers on, so that compile_commands.json covers the addon too.
import { readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { bin, mustRun, root, run } from './run.mjs'

export const flavours = {
  plain: [],
  address: ['--CDBLKIN_SANITIZE=address'],
  undefined: ['--CDBLKIN_SANITIZE=undefined'],
  // Only where threads meet: the others would run for minutes and say nothing that ASan did not.
  thread: ['--CDBLKIN_SANITIZE=thread', '--CDBLKIN_TESTS=ring|lease|rseq|channel'],
}

/** Not of tests: the fuzzers of scripts/lib/fuzz.mjs. */
const fuzzers = ['--CDBLKIN_SANITIZE=fuzz', '--CDCMAKE_CXX_COMPILER=clang++-14']

/** Resolves to the build folder, which holds compile_commands.json. */
export async function configure(flavour) {
  const out = `build/native-${flavour}`
  const args = cmakeJs('configure', out, flavours[flavour] ?? fuzzers)
  const { code } = await run(bin('cmake-js'), args)
  if (code !== 0) {
    // A folder that was configured elsewhere, or by another CMake, is refused: begin again.
    rmSync(join(root, out), { recursive: true, force: true })
    await mustRun(bin('cmake-js'), args)
  }
  return out
}

/** Configures and compiles; resolves to the build folder. Throws when something does not compile. */
export async function build(flavour) {
  const out = await configure(flavour)
  await mustRun(bin('cmake-js'), cmakeJs('build', out, [`--parallel=${availableParallelism()}`]))
  return out
}

/** Resolves to { passed, failed, skipped, output }. Throws when something does not compile. */
export async function ctest(flavour, only = []) {
  const out = await build(flavour)
  const report = join(root, out, 'junit.xml')
  rmSync(report, { force: true })
  const args = [
    '--test-dir',
    out,
    '--output-on-failure',
    '--output-junit',
    report,
    '--parallel',
    availableParallelism(),
    ...only,
  ]
  const { code, output } = await run('ctest', args)
  const counts = readCounts(report)
  if (code !== 0 && counts.failed === 0) throw new Error(`ctest: exit code ${code}\n${output}`)
  return { ...counts, output }
}

function cmakeJs(command, out, more) {
  return [command, '-d', 'native', '-O', out, '-B', 'RelWithDebInfo', '-l', 'warn', ...more]
}

// <testsuite tests="12" failures="0" disabled="0" skipped="1" ...>; no file when there was no test to run.
function readCounts(report) {
  let suite
  try {
    suite = /<testsuite\b[^>]*>/.exec(readFileSync(report, 'utf8'))?.[0] ?? ''
  } catch {
    suite = ''
  }
  const number = (name) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(suite)?.[1] ?? 0)
  const skipped = number('skipped') + number('disabled')
  return { passed: number('tests') - number('failures') - skipped, failed: number('failures'), skipped }
}
