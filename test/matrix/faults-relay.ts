// test/matrix/faults-relay.ts: rows of the crash matrix in which the relay, or who recovers for it, dies or stalls: at each of its calls that
// changes what is on its disk, at any moment, or with the program.
import { join } from 'node:path'
import { start } from '../support/run.js'
import { shim } from '../support/shims.js'
import { type Ack, type Fault, LONG_MS, pause, SHORT_MS, sleep } from './fault.js'
import { changeCode } from './points.js'
import { draw } from './seed.js'
import type { Stage } from './stage.js'

interface Call {
  call: string
  /** Of files whose path holds it. */
  file: string
  nth: number
  how: 'before' | 'after' | 'half' | 'ENOSPC' | 'EIO' | 'slow'
  times?: number
}

export const callFault = ({ call, file, nth, how, times = 1 }: Call): Record<string, string> => ({
  ...{ LD_PRELOAD: shim('call-fault'), CALL_NAME: call, CALL_FILE: file },
  ...{ CALL_NTH: String(nth), CALL_HOW: how, CALL_TIMES: String(times) },
})

const what = ({ call, file, nth, how }: Call) => `${how} ${call} ${nth} of ${file.replace('/', '')}`
const synced: readonly Ack[] = ['synced']

/** Each call of the way of a put, in its order: the folder, its name, metadata, marks, packets, syncs. */
const calls: (Call & { acks?: readonly Ack[] })[] = [
  ...(['before', 'after'] as const).flatMap((how) => [
    { call: 'mkdir', file: '/.program-', nth: 1, how },
    { call: 'open', file: '/.metadata', nth: 1, how },
    { call: 'rename', file: '/metadata', nth: 1, how },
    { call: 'rename', file: '/program-', nth: 1, how },
    { call: 'open', file: '/.events_', nth: 1, how },
    { call: 'open', file: '/events_', nth: 1, how },
    { call: 'pwrite', file: '/.events_', nth: 1, how },
    { call: 'pwrite', file: '/events_', nth: 1, how },
    { call: 'fdatasync', file: '/.events_', nth: 4, how, acks: synced },
    { call: 'fdatasync', file: '/events_', nth: 4, how, acks: synced },
    { call: 'fsync', file: '/program-', nth: 1, how, acks: synced },
  ]),
  ...[2, 5].flatMap((nth) =>
    (['before', 'half', 'after'] as const).flatMap((how) => [
      { call: 'pwrite', file: '/.events_', nth, how },
      { call: 'pwrite', file: '/events_', nth, how },
    ]),
  ),
]

const diesAt = ({ acks, ...call }: Call & { acks?: readonly Ack[] }): Fault => ({
  name: `relay: dies ${what(call)}`,
  ...(acks ? { acks } : {}),
  ...{ tools: ['gcc'], strikes: 'at once' },
  relayEnv: () => callFault(call),
  strike: (stage) => stage.replaceRelay(call.how !== 'half'),
})

const killed = (n: number): Fault => ({
  name: `relay: SIGKILL, moment ${n}`,
  async strike(stage) {
    await sleep(draw(`${stage.cell.name} ${n}`) * 200)
    await stage.killRelay()
    await stage.startRelay()
  },
})

/** Kills the relay, then the program once its rings hold what nobody has; another relay is there then. */
async function leaveRings(stage: Stage, env: Record<string, string> = {}): Promise<void> {
  await stage.killRelay()
  await stage.emits(100)
  stage.program.child.kill('SIGKILL')
  await stage.program.ended
  await stage.startRelay(env)
}

const recoveryDies = (point: string): Fault => ({
  name: `recovery: dies at ${point}`,
  async strike(stage) {
    await leaveRings(stage)
    const program = join(import.meta.dirname, 'recoverer.mjs')
    const recoverer = start(program, { stdin: 'pipe', env: { BLKIN_RELAY: stage.target } })
    await recoverer.says('loaded')
    changeCode(recoverer.child.pid!, point, 'dies')
    recoverer.child.stdin!.end('go\n')
    await recoverer.ended
  },
  ends: { code: null, signal: 'SIGKILL' },
})

export const relayFaults: Fault[] = [
  ...calls.map(diesAt),
  ...[1, 2].map(killed),
  {
    name: 'relay: three times SIGKILL',
    async strike(stage) {
      for (let turn = 0; turn < 3; turn++) {
        await stage.killRelay()
        await stage.startRelay()
        await stage.emits(100)
      }
    },
  },
  {
    name: 'relay: SIGTERM',
    async strike(stage) {
      stage.relay.child.kill('SIGTERM')
      await stage.relay.ended
      await stage.startRelay()
    },
  },
  { name: 'relay: stopped', strike: (stage) => pause(stage, 'relay', SHORT_MS) },
  {
    name: 'relay: stopped longer than every time-out',
    isLong: true,
    strike: (stage) => pause(stage, 'relay', LONG_MS),
  },
  {
    name: 'relay: away, and the program is killed',
    strike: (stage) => leaveRings(stage),
    ends: { code: null, signal: 'SIGKILL' },
  },
  ...[
    'hello-answered',
    'declaration-queued',
    'put-queued',
    'bytes-sent',
    'put-answered',
    'tail-released',
  ].map(recoveryDies),
  {
    name: 'relay: dies while it is recovered to',
    tools: ['gcc'],
    async strike(stage) {
      await leaveRings(stage, callFault({ call: 'pwrite', file: '/events_', nth: 1, how: 'half' }))
      const recovering = stage.recover()
      await stage.replaceRelay(false)
      await recovering
    },
    ends: { code: null, signal: 'SIGKILL' },
  },
]
