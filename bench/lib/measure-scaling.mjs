// bench/lib/measure-scaling.mjs: programs and relays of several sizes, for scripts/bench-scaling.mjs. Each size is measured in rounds, the
// sizes in turn; medians.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { root } from '../../scripts/lib/run.mjs'
import { Child } from './child.mjs'
import { quantile } from './stats.mjs'
import { threadTimes, usedBetween } from './threads.mjs'

const median = (list) => quantile(list, 0.5)
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const script = (name) => join(root, 'bench/js', name)
const mib = 2 ** 20

/** Each key's median over the rounds. */
function medians(rounds) {
  return Object.fromEntries(Object.keys(rounds[0]).map((key) => [key, median(rounds.map((one) => one[key]))]))
}

async function inTurn(sizes, rounds, measure) {
  const results = sizes.map(() => [])
  for (let round = 0; round < rounds; round++)
    for (const [i, size] of sizes.entries()) results[i].push(await measure(size))
  return sizes.map((size, i) => ({ ...size, ...medians(results[i]) }))
}

/** Bytes of files below the folder of a process, as they are reserved. */
function reserved(pid) {
  const base = `/dev/shm/blkin-${userInfo().uid}`
  const own = readdirSync(base).filter((name) => name.startsWith(`${pid}-`))
  let bytes = 0
  const walk = (path) => {
    const { blocks } = statSync(path)
    bytes += blocks * 512
    if (statSync(path).isDirectory()) for (const name of readdirSync(path)) walk(join(path, name))
  }
  for (const name of own) walk(join(base, name))
  return bytes
}

function resident(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]) * 1024
}

/** A ring for each of so many processors: threads with rings of their own stand for them. No relay, so that what is written stays. */
export function measureCrowds(say) {
  const sizes = [4, 64, 256].map((rings) => ({ rings }))
  return inTurn(sizes, 1, async ({ rings }) => {
    say(`${rings} rings`)
    const env = { ...process.env, BLKIN_RING: 'thread' }
    const options = { env, stdio: ['pipe', 'pipe', 'ignore'] }
    const child = new Child(process.execPath, [script('crowd.mjs'), rings], options)
    await child.hear()
    await sleep(500)
    const before = threadTimes(child.pid)
    await sleep(2000)
    const used = usedBetween(before, threadTimes(child.pid))
    const sharedMib = reserved(child.pid) / mib
    await child.end()
    return { sharedMib, consumerPercent: (100 * used['blkin-consumer']) / 2 }
  })
}

/** Tracepoints declared in one process, and rules that match a part of them. */
export function measureMany(say) {
  const sizes = [
    ...[100, 1000, 10_000].map((tracepoints) => ({ tracepoints, rules: 0 })),
    ...[10, 100, 1000].map((rules) => ({ tracepoints: 1000, rules })),
  ]
  return inTurn(sizes, 3, async ({ tracepoints, rules }) => {
    say(`${tracepoints} tracepoints, ${rules} rules`)
    const env = { ...process.env, BLKIN_RELAY: '' }
    const args = ['--expose-gc', script('many.mjs'), tracepoints, rules]
    const child = new Child(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'ignore'] })
    const { declareMs, bytes, changeMs } = JSON.parse(await child.hear())
    await child.end()
    return { declareUs: (declareMs * 1000) / tracepoints, kibEach: bytes / 1024 / tracepoints, changeMs }
  })
}

/** One relay, and processes that send to it, as many events a second in all from few as from many. */
export function measureSenders(say) {
  const sizes = [200_000, 1_000_000].flatMap((perSecond) =>
    [10, 100, 1000].map((senders) => ({ senders, perSecond })),
  )
  const seconds = 5
  mkdirSync(join(root, 'build'), { recursive: true })
  return inTurn(sizes, 3, async ({ senders, perSecond }) => {
    say(`${senders} senders, ${perSecond} events a second`)
    const folder = mkdtempSync(join(root, 'build/scaling-'))
    const relay = new Child(process.execPath, [script('relay.mjs'), folder])
    try {
      const address = await relay.hear()
      const empty = resident(relay.pid)
      const child = new Child(process.execPath, [script('senders.mjs'), address, senders, perSecond, seconds])
      await child.hear()
      const before = threadTimes(relay.pid)
      const { took, puts, ever, events, bytes, p99, openMs } = JSON.parse(await child.hear())
      const used = usedBetween(before, threadTimes(relay.pid))
      const full = resident(relay.pid)
      await child.end()
      const { processes } = JSON.parse(await relay.ask('stats'))
      const stored = processes.reduce((all, one) => all + one.events, 0)
      if (stored !== ever) throw new Error(`${senders} senders: the relay stored ${stored} of ${ever} events`)
      const cpu = used.main + used.others
      return {
        eventsPerSecond: (1000 * events) / took,
        putsPerSecond: (1000 * puts) / took,
        mibPerSecond: (1000 * bytes) / took / mib,
        cpuPercent: (100 * cpu) / (took / 1000),
        usPerPut: (1e6 * cpu) / puts,
        nsPerEvent: (1e9 * cpu) / events,
        answerP99Ms: p99,
        openMs,
        relayMib: (full - empty) / mib,
      }
    } finally {
      await relay.end()
      rmSync(folder, { recursive: true, force: true })
    }
  })
}
