// bench/lib/threads.mjs: the processor time of each thread of a process, from /proc.
import { readdirSync, readFileSync } from 'node:fs'

const ticksPerSecond = 100 // USER_HZ, which Linux shows to every program, whatever it counts in

/** Seconds of user and system time by thread id. */
export function threadTimes(pid) {
  const times = new Map()
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    try {
      const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1')
      const [name] = /(?<=\().*(?=\))/.exec(stat)
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const [user, system] = [Number(fields[11]) / ticksPerSecond, Number(fields[12]) / ticksPerSecond]
      times.set(tid, { name: tid === String(pid) ? 'main' : name, user, system })
    } catch {} // a thread that ended meanwhile
  }
  return times
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
