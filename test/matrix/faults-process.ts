// test/matrix/faults-process.ts: rows of the crash matrix in which the program, or a Worker of it, dies or stalls as programs do.
import { type Fault, LONG_MS, pause, SHORT_MS, sleep } from './fault.js'
import { draw } from './seed.js'

const killed = (n: number): Fault => ({
  name: `process: SIGKILL, moment ${n}`,
  async strike(stage) {
    await sleep(draw(`${stage.cell.name} ${n}`) * 200)
    stage.program.child.kill('SIGKILL')
  },
  ends: { code: null, signal: 'SIGKILL' },
})

const ended = (order: string, ends: Fault['ends']): Fault => ({
  name: `process: ${order}`,
  strike: async (stage) => stage.tell(order),
  ends: ends!,
})

const worker = (how: string): Fault => ({
  name: `Worker: ${how}`,
  async strike(stage) {
    stage.ended.add(1)
    await stage.obeyed(`worker ${how}`)
  },
})

export const processFaults: Fault[] = [
  ...[1, 2, 3].map(killed),
  {
    name: 'process: SIGTERM',
    strike: async (stage) => void stage.program.child.kill('SIGTERM'),
    ends: { code: null, signal: 'SIGTERM' },
  },
  ended('exit', { code: 0 }),
  ended('throw', { code: 1 }),
  ended('reject', { code: 1 }),
  ended('abort', { code: null, signal: 'SIGABRT' }),
  { name: 'process: its event loop is blocked', strike: (stage) => stage.obeyed('block') },
  { name: 'process: stopped', strike: (stage) => pause(stage, 'program', SHORT_MS) },
  {
    name: 'process: stopped longer than every time-out',
    isLong: true,
    strike: (stage) => pause(stage, 'program', LONG_MS),
  },
  {
    name: 'process: stopped, and then killed',
    async strike(stage) {
      stage.program.child.kill('SIGSTOP')
      await sleep(SHORT_MS)
      stage.program.child.kill('SIGKILL')
    },
    ends: { code: null, signal: 'SIGKILL' },
  },
  ...['terminate', 'throw', 'exit'].map(worker),
]
