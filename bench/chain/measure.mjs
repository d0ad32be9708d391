// bench/chain/measure.mjs: one part of the chain's benchmark: a way to the block store under one Node. A server of each state is kept;
// they take turns, workload by workload, in a new order each round, so that ratios are taken within rounds. Raw slices come out.
import { generator, shuffled } from '../lib/stats.mjs'
import { jobOf } from './fio.mjs'
import { Server } from './servers.mjs'

/**
 * @param {object} way one of ways.mjs
 * @param {{ node: string, forms: object, folder: string, states: object[], workloads: object[], rounds: number, seconds: number }} settings
 * @param {(line: string) => void} say
 */
export async function measurePart(way, settings, say) {
  const { objects, close } = await way.open()
  const servers = []
  try {
    for (const state of settings.states) {
      const server = await Server.start(state, { ...settings, objects })
      servers.push({ state, server, writes: 0, loads: 0 })
    }
    const client = await way.client(servers.map(({ server }) => server.uri))
    const slices = await takeTurns(servers, client, settings, say).finally(client.close)
    const accounts = []
    for (const { state, server, writes, loads } of servers)
      accounts.push({ state: state.id, writes, loads, totals: await server.stop() })
    return { slices, accounts }
  } finally {
    for (const { server } of servers) server.kill()
    await close()
  }
}

async function takeTurns(servers, client, { workloads, rounds, seconds }, say) {
  const turns = servers.flatMap((of) => workloads.map((workload) => ({ of, workload })))
  for (const { of, workload } of turns) await slice(of, client, workload, warmSeconds)
  const random = generator(1)
  const slices = []
  for (let round = 1; round <= rounds; round++) {
    for (const { of, workload } of shuffled(turns, random)) {
      const measured = await slice(of, client, workload, seconds)
      slices.push({ round, state: of.state.id, workload: workload.id, ...measured })
    }
    say(`round ${round} of ${rounds}`)
  }
  return slices
}

/** Long enough for V8 to have compiled what a write runs, and what a relay does some hundred times a second. */
const warmSeconds = 3

/** fio once, and all that follows from it: its writes, and of each kind of thread the time that it took and how often it was woken. */
async function slice(of, client, workload, seconds) {
  const { server } = of
  const before = server.look()
  const { writes, seconds: took, fio } = await client.load(server.uri, jobOf(workload, seconds))
  const behind = await server.settle()
  const threads = between(before, server.look())
  of.writes += writes
  of.loads++
  return {
    writes,
    seconds: took,
    behind,
    threads: [{ process: 'fio', thread: 'all', ran: fio, wakeups: 0 }, ...threads],
  }
}

function between(before, after) {
  const was = new Map(before.map((one) => [`${one.process} ${one.tid}`, one]))
  const kinds = new Map()
  for (const { process, tid, thread, ran, wakeups } of after) {
    const { ran: ranBefore, wakeups: wakeupsBefore } = was.get(`${process} ${tid}`) ?? { ran: 0, wakeups: 0 }
    const kind = kindOf(thread)
    const sum = kinds.get(`${process} ${kind}`) ?? { process, thread: kind, ran: 0, wakeups: 0 }
    sum.ran += ran - ranBefore
    sum.wakeups += wakeups - wakeupsBefore
    kinds.set(`${process} ${kind}`, sum)
  }
  return [...kinds.values()]
}

/** Up to Node 22 all threads that Node starts are called as it is. */
const kinds = {
  main: 'main',
  node: 'V8, libuv',
  V8Worker: 'V8',
  'libuv-worker': 'libuv',
  'blkin-consumer': 'consumer',
  'blkin-agent': 'agent',
}
const kindOf = (name) => kinds[name] ?? 'others'
