// scripts/lib/sanitized.mjs: the addon with AddressSanitizer and UndefinedBehaviorSanitizer, inside a Node that has neither.
// scripts/test-sanitized.mjs runs tests of tracepoints with it. What AddressSanitizer says is found in files, so that a test which does
// not mind how its program ended hides nothing; the other writes to stderr, and ends the program with exit code 1.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { mustRun, root } from './run.mjs'

const out = 'build/sanitized'
const reports = join(root, out, 'reports')

const library = (name) => execFileSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim()

/** Builds what has changed. Resolves to the environment of programs that load it. */
export async function sanitizedAddon() {
  await mustRun(process.execPath, [
    'scripts/build-native.mjs',
    '--sanitize=address,undefined',
    `--out=${out}`,
  ])
  rmSync(reports, { recursive: true, force: true })
  mkdirSync(reports)
  return {
    BLKIN_PREBUILD: join(root, out),
    // C++'s library beside it: AddressSanitizer looks for what throws when it is loaded, and a program may have none.
    LD_PRELOAD: `${library('libasan.so')}:${library('libstdc++.so')}`,
    // Node leaves memory at exit.
    ASAN_OPTIONS: `detect_leaks=0:log_path=${join(reports, 'report')}`,
    UBSAN_OPTIONS: 'print_stacktrace=1',
  }
}

/** What the sanitizers said; '' where they had nothing to say. */
export const sanitizerReports = () =>
  readdirSync(reports)
    .map((name) => readFileSync(join(reports, name), 'utf8'))
    .join('\n')
