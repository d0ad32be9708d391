#!/usr/bin/env node
// bench/load-rados.mjs: `npm run load:rados`: fio on the chain from NBD to a real RADOS cluster and a real Zipkin server: what
// tracing costs there, and what arrives when an OSD and the Zipkin server are away for a while. Takes about four
// minutes, writes docs/load.md, and fails where a span is missing or twice.
//
// The modes take turns, round by round, each with a block store of its own: what counts are the ratios within a round.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { cephPackages, startCeph, whyNoCeph } from '../scripts/lib/ceph.mjs'
import { startChain } from '../scripts/lib/chain.mjs'
import { startStore } from '../scripts/lib/demo-store.mjs'
import { mustRun, root } from '../scripts/lib/run.mjs'
import { startWay } from '../scripts/lib/way.mjs'
import { startZipkin, whyNoZipkin } from '../scripts/lib/zipkin.mjs'
import { ensureSetup } from '../scripts/setup.mjs'

const folder = join(root, 'build/load-rados')
const ROUNDS = 7
const SECONDS = 5
const FAULT_SECONDS = 95
const AWAY_SECONDS = 60
const say = (line) => process.stderr.write(`load: ${line}\n`)
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))
const number = (n) => Math.round(n).toLocaleString('en-US')
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1]

const modes = [
  { name: 'not traced', env: undefined },
  { name: 'one request in 500', env: { BLKIN_TRACE_SAMPLE: '1/500' } },
  { name: '50 requests a second', env: { BLKIN_TRACE_SAMPLE: '50/s' } },
  { name: 'every request', env: {} },
]

async function fio(uri, options) {
  const job = { ioengine: 'nbd', uri, rw: 'randwrite', bs: '4k', size: '32m', time_based: 1, ...options }
  const flags = Object.entries({ ...job, name: 'load', 'output-format': 'json' }).map(
    ([key, value]) => `--${key}=${value}`,
  )
  const said = await mustRun('fio', flags)
  const [{ error, write }] = JSON.parse(said.slice(said.indexOf('{'))).jobs
  if (error !== 0) throw new Error(`fio: error ${error}`)
  return write
}

/** Starts what a mode needs, and says what is to be awaited at its end. */
async function start(mode, ceph) {
  const place = join(folder, mode.name.replaceAll(' ', '-'))
  if (mode.env !== undefined) return startChain(place, ceph, {}, mode.env)
  const store = await startStore([], ['--dir', place, '--rados', ceph.rados, '--volume', 'disk=64M'])
  const stop = async () => {
    store.child.kill('SIGTERM')
    await store.ended
  }
  return { disk: `${store.uri}/disk`, stop }
}

/** In each round the first mode is another one. */
async function measure(ceph) {
  const rounds = []
  const spans = new Map(modes.map(({ name }) => [name, 0]))
  for (let round = 0; round < ROUNDS; round++) {
    const results = []
    for (const i of modes.keys()) {
      const at = (round + i) % modes.length
      const { disk, stop, relay } = await start(modes[at], ceph)
      try {
        await fio(disk, { iodepth: 8, runtime: 1 })
        results[at] = await fio(disk, { iodepth: 8, runtime: SECONDS })
      } finally {
        await stop()
      }
      const tracing = relay?.stats().tracing
      if (tracing !== undefined) spans.set(modes[at].name, spans.get(modes[at].name) + tracing.received)
      await rm(join(folder, modes[at].name.replaceAll(' ', '-')), { recursive: true, force: true })
    }
    rounds.push(results)
    say(`round ${round + 1} of ${ROUNDS}: ${results.map(({ iops }) => number(iops)).join(', ')} IOPS`)
  }
  return modes.map(({ name }, i) => {
    const of = (value) => median(rounds.map((results) => value(results[i])))
    return {
      name,
      iops: of(({ iops }) => iops),
      ratio: median(rounds.map((results) => results[i].iops / results[0].iops)),
      p50: of(({ clat_ns }) => clat_ns.percentile['50.000000'] / 1000),
      p99: of(({ clat_ns }) => clat_ns.percentile['99.000000'] / 1000),
      spans: spans.get(name) / ROUNDS,
    }
  })
}

async function traces(url) {
  const query = new URLSearchParams({ serviceName: 'blockstore', spanName: 'write', limit: '10000' })
  return (await fetch(`${url}/api/v2/traces?${query}`)).json()
}

/** fio goes on while an OSD stops and starts, and the way to Zipkin is cut for a minute. */
async function withFaults(ceph, zipkin) {
  const way = await startWay(zipkin.port)
  const chain = await startChain(join(folder, 'faults'), ceph, { sinks: { zipkin: way.address } })
  try {
    const load = fio(chain.disk, { iodepth: 8, rate_iops: 60, runtime: FAULT_SECONDS })
    await sleep(5)
    way.cut()
    const mended = sleep(AWAY_SECONDS).then(() => way.mend())
    await sleep(5)
    say('osd.1 stops')
    await ceph.stopOsd(1)
    await ceph.up(1)
    await sleep(10)
    ceph.startOsd(1)
    await ceph.up(2)
    say('osd.1 is back')
    const [write] = await Promise.all([load, mended])
    const sink = () => chain.relay.stats().tracing.sinks[0]
    await chain.endTelling()
    for (let tries = 0; sink().waiting + chain.relay.stats().tracing.waiting > 0; tries++) {
      if (tries > 600) throw new Error(`${sink().waiting} spans still wait for Zipkin`)
      await sleep(0.1)
    }
    await sleep(1) // Zipkin stores what it has taken
    const [here, there] = [await traces(chain.url), await traces(zipkin.url)]
    const ids = (trace) => trace.map(({ id }) => id).sort()
    const inZipkin = new Map(there.map((trace) => [trace[0].traceId, ids(trace).join()]))
    const twice = here.filter((trace) => new Set(ids(trace)).size < trace.length).length
    const missing = here.filter((trace) => inZipkin.get(trace[0].traceId) !== ids(trace).join()).length
    const result = { ios: write.total_ios, worst: write.clat_ns.max / 1e6, here: here.length, twice, missing }
    const own = here.filter(
      (trace) =>
        trace.filter(({ localEndpoint: { serviceName } }) => serviceName === 'blockstore').length === 4,
    )
    const followed = here.filter((trace) =>
      trace.some(({ localEndpoint: { serviceName } }) => serviceName.startsWith('osd')),
    )
    if (twice + missing > 0 || here.length !== write.total_ios || own.length !== here.length)
      throw new Error(`spans are missing or twice: ${JSON.stringify({ ...result, own: own.length })}`)
    return {
      ...result,
      own: own.length,
      followed: followed.length,
      sink: sink(),
      tracing: chain.relay.stats().tracing,
    }
  } finally {
    way.cut()
    await chain.stop()
  }
}

function page(rows, faults) {
  const cost = rows.map(
    ({ name, iops, ratio, p50, p99, spans }) =>
      `| ${name} | ${number(iops)} | ${ratio.toFixed(3)} | ${number(p50)} | ${number(p99)} | ${number(spans)} |`,
  )
  return `# The chain under load
Written by \`npm run load:rados\`. ${cpus()[0].model}, ${availableParallelism()} CPUs, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux, Node ${process.version}. All
of it shares this machine: fio, block store, monitor, two OSDs that keep their objects in memory, relay, Zipkin.

## What tracing costs
fio writes 4 KiB at random places at depth 8 for ${SECONDS} s, ${ROUNDS} times each mode in turn. Medians; the ratio is to the run that is not traced of
the same round. In the traced modes a relay assembles and stores the spans, and the OSDs are asked for theirs.

| traced | writes a second | ratio | latency, us: p50 | p99 | spans, a second of warm-up included |
| --- | ---: | ---: | ---: | ---: | ---: |
${cost.join('\n')}

## With servers away
fio writes ${number(faults.ios / FAULT_SECONDS)} times a second for ${FAULT_SECONDS} s, every request is traced. The way to Zipkin is cut for ${AWAY_SECONDS} s; meanwhile one of the two
OSDs stops and starts again.

| | |
| --- | ---: |
| writes of fio, none of which failed | ${number(faults.ios)} |
| the longest that one took, ms | ${number(faults.worst)} |
| traces of writes in the relay | ${number(faults.here)} |
| ... that hold every span of the block store | ${number(faults.own)} |
| ... of which an OSD at least told too | ${number(faults.followed)} |
| ... that are not in Zipkin span by span | ${faults.missing} |
| ... that have a span twice | ${faults.twice} |
| spans delivered to Zipkin | ${number(faults.sink.delivered)} of ${number(faults.sink.offered)} |
| spans dropped or refused | ${faults.sink.dropped + faults.sink.refused + faults.tracing.refused} |

What an OSD did just before it stopped it cannot be asked for any more: it forgets what it has not been asked for.
`
}

await ensureSetup({ debian: [...cephPackages, 'fio', 'default-jre-headless', 'maven'] })
const why = whyNoCeph() ?? whyNoZipkin()
if (why !== undefined) throw new Error(`there is no chain without real servers: ${why}`)
await rm(folder, { recursive: true, force: true })
await mkdir(folder, { recursive: true })
const ceph = await startCeph(2)
let zipkin
try {
  zipkin = await startZipkin()
  const faults = await withFaults(ceph, zipkin)
  await zipkin.stop()
  const text = page(await measure(ceph), faults)
  await writeFile(join(root, 'docs/load.md'), text)
  process.stdout.write(text)
} finally {
  await zipkin?.stop()
  await ceph.stop()
}
