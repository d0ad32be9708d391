// test/support/run.ts: runs node programs as children with their own BLKIN_* settings. What a test starts ends with
// the test at the latest, by its id.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { isStatic, staticProgram } from './static.js'

export const root = join(import.meta.dirname, '../..')
export const program = (name: string): string => join(root, 'test/programs', name)

/** A folder of the test's own, gone when it is over. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'blkin-test-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}

export interface RunOptions {
  env?: Record<string, string>
  /** For node, before the program. */
  flags?: string[]
  /** For the program. */
  args?: string[]
  /** What stands before node, such as ['prlimit', '--fsize=1000']. */
  before?: string[]
  /** Milliseconds after which the child is killed, so that a hang is a failure of this test and not of the run. */
  timeout?: number
  /** Default: the repository's root. */
  cwd?: string
  /** Default: the one that runs this. */
  node?: string
  stdin?: 'pipe' | 'ignore'
}

export interface Ended {
  code: number | null
  signal: string | null
  stdout: string
  stderr: string
}

export interface Running {
  child: ChildProcess
  ended: Promise<Ended>
  /** Resolves once stdout holds the text; rejects when the child ends without it. */
  says(text: string): Promise<void>
  output(): { stdout: string; stderr: string }
}

/** The environment without what this test run itself was given, but for a sanitizer build's. */
export function cleanEnvironment(): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(BLKIN_(?!PREBUILD)|VITEST|NODE_|TEST$|MODE$|PROD$|DEV$|SSR$|BASE_URL$|TMPDIR$)/.test(name),
  )
  return Object.fromEntries(kept)
}

/** `what`: a file (its path ends in js), or the text of an ES module, which finds `blkin` by name. */
export function start(what: string, options: RunOptions = {}): Running {
  const file = /\.[cm]?[jt]s$/.test(what)
  const changed = isStatic ? staticProgram(what, file) : undefined
  const program = changed?.node ?? (file ? [what] : ['--input-type=module', '-e', what])
  const node = [...(options.flags ?? []), ...program]
  // What comes after -- is the program's, also with -e.
  const binary = options.node ?? process.execPath
  const [command, ...rest] = [...(options.before ?? []), binary, ...node, ...(file || changed ? [] : ['--'])]
  const child = spawn(command as string, [...rest, ...(options.args ?? [])], {
    cwd: options.cwd ?? root,
    env: { ...cleanEnvironment(), BLKIN_REQUIRE_NATIVE: '1', ...changed?.env, ...options.env },
    stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    child.emit('said')
  })
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout, stderr }) as Ended)
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeout ?? (isStatic ? 60_000 : 20_000))
  void ended.then(() => clearTimeout(timer))
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await ended
  })
  const says = async (text: string) => {
    while (!stdout.includes(text)) {
      const over = await Promise.race([once(child, 'said').then(() => false), ended.then(() => true)])
      if (over && !stdout.includes(text)) {
        throw new Error(`the program ended without saying ${JSON.stringify(text)}: ${stdout}${stderr}`)
      }
    }
  }
  return { child, ended, says, output: () => ({ stdout, stderr }) }
}

export const run = (what: string, options: RunOptions = {}): Promise<Ended> => start(what, options).ended

/** The JSON on the last line of stdout; the whole output is in the error where there is none. */
export function lastJson<T>(ended: Ended): T {
  try {
    return JSON.parse(ended.stdout.trimEnd().split('\n').at(-1) as string) as T
  } catch {
    throw new Error(`no JSON in the last line of stdout; ${JSON.stringify(ended, null, 1)}`)
  }
}

/** The JSON on the last line of a program that must have ended well. */
export async function result<T>(what: string, options: RunOptions = {}): Promise<T> {
  const ended = await run(what, options)
  if (ended.code !== 0) throw new Error(`the program failed: ${JSON.stringify(ended, null, 1)}`)
  return lastJson<T>(ended)
}

/** Puts a private /dev/shm of that size under a command: what other processes have there is neither seen nor met. */
export function privateShm(size: string, also = 'true'): string[] {
  const text = `mount -t tmpfs -o size=${size} tmpfs /dev/shm && ${also} && exec "$@"`
  return ['unshare', '-m', '--propagation', 'private', 'sh', '-c', text, 'sh']
}
