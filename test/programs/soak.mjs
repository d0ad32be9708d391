// test/programs/soak.mjs OPTIONS: one traced program of the soak (scripts/soak.mjs). OPTIONS, as JSON: its `name`, the folder for its
// `counts`, how many `turns`, `seconds` for each, `workers` in each, and how it `end`s in the midst of the last one:
// exit, throw, kill; or wait, until others kill it, or a line on stdin ends it in order.
// A turn is a session of its own, opened and closed, with Workers that come and go. What each thread emits in it is counted in
// NAME.SESSION, a file which outlives any death: for each thread two u32, events begun and events done.
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { openSession, provider, t, trace } from 'blkin'

const { counted, switched } = provider('soak', {
  counted: { fields: { thread: t.u8, n: t.u32, text: t.string } },
  switched: { level: 'debug', fields: { n: t.u32, text: t.string } },
})
const slot = 8
const text = 'a text of some length'
/** An event that is counted and never emitted: test/soak/plant.mjs. */
const isPlanted = process.env.SOAK_PLANT === 'event'

/** Emits and counts, each event before and after. */
class Emitter {
  #file
  #thread
  #bytes = Buffer.alloc(4)
  #n = 0

  constructor(file, thread) {
    this.#file = file
    this.#thread = thread
  }

  burst(events) {
    for (let i = 0; i < events; i++) {
      this.#write(0, this.#n + 1)
      if (!isPlanted || this.#n !== 50) counted({ thread: this.#thread, n: this.#n, text })
      this.#write(4, ++this.#n)
    }
  }

  #write(at, value) {
    this.#bytes.writeUInt32LE(value)
    writeSync(this.#file, this.#bytes, 0, 4, this.#thread * slot + at)
  }
}

async function work({ file, thread, bursts }) {
  const emitter = new Emitter(file, thread)
  for (let i = 0; i < bursts; i++) {
    emitter.burst(10)
    await sleep(5)
  }
  if (thread % 2 === 0) process.exit() // of the Worker
}

/** Ends by itself after half of the turn; the third is terminated in the midst of it. */
async function withWorker(file, thread, seconds) {
  const bursts = thread % 3 === 0 ? Number.POSITIVE_INFINITY : seconds * 50
  const worker = new Worker(new URL(import.meta.url), { workerData: { file, thread, bursts } })
  const ended = new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
  if (bursts === Number.POSITIVE_INFINITY) {
    await sleep(seconds * 500)
    await worker.terminate()
  }
  await ended
}

function makeSpans(n) {
  const root = trace.start('request', { kind: 'server' })
  trace.run(root, () => {
    const child = trace.start('lookup')
    child.tag('n', n)
    child.end()
  })
  root.end()
}

let isOver = false

/** @param {(() => Promise<void>) | undefined} end what ends the process instead of the turn */
async function turn({ name, counts, seconds, workers, buffer, burst }, number, end) {
  const session = openSession(`turn-${number}`, { buffer })
  session.enable('soak:counted')
  const file = openSync(join(counts, `${name}.turn-${number}`), 'w')
  writeSync(file, Buffer.alloc(slot * (workers + 1)))
  const emitter = new Emitter(file, 0)
  const threads = Array.from({ length: workers }, (_, i) => withWorker(file, i + 1, seconds))
  const until = performance.now() + seconds * 1000
  for (let tick = 0; performance.now() < until && !isOver; tick++) {
    emitter.burst(burst)
    switched({ n: tick, text })
    makeSpans(tick)
    if (tick === 40) session.change({ buffer: buffer === '4x64K' ? '2x32K' : '4x64K' })
    await sleep(10)
  }
  if (end !== undefined) return end()
  await Promise.all(threads)
  if (!(await session.close(600_000)))
    throw new Error(`${name} turn-${number}: not all was delivered in ten minutes`)
  closeSync(file)
}

const ends = {
  exit: () => process.exit(0),
  throw: () => {
    throw new Error('thrown on purpose')
  },
  kill: () => process.kill(process.pid, 'SIGKILL'),
}

if (isMainThread) {
  const options = JSON.parse(process.argv[2])
  process.stdin.once('data', () => {
    isOver = true
    process.stdin.destroy()
  })
  process.stdin.unref?.()
  for (let i = 0; i < options.turns && !isOver; i++) {
    await turn(options, i, i === options.turns - 1 ? ends[options.end] : undefined)
    if (options.heap) process.stdout.write(`${JSON.stringify(process.memoryUsage())}\n`)
  }
} else await work(workerData)
