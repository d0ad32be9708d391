// bench/lib/events.mjs: what an event costs, under one Node: the rows of rows.mjs, in processes that take their turns. Then what its
// turns leave to the collector, and how long single ones take. What was timed is counted afterwards: counted.mjs.
import { mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../../scripts/lib/run.mjs'
import { Child } from './child.mjs'
import { checkSpans, countSession } from './counted.mjs'
import { startLttng } from './lttng.mjs'
import { measure } from './measure.mjs'
import { garbageRows, latencyRows, rows } from './rows.mjs'
import { quantile } from './stats.mjs'

const script = (name) => join(root, `bench/js/${name}.mjs`)

/**
 * Starts the processes and ends them. `work` gets them by name: relay, js, spans, peers, pack, and lttng where it is installed.
 * @param {{ node: string, built: object, missing: string[] }} where
 */
export async function withChildren({ node, built, missing }, work) {
  const folder = mkdtempSync(join(tmpdir(), 'blkin-bench-'))
  const children = {}
  let lttng
  try {
    if (missing.length === 0) lttng = await startLttng()
    if (lttng) children.lttng = lttng.child
    const relay = new Child(process.execPath, [script('relay'), join(folder, 'traces')])
    children.relay = relay
    const env = { ...process.env, BLKIN_RELAY: await relay.hear(), BLKIN_ENABLE: '', BLKIN_BUFFER: '' }
    // node:trace_events writes its file where it is.
    children.js = new Child(node, [script('slices'), built.floor], { env, cwd: folder })
    children.spans = new Child(node, [script('spans')], { env })
    children.peers = new Child(node, [script('peers'), join(folder, 'pino.log')], {
      stdio: ['pipe', openSync(join(folder, 'console.log'), 'w'), 'inherit', 'pipe'],
      answers: 3,
    })
    children.pack = new Child(built.pack)
    return await work(children, lttng)
  } finally {
    await lttng?.end()
    for (const name of ['js', 'spans', 'peers', 'pack', 'relay']) await children[name]?.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @returns results by row, for compare(); and what was counted */
export function measureEvents(where, { rounds, warmSlices, latencyTurns }) {
  return withChildren(where, async (children, lttng) => {
    const wanted = rows.filter((row) => row.in in children)
    const progress = (round) => {
      if (round % 50 === 0) console.error(`bench: round ${round} of ${rounds}`)
    }
    const results = await measure(wanted, children, { rounds, warmSlices, progress })
    const garbage = await takeGarbage(children)
    const latency = await timeSingles(children, latencyTurns)
    const account = JSON.parse(await children.js.ask('account 0'))
    const { processes } = JSON.parse(await children.relay.ask('stats'))
    for (const session of account.sessions) countSession(session, processes, account)
    checkSpans(JSON.parse(await children.spans.ask('account 0')))
    const emitted = wanted
      .filter((row) => row.in === 'lttng' && row.most !== undefined)
      .reduce((sum, { id }) => sum + results.get(id).turns, 0)
    const lttngSays = lttng && { version: lttng.version, emitted, discarded: await lttng.discarded() }
    return { results, garbage, latency, account, lttng: lttngSays }
  })
}

const slice = (id) => id.split('.')

/** Bytes a turn, less those of the loop. */
async function takeGarbage(children) {
  const loop = await children.js.garbage('loop', 2000)
  const garbage = {}
  for (const id of garbageRows) {
    const [child, name] = slice(id)
    garbage[id] = Math.max(0, (await children[child].garbage(name, 2000)) - loop)
  }
  return garbage
}

const latencyTries = 5

/** Quantiles of single turns: of each the median over some tries, but the longest of all. */
async function timeSingles(children, turns) {
  const latency = {}
  for (const id of latencyRows) {
    const [child, name] = slice(id)
    const tries = []
    for (let i = 0; i < latencyTries; i++) tries.push(await children[child].latency(name, turns))
    const middle = (key) =>
      quantile(
        tries.map((one) => one[key]),
        0.5,
      )
    latency[id] = {
      p50: middle('p50'),
      p99: middle('p99'),
      p999: middle('p999'),
      max: Math.max(...tries.map(({ max }) => max)),
    }
  }
  return latency
}
