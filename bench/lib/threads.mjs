// bench/lib/threads.mjs: the processor time of each thread of a process, and how often it was woken, from /proc.
import { readdirSync, readFileSync } from 'node:fs'

const ticksPerSecond = 100 // USER_HZ, which Linux shows to every program, whatever it counts in

/** Of each thread, by its id: seconds of user and system time, seconds that it ran (finer, where the kernel says), wake-ups. */
export function threadTimes(pid) {
  const times = new Map()
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    try {
      const read = (file) => readFileSync(`/proc/${pid}/task/${tid}/${file}`, 'latin1')
      const stat = read('stat')
      const [name] = /(?<=\().*(?=\))/.exec(stat)
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const [user, system] = [Number(fields[11]) / ticksPerSecond, Number(fields[12]) / ticksPerSecond]
      times.set(tid, {
        ...{ name: tid === String(pid) ? 'main' : name, user, system },
        ran: ranOf(read) ?? user + system,
        wakeups: Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(read('status'))?.[1] ?? 0),
      })
    } catch {} // a thread that ended meanwhile
  }
  return times
}

/** The scheduler's own account, in ns; not every kernel keeps it. */
function ranOf(read) {
  try {
    return Number(read('schedstat').split(' ')[0]) / 1e9
  } catch {
    return undefined
  }
}

/** What each kind of thread used between two looks: `main`, `blkin-consumer`, and the rest together. */
export function usedBetween(before, after) {
  const used = { main: 0, 'blkin-consumer': 0, others: 0, system: 0 }
  for (const [tid, { name, user, system }] of after) {
    const was = before.get(tid) ?? { user: 0, system: 0 }
    used[name in used ? name : 'others'] += user + system - was.user - was.system
    used.system += system - was.system
  }
  return used
}
