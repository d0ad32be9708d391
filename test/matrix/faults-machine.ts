// test/matrix/faults-machine.ts: rows of the crash matrix in which the traced machine has no room, no descriptors, another clock, other
// processors, a frozen group, another user.
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { folder, privateShm, type RunOptions } from '../support/run.js'
import { shim } from '../support/shims.js'
import { during, type Fault, LONG_MS, SHORT_MS } from './fault.js'
import type { Stage } from './stage.js'

/** The program with a /dev/shm of its own, of that size; a command of the shell before it starts. */
const shm =
  (size: string, also?: string, env: Record<string, string> = {}) =>
  (): RunOptions => ({
    before: privateShm(size, also),
    env,
  })
const isRoot = () => (process.geteuid?.() === 0 ? undefined : 'needs root')

/** All threads of it, to these processors. */
function pin(stage: Stage, list: string): void {
  execFileSync('taskset', ['-a', '-c', '-p', list, String(stage.program.child.pid)], { stdio: 'ignore' })
}

const allCpus = `0-${cpus().length - 1}`
const groups = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified']
let groupsFolder: string | undefined

/** Where control groups of version 2 can be made. */
function whyNoGroup(): string | undefined {
  if (groupsFolder !== undefined) return undefined
  for (const one of groups) {
    try {
      const path = join(one, `blkin-matrix-${process.pid}`)
      mkdirSync(path)
      try {
        writeFileSync(join(path, 'cgroup.freeze'), '0')
        groupsFolder = one
        return undefined
      } finally {
        rmdirSync(path)
      }
    } catch {}
  }
  return 'no control group of version 2 can be made here'
}

let made = 0

/** Puts the program into a group of its own. */
function group(stage: Stage): (file: string, text: string) => void {
  const path = join(groupsFolder!, `blkin-matrix-${process.pid}-${++made}`)
  mkdirSync(path)
  writeFileSync(join(path, 'cgroup.procs'), String(stage.program.child.pid))
  // Tests' hooks run last first: the program, which was started before, has not ended by then.
  onTestFinished(async () => {
    writeFileSync(join(path, 'cgroup.kill'), '1')
    await stage.program.ended
    for (let tries = 0; tries < 500; tries++)
      try {
        return rmdirSync(path)
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
  })
  return (file, text) => writeFileSync(join(path, file), text)
}

const freeze = (milliseconds: number) => async (stage: Stage) => {
  const set = group(stage)
  await during(
    milliseconds,
    () => set('cgroup.freeze', '1'),
    () => set('cgroup.freeze', '0'),
  )
}

const clocks = new WeakMap<Stage, string>()
const clockSet = (hours: number): Fault => ({
  name: `clock: set by ${hours} h`,
  ...(hours < 0 ? { goesBack: true } : {}),
  tools: ['gcc'],
  program(stage) {
    const shift = join(folder(), 'shift')
    writeFileSync(shift, Buffer.alloc(8))
    clocks.set(stage, shift)
    return { env: { LD_PRELOAD: shim('clock-shift'), CLOCK_SHIFT: shift } }
  },
  async strike(stage) {
    const shift = Buffer.alloc(8)
    shift.writeBigInt64LE(BigInt(hours) * 3600n * 1_000_000_000n)
    writeFileSync(clocks.get(stage)!, shift, { flag: 'r+' })
    await stage.emits(300)
  },
})

export const machineFaults: Fault[] = [
  { name: '/dev/shm: full from the start', tools: ['unshare -m'], program: shm('64k') },
  { name: '/dev/shm: full when the second ring is made', tools: ['unshare -m'], program: shm('300k') },
  {
    name: '/dev/shm: read-only',
    tools: ['unshare -m'],
    program: shm('64k', 'mount -t tmpfs -o ro tmpfs /dev/shm'),
  },
  {
    name: '/dev/shm and TMPDIR: full',
    tools: ['unshare -m'],
    program: () => shm('64k', 'true', { TMPDIR: '/dev/shm' })(),
  },
  {
    name: 'descriptors: all taken for a while',
    ...{ tools: ['prlimit'], program: () => ({ before: ['prlimit', '--nofile=100'] }) },
    strike: (stage) => stage.obeyed('descriptors'),
  },
  ...[1, -1].map(clockSet),
  {
    name: 'affinity: from processor to processor',
    async strike(stage) {
      for (let turn = 0; turn < 12; turn++) {
        pin(stage, String(turn % cpus().length))
        await stage.emits(40)
      }
      pin(stage, allCpus)
    },
  },
  {
    name: 'affinity: one processor for all threads',
    program: () => ({ before: ['taskset', '-c', '0'] }),
    strike: (stage) => stage.emits(300),
  },
  { name: 'group: frozen', missing: whyNoGroup, strike: freeze(SHORT_MS) },
  {
    name: 'group: frozen longer than every time-out',
    isLong: true,
    missing: whyNoGroup,
    strike: freeze(LONG_MS),
  },
  {
    name: 'group: killed',
    missing: whyNoGroup,
    strike: async (stage) => group(stage)('cgroup.kill', '1'),
    ends: { code: null, signal: 'SIGKILL' },
  },
  {
    name: 'user: root becomes nobody',
    missing: isRoot,
    async strike(stage) {
      await stage.obeyed('setuid')
      await stage.emits(300)
    },
  },
]
