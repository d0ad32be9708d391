// scripts/lib/lock.mjs: one setup at a time in one checkout. The lock is a file that names its holder by
// pid and start time; a holder that died, or a pid that was given to someone else, does not keep it.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Runs work while holding the lock. onWait is called once when someone else has it.
 * @template T
 * @param {string} file
 * @param {() => T | Promise<T>} work
 * @param {(pid: number) => void} onWait
 */
export async function withLock(file, work, onWait = () => {}) {
  mkdirSync(dirname(file), { recursive: true })
  const me = `${process.pid} ${startTime(process.pid)}`
  let told = false
  while (!take(file, me)) {
    const holder = read(file)
    if (holder === undefined) continue
    if (!isAlive(holder)) {
      evict(file, holder)
    } else {
      if (!told) onWait(Number.parseInt(holder, 10))
      told = true
      await sleep(200)
    }
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

// The name appears with its content in place: link() fails when the name exists, and a file opened with
// O_EXCL would be seen empty by a second process for a moment.
function take(file, me) {
  const mine = `${file}.${process.pid}`
  writeFileSync(mine, me)
  try {
    linkSync(mine, file)
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    return false
  } finally {
    rmSync(mine, { force: true })
  }
}

// Two may find the same dead holder: the slower one must not throw out the lock the faster one took since.
function evict(file, holder) {
  const aside = `${file}.${process.pid}.stale`
  try {
    renameSync(file, aside)
  } catch {
    return // someone else was faster
  }
  if (read(aside) !== holder) linkSync(aside, file)
  rmSync(aside)
}

function isAlive(holder) {
  const [pid, start] = holder.split(' ')
  return startTime(pid) === start
}

// Field 22 of /proc/PID/stat; counted from the last ")" since the command's name may hold anything.
function startTime(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
