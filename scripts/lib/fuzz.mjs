// scripts/lib/fuzz.mjs: runs a fuzzer for so many seconds: those of native/fuzz by Clang's libFuzzer, and those of
// relay/test/fuzz-*.test.ts by vitest. Both begin with the inputs that are kept, tell the seed that repeats the run, and
// throw with the input that failed, as base64, since a machine of CI keeps nothing but its output.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from './ctest.mjs'
import { bin, root, run } from './run.mjs'

/** What Debian packages fuzzers of C++ need. */
export const fuzzerPackages = ['cmake', 'clang-14', 'libclang-rt-14-dev', 'libgtest-dev']

const named = (folder, pattern) =>
  readdirSync(join(root, folder)).flatMap((file) => pattern.exec(file)?.[1] ?? [])

export const nativeTargets = named('native/fuzz', /^(\w+)\.cc$/)
export const relayTargets = named('relay/test', /^fuzz-(\w+)\.test\.ts$/)

export const buildFuzzers = () => build('fuzz')

/** Of an input, and of one target: above what any of them needs, below what a fault takes. */
const limits = ['-max_len=4096', '-timeout=20', '-rss_limit_mb=1024', '-malloc_limit_mb=256']

/**
 * `keep`: what covers new code is kept in build/fuzz/TARGET, and the next run goes on from there.
 * Resolves to a line of what was done.
 */
export async function fuzzNative(target, seconds, { seed = newSeed(), keep = false } = {}) {
  const scratch = mkdtempSync(join(tmpdir(), 'blkin-fuzz-'))
  const found = join(keep ? join(root, 'build/fuzz') : scratch, target)
  mkdirSync(found, { recursive: true })
  const args = [
    ...[`-seed=${seed}`, `-max_total_time=${seconds}`, ...limits, '-print_final_stats=1'],
    ...[`-artifact_prefix=${scratch}/failed-`, found, `native/fuzz/corpus/${target}`],
  ]
  try {
    const env = { TMPDIR: scratch }
    const { code, output } = await run(join(root, `build/native-fuzz/${target}_fuzzer`), args, { env })
    if (code === 0) return `${target}: seed ${seed}, ${runsOf(output)} runs`
    const failed = readdirSync(scratch).filter((name) => name.startsWith('failed-'))
    const inputs = failed.map((name) => `${name}: base64 ${readFileSync(join(scratch, name), 'base64')}`)
    throw new Error([`fuzzer ${target}: seed ${seed}`, ...inputs, faultIn(output)].join('\n'))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

export async function fuzzRelay(target, seconds, { seed = newSeed() } = {}) {
  const env = { BLKIN_FUZZ_SECONDS: String(seconds), BLKIN_FUZZ_SEED: String(seed) }
  const { code } = await run(bin('vitest'), ['run', `relay/test/fuzz-${target}.test.ts`], { env, show: true })
  if (code !== 0) throw new Error(`fuzzer ${target}: seed ${seed}, failed`)
  return `${target}: seed ${seed}`
}

const newSeed = () => 1 + Math.floor(Math.random() * (2 ** 31 - 1))

const runsOf = (output) => /stat::number_of_executed_units:\s*(\d+)/.exec(output)?.[1] ?? '0'

/** From the fault on: before it are thousands of lines of progress. */
function faultIn(output) {
  const lines = output.split('\n').filter((line) => !/^#\d+\s/.test(line))
  const at = lines.findIndex((line) => /expected: |runtime error: |ERROR: |Failure$/.test(line))
  return lines.slice(at < 0 ? -60 : at, at < 0 ? undefined : at + 60).join('\n')
}
