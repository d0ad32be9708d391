#!/usr/bin/env node
// scripts/demo-rados.mjs: `npm run demo:rados`: the chain of the BlkKin thesis on real servers. A QEMU guest and QEMU's tools
// use the block store of examples/blockstore, which keeps its objects in a RADOS cluster; what it and the cluster's OSDs
// did for a request is one trace, which a relay hands on to a Zipkin server by Scribe.
// `--picture FILE.png` has Chromium take a picture of that trace in Zipkin. Progress goes to stderr, the report to stdout.
import { mkdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { cephPackages, startCeph, whyNoCeph } from './lib/ceph.mjs'
import { startChain } from './lib/chain.mjs'
import { fioInGuest, guestPackages, whyNoGuest } from './lib/guest.mjs'
import { mustRun, root, seconds } from './lib/run.mjs'
import { startZipkin, whyNoZipkin } from './lib/zipkin.mjs'
import { ensureSetup } from './setup.mjs'

const folder = join(root, 'build/demo-rados')
const blkin = join(root, 'dist/cli/main.js')
const say = (line) => process.stderr.write(`demo: ${line}\n`)
/** Half of it lies in one object of the disk, half in the next. */
const write = { offset: 3584 << 10, length: 1 << 20 }

async function step(title, work) {
  const start = performance.now()
  const result = await work()
  say(`${title} (${seconds(performance.now() - start)})`)
  return result
}

/** The same question until the answer will do. */
async function eventually(what, ask) {
  for (let tries = 0; tries < 300; tries++) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${what} did not come`)
}

async function getJson(url) {
  const response = await fetch(url)
  return response.ok ? response.json() : undefined
}

/** The trace of the write, once all of it is there: for each object five spans, from the block store and both OSDs. */
function findWrite(url) {
  const query = new URLSearchParams({ annotationQuery: `offset=${write.offset} and length=${write.length}` })
  return eventually('the trace of the write', async () => {
    const [trace] = (await getJson(`${url}/api/v2/traces?${query}`)) ?? []
    return trace?.length === 11 ? trace[0].traceId : undefined
  })
}

async function fromGuest(disk) {
  const job = { rw: 'randwrite', bs: '4k', iodepth: 8, size: '16m', number_ios: 1000 }
  const { write: said } = await step('a QEMU guest booted, and its fio wrote to the disk', () =>
    fioInGuest(disk, job),
  )
  return said
}

async function main() {
  const { picture } = parseArgs({ options: { picture: { type: 'string' } } }).values
  const browser = picture === undefined ? [] : ['chromium']
  const others = ['qemu-utils', 'default-jre-headless', 'maven']
  await ensureSetup({ debian: [...cephPackages, ...guestPackages, ...others, ...browser] })
  const why = whyNoCeph() ?? whyNoZipkin()
  if (why !== undefined) throw new Error(`there is no chain without real servers: ${why}`)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })

  /** What to end, last things first. */
  const undo = []
  try {
    const begin = async (start) => {
      const server = await start
      undo.push(server.stop)
      return server
    }
    const [ceph, zipkin] = await step('a monitor and two OSDs of Ceph, and a Zipkin server run', async () => {
      const all = await Promise.allSettled([begin(startCeph(2)), begin(startZipkin())])
      const failed = all.find(({ status }) => status === 'rejected')
      if (failed !== undefined) throw failed.reason
      return all.map(({ value }) => value)
    })
    const chain = await startChain(folder, ceph, { sinks: { scribe: zipkin.scribe } })
    undo.push(chain.stop)
    say(`the block store serves ${chain.disk}, its objects are in the pool blk`)

    const noGuest = whyNoGuest()
    if (noGuest !== undefined) say(`no guest: ${noGuest}`)
    const said = noGuest === undefined ? await fromGuest(chain.disk) : undefined
    const command = `write -P 0x5a ${write.offset} ${write.length}`
    await step('qemu-io wrote 1 MiB', () =>
      mustRun('qemu-io', ['-t', 'writeback', '-f', 'raw', chain.disk, '-c', command]),
    )
    const id = await step('its trace came', () => findWrite(chain.url))
    console.log('One write of 1 MiB by qemu-io over two objects, each on two OSDs\n')
    console.log(await mustRun(process.execPath, [blkin, 'trace', id, '--http', chain.url]))

    const there = await eventually(`trace ${id} in the Zipkin server`, async () => {
      const spans = await getJson(`${zipkin.url}/api/v2/trace/${id}`)
      return spans?.length === 11 ? spans : undefined
    })
    const services = [...new Set(there.map(({ localEndpoint }) => localEndpoint.serviceName))].sort()
    console.log(
      `The Zipkin server has trace ${id} too, by Scribe: ${there.length} spans of ${services.join(', ')}.`,
    )
    if (picture !== undefined) await take(resolve(picture), `${zipkin.url}/zipkin/traces/${id}`)

    if (said !== undefined) await reportGuest(chain, said, id)
  } finally {
    for (let end = undo.pop(); end !== undefined; end = undo.pop()) await end()
  }
}

/** What of the guest's requests became traces. Its kernel may have joined some of fio's. */
async function reportGuest({ url, relay }, said, other) {
  const query = new URLSearchParams({ serviceName: 'blockstore', spanName: 'write', limit: '10000' })
  const traces = (await getJson(`${url}/api/v2/traces?${query}`)).filter(([{ traceId }]) => traceId !== other)
  const roots = traces.map((trace) => trace.find((span) => !span.parentId))
  const durations = roots.map(({ duration }) => duration).sort((a, b) => a - b)
  const bytes = roots.reduce((sum, { tags }) => sum + Number(tags.length), 0)
  if (bytes !== said.io_bytes)
    throw new Error(`the guest wrote ${said.io_bytes} bytes, traces tell of ${bytes}`)
  const { received, stored, refused, sinks } = relay.stats().tracing
  const joined = traces.length < said.total_ios ? ' (its kernel joined some)' : ''
  console.log(
    `\nThe guest's fio wrote ${said.total_ios} times, ${bytes} bytes: ${traces.length} traces tell of them${joined}, ` +
      `${durations[durations.length >> 1]} us at the median from request to reply.\n` +
      `All in all ${received} spans came to the relay, ${stored} are stored, ${refused} refused, ` +
      `${sinks[0].delivered} delivered to Zipkin and ${sinks[0].dropped} dropped.`,
  )
}

async function take(file, url) {
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--window-size=1500,720']
  await mustRun('chromium', [...flags, '--virtual-time-budget=20000', `--screenshot=${file}`, url])
  say(`a picture of ${url} is in ${file}`)
}

await main().catch((error) => {
  process.stderr.write(`demo: ${error.message}\n`)
  process.exitCode = 1
})
