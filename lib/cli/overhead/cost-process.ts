// lib/cli/overhead/cost-process.ts STATE: one state of cost-states.ts, in a process of its own, started by costs.ts. Answers "NAME COUNT"
// with the nanoseconds of so many turns of a slice, and "account" with what it has recorded; ends with its stdin. It blocks
// while it waits, so that nothing of its event loop runs between slices.
import { readSync, writeSync } from 'node:fs'
import { flush, openSession, provider, spans, status, t, trace } from '../../index.js'
import { native } from '../../native.js'
import { loop } from './cost-states.js'
import { loopAround, turn } from './slices.js'

export interface Account {
  /** By calls of its slices, but of the loop. */
  turns: number
  /** Bytes that went into rings. */
  written: number
  acknowledged: number
  lost: number
}

const [state = ''] = process.argv.slice(2)

const cost = provider('cost', {
  none: {},
  ints: { fields: { a: t.u32, b: t.u32, c: t.u32 } },
  text: { fields: { text: t.string } },
})
const { write } = spans('cost', {
  write: { kind: 'server', tags: { object: t.string, op: t.enum(['read', 'write']), bytes: t.u32 } },
})
const texts = ['volume-00/blk-0a', 'volume-01/blk-0b', 'volume-02/blk-0c', 'volume-03/blk-0d']
const scope = { ...cost, write, texts, trace, nothing: native?.nothing, performance }

const bodies: Record<string, string> = {
  [loop]: '',
  call: 'nothing()',
  clock: 'sink[0] = performance.now()',
  none: 'none()',
  ints: 'ints({ a: x, b: i, c: 4096 })',
  text: 'text({ text: texts[i & 3] })',
  span: `trace.start('write', { kind: 'server', tags: { object: texts[x & 3], op: 'write', bytes: 4096 } }).end()`,
  declared: `write({ object: texts[x & 3], op: 'write', bytes: 4096 }).end()`,
}

const memory = { relay: null, mode: 'overwrite' } as const
const states: Record<string, () => void> = {
  refused() {
    const session = openSession('refusing', memory)
    session.enable('cost:ints', { filter: 'c == 4096 && b > 4000000000' })
    session.enable('cost:text', { filter: 'text == "volume-04/blk-0e"' })
  },
  sampled: () => void openSession('refusing', memory).enable('cost:*', { sample: '1/1000000000' }),
  recorder: () => void openSession('recorder', memory).enable('cost:*'),
  live: () => void openSession('live').enable('cost:*'),
  'spans-out'() {
    openSession('recorder', memory).enable('blkin:*')
    trace.sample('1/1000000000')
  },
  'spans-on': () => void openSession('recorder', memory).enable('blkin:*'),
}
// The carrier of the current span costs nothing before the first run(): every program that has spans calls it.
if (state.startsWith('spans-')) trace.run(trace.start('first'), () => {})
states[state]?.()

const slices = new Map<string, (count: number) => void>()
let turns = 0

async function time(name: string, count: number): Promise<number> {
  const run = slices.get(name) ?? loopAround(scope, bodies[name]!)
  slices.set(name, run)
  const start = performance.now()
  turn(run, count)
  const took = (performance.now() - start) * 1e6
  if (name !== loop) turns += count
  if (state === 'live') await flush(10_000) // whoever is next begins in silence
  return took
}

function account(): Account {
  const { sessions } = status()
  const sum = (of: (one: (typeof sessions)[number]) => number) =>
    sessions.reduce((all, one) => all + of(one), 0)
  return {
    turns,
    written: sum(({ buffers }) => buffers.rings.reduce((all, { head }) => all + head, 0)),
    acknowledged: sum(({ relay }) => relay.acknowledged),
    lost: sum(({ lost: { overwritten: _, ...lost } }) =>
      Object.values(lost).reduce((all, one) => all + one, 0),
    ),
  }
}

const chunk = Buffer.alloc(256)
let input = ''
for (;;) {
  const end = input.indexOf('\n')
  if (end >= 0) {
    const [name = '', count] = input.slice(0, end).split(' ')
    input = input.slice(end + 1)
    writeSync(1, `${JSON.stringify(name === 'account' ? account() : await time(name, Number(count)))}\n`)
    continue
  }
  const got = readSync(0, chunk)
  if (got === 0) break
  input += chunk.toString('latin1', 0, got)
}
process.exit()
