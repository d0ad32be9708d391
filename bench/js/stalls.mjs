// bench/js/stalls.mjs: single calls from JavaScript timed each by itself, as a program sees them: with the collector, the JIT, and the clock
// that it has. The protocol and the load are those of bench/stalls/serve.h: "NAME THREADS MS" in, a line of JSON out; each thread is a
// Worker. At the end of input it says what was emitted, and what became of it.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { enable, flush, provider, status, t } from '../../dist/index.mjs'
import { bucketCount, bucketOf } from '../lib/histogram.mjs'

const burst = 500
const sumOf = (counts) => counts.reduce((sum, count) => sum + count, 0)
let emitted = 0
const { ints } = provider('stalls', { ints: { fields: { a: t.u32, b: t.u32, c: t.u32 } } })

/** A loop of its own for each, so that none is megamorphic for the other. */
const loopAround = (call) =>
  new Function(
    ...['ints', 'bucketOf', 'counts', 'ms', 'burst'],
    `let [i, x, next] = [0, 1, performance.now()]
     const end = next + ms
     while (next < end) {
       for (let k = 0; k < burst; k++, i++) {
         x = (Math.imul(x, 1664525) + 1013904223) >>> 0
         const start = performance.now()
         ${call}
         counts[bucketOf((performance.now() - start) * 1e6)]++
       }
       next = Math.max(next + 1, performance.now())
       while (performance.now() < next);
     }
     return i`,
  )
const calls = { ints: 'ints({ a: x, b: i, c: 4096 })', nothing: '' }

if (!isMainThread) {
  const { name, ms, shared } = workerData
  const loop = loopAround(calls[name])
  parentPort.postMessage(loop(ints, bucketOf, new Uint32Array(bucketCount), 300, burst)) // V8 has made its code by then
  await once(parentPort, 'message')
  parentPort.postMessage(loop(ints, bucketOf, new Uint32Array(shared), ms, burst))
  parentPort.close()
} else await serve()

async function run(name, threads, ms) {
  const all = Array.from({ length: threads }, () => {
    const shared = new SharedArrayBuffer(bucketCount * 4)
    return { shared, worker: new Worker(new URL(import.meta.url), { workerData: { name, ms, shared } }) }
  })
  const warm = await Promise.all(all.map(({ worker }) => once(worker, 'message')))
  const done = all.map(({ worker }) => once(worker, 'message'))
  for (const { worker } of all) worker.postMessage('go')
  const counts = await Promise.all(done)
  await Promise.all(all.map(({ worker }) => worker.terminate()))
  const buckets = all.flatMap(({ shared }) =>
    [...new Uint32Array(shared).entries()].filter(([, count]) => count > 0),
  )
  const calls = sumOf(counts.flat())
  if (name === 'ints') emitted += calls + sumOf(warm.flat())
  return { calls, buckets }
}

async function serve() {
  enable('stalls:*')
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, threads, ms] = line.split(' ')
    process.stdout.write(`${JSON.stringify(await run(name, Number(threads), Number(ms)))}\n`)
  }
  await flush(30_000)
  const { relay, lost } = status()
  const account = { emitted, recorded: relay.acknowledged, lost: sumOf(Object.values(lost)) }
  process.stdout.write(`${JSON.stringify(account)}\n`)
}
