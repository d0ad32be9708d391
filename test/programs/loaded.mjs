// test/programs/loaded.mjs TRACEPOINTS WORKERS: emits in turn as many different tracepoints as it is told, in the main
// thread and so many Workers, in bursts that leave no CPU idle, until a line comes on stdin. Then it stops, flushes, and
// prints how many events each thread emitted and its status. What each line on stdin before says (`open {...}`,
// `change NAME {...}`, `close NAME`) is done to its sessions, without a pause of the emitting.
import { createInterface } from 'node:readline'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { flush, openSession, provider, status, t } from 'blkin'

const levels = ['err', 'warning', 'info', 'debug']
const [tracepoints, workers] = isMainThread ? process.argv.slice(2).map(Number) : workerData.sizes
const fields = { thread: t.u8, n: t.u32, k: t.u16, text: t.string }
const events = Object.fromEntries(
  Array.from({ length: tracepoints }, (_, k) => [`e${k}`, { level: levels[k % 4], fields }]),
)
// Made once: what the emitting itself leaves to the collector would hide what else grows.
const texts = Array.from({ length: tracepoints }, (_, k) => `text ${k}`)
const all = Object.values(provider('loaded', events))
const shared = isMainThread ? new SharedArrayBuffer(4 * (workers + 2)) : workerData.shared
const counts = new Uint32Array(shared) // and last, whether to stop
const stopped = () => Atomics.load(counts, workers + 1) !== 0

function burst(thread) {
  for (let i = 0; i < 100; i++) {
    const n = counts[thread]
    const k = n % tracepoints
    all[k]({ thread, n, k, text: texts[k] })
    counts[thread] = n + 1
  }
  const until = performance.now() + 1
  while (performance.now() < until);
}

if (isMainThread) {
  const threads = Array.from({ length: workers }, (_, i) => {
    const data = { thread: i + 1, sizes: [tracepoints, workers], shared }
    return new Promise((done) => new Worker(new URL(import.meta.url), { workerData: data }).on('exit', done))
  })
  const sessions = new Map()
  const closed = []
  createInterface({ input: process.stdin }).on('line', (line) => {
    const [verb, name, options] = line.split(' ')
    if (verb === 'open') {
      sessions.set(name, openSession(name, JSON.parse(options)))
      sessions.get(name).enable('*:*')
    } else if (verb === 'change') sessions.get(name).change(JSON.parse(options))
    else if (verb === 'close') closed.push(sessions.get(name).close())
    else Atomics.store(counts, workers + 1, 1)
    console.log(`done ${line}`)
  })
  // What is measured from here on is a program all of whose threads emit, and have their rings.
  while (counts.subarray(0, workers + 1).includes(0)) {
    burst(0)
    await new Promise(setImmediate)
  }
  console.log('ready')
  while (!stopped()) {
    burst(0)
    await new Promise(setImmediate)
  }
  await Promise.all(threads)
  const delivered = (await Promise.all([flush(20_000), ...closed])).every(Boolean)
  console.log(JSON.stringify({ emitted: [...counts.slice(0, workers + 1)], delivered, status: status() }))
  process.stdin.destroy()
} else {
  while (!stopped()) burst(workerData.thread)
}
