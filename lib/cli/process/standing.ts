// lib/cli/process/standing.ts: this user's standing rules, which every program of a name gets when it starts. They lie in one
// file beside the folders of the traced processes; @blkin/relay reads and writes it whole. Two commands at once take
// turns by a lock file, which a dead holder does not keep. Nothing is written in a folder that is not this user's alone.
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Rule, RuleRequest } from '@blkin/relay'
import { userFolders } from '../../user-folder.js'
import { compileGlob, globsMeet } from '../names/glob.js'
import { loadRelay } from '../relay/load-relay.js'

const timeoutMs = 5000
const lockName = 'standing.lock'

/** Where it is: below the first base, whichever base a process had to take; the next where somebody else took that name. */
async function standingFolder(): Promise<string> {
  const { inOwnFolder } = await loadRelay()
  let first: unknown
  for (const folder of userFolders()) {
    try {
      await inOwnFolder(folder, async () => {})
      return folder
    } catch (error) {
      first ??= error
    }
  }
  throw first
}

export async function standingRules(): Promise<Rule[]> {
  return (await loadRelay()).readStanding(await standingFolder())
}

/** Replaces the rules by what `change` makes of them. */
export async function changeStanding(change: (rules: RuleRequest[]) => RuleRequest[]): Promise<void> {
  const { inMadeFolder, readStanding, writeStanding } = await loadRelay()
  const folder = await standingFolder()
  await inMadeFolder(folder, async (at) => {
    const unlock = await lock(join(at, lockName), join(folder, lockName))
    try {
      const before: RuleRequest[] = await readStanding(folder)
      const after = change(before)
      if (after !== before) await writeStanding(folder, after)
    } finally {
      await unlock()
    }
  })
}

/** The file comes with its holder's pid in it, by link(), so that no moment of a command's death leaves one without. */
async function lock(path: string, shown: string): Promise<() => Promise<void>> {
  const own = `${path}.${process.pid}`
  await rm(own, { force: true }) // of one that was killed, and had this pid
  await writeFile(own, String(process.pid), { mode: 0o600, flag: 'wx' })
  try {
    for (const end = performance.now() + timeoutMs; ; ) {
      try {
        await link(own, path)
        return () => rm(path, { force: true })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      if (await isStale(path)) await rm(path, { force: true })
      else if (performance.now() > end)
        throw new Error(`${shown}: another blkin command holds it for ${timeoutMs} ms`)
      else await sleep(10)
    }
  } finally {
    await rm(own, { force: true })
  }
}

async function isStale(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return false // gone again
  if (!/^[1-9]\d*$/.test(text)) return true // nobody writes such a one
  try {
    process.kill(Number(text), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

/** With one more; the same said before of the same programs is not kept twice. Pure. */
export function withStanding(
  rules: readonly RuleRequest[],
  rule: RuleRequest & { target: string },
): RuleRequest[] {
  return [...rules.filter((one) => one.target !== rule.target || one.pattern !== rule.pattern), rule]
}

/** As it was `before` these came, but for what other commands did since. Pure. */
export function takenBack(
  now: readonly RuleRequest[],
  own: readonly RuleRequest[],
  before: readonly RuleRequest[],
): RuleRequest[] {
  const among = (rules: readonly RuleRequest[], { target, pattern }: RuleRequest) =>
    rules.some((one) => one.target === target && one.pattern === pattern)
  return [
    ...before.filter((rule) => among(now, rule)),
    ...now.filter((rule) => !among(own, rule) && !among(before, rule)),
  ]
}

/**
 * Without those that the pattern covers whole, for programs that the target covers whole. Where others that switch on
 * remain and cover some of it too, a rule that switches off comes behind them. Pure.
 */
export function withoutStanding(rules: RuleRequest[], target: string, pattern: string): RuleRequest[] {
  const [programs, names] = [compileGlob(target), compileGlob(pattern)]
  const left = rules.filter((rule) => !(programs(rule.target ?? '*') && names(rule.pattern)))
  const meets = (rule: RuleRequest) =>
    globsMeet(rule.target ?? '*', target) && globsMeet(rule.pattern, pattern)
  if (left.some((rule) => rule.on !== false && meets(rule))) return [...left, { on: false, pattern, target }]
  return left.length === rules.length ? rules : left
}
