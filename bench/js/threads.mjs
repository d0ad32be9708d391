// bench/js/threads.mjs: tracepoints in Worker threads that emit at once. "go THREADS EVENTS" in; out, as JSON: how long it took until
// all had emitted their EVENTS, and the processor time of the process meanwhile. Into a session in memory, in overwrite mode: what is
// measured is who writes, and not who reads.
import { once } from 'node:events'
import { readSync, writeSync } from 'node:fs'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { openSession, provider, t } from '../../dist/index.mjs'

const { ints } = provider('threads', { ints: { fields: { a: t.u32, b: t.u32, c: t.u32 } } })

function emit(count) {
  let x = count >>> 0
  for (let i = 0; i < count; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0
    ints({ a: x, b: i, c: 4096 })
  }
}

/** In a Worker: warms up, says so, waits until all may, emits, says so. */
async function serveWorker() {
  for (let i = 0; i < 30; i++) emit(10_000)
  parentPort.on('message', (count) => {
    Atomics.wait(workerData, 0, 0)
    emit(count)
    parentPort.postMessage('done')
  })
  parentPort.postMessage('ready')
}

async function run(threads, count) {
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL(import.meta.url), { workerData: gate }),
  )
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const done = workers.map((worker) => once(worker, 'message'))
  for (const worker of workers) worker.postMessage(count)
  await new Promise((resolve) => setTimeout(resolve, 20)) // all wait at the gate
  const used = process.cpuUsage()
  const start = performance.now()
  Atomics.store(gate, 0, 1)
  Atomics.notify(gate, 0)
  await Promise.all(done)
  const took = performance.now() - start
  const { user, system } = process.cpuUsage(used)
  await Promise.all(workers.map((worker) => worker.terminate()))
  const events = threads * count
  return { threads, perSecond: events / (took / 1000), cpuNs: ((user + system) * 1000) / events }
}

async function serveMain() {
  openSession('threads', { relay: null, mode: 'overwrite' }).enable('threads:*')
  const line = Buffer.alloc(256)
  for (;;) {
    const got = readSync(0, line)
    if (got === 0) return
    const [, threads, count] = line.toString('latin1', 0, got).trim().split(' ').map(Number)
    writeSync(1, `${JSON.stringify(await run(threads, count))}\n`)
  }
}

await (isMainThread ? serveMain() : serveWorker())
