// test/matrix/program.mjs: the traced program of the crash matrix. Its threads (0: the main one, others Workers) emit numbered events, and each
// writes before and after every emit, into a file that outlives the process, which one it is (oracle.ts reads it). MATRIX: JSON of
// { oracle, relay, mode, ack, pace }. Orders come as lines on stdin: `go`, `stop` (deliver all, tell, end) and others, below.
import { closeSync, openSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { flush, openSession, provider, status, t } from 'blkin'

const { oracle, relay, mode, ack, pace } = JSON.parse(process.env.MATRIX)
const WORKERS = 2
const BATCH = 20
const [GO, STOP, THROW, EXIT] = [0, 1, 2, 3] // of Workers

const file = openSync(oracle, 'r+')
const number = Buffer.alloc(4)

/** The oracle has two numbers a thread: how many emits began, and how many ended. */
function note(thread, which, count) {
  number.writeUInt32LE(count)
  writeSync(file, number, 0, 4, thread * 8 + which * 4)
}

const texts = Array.from({ length: 97 }, (_, i) => 'x'.repeat(i))

/** Not before `go`: with the first declaration a process begins to make its folder. */
const declare = () =>
  provider('matrix', { event: { fields: { thread: t.u8, n: t.u32, text: t.string } } }).event

async function emit(thread, event, order) {
  for (let n = 0; order() === GO; ) {
    for (const end = n + BATCH; n < end; n++) {
      note(thread, 0, n + 1)
      event({ thread, n, text: texts[n % texts.length] })
      note(thread, 1, n + 1)
    }
    await sleep(pace === 'pauses' ? 300 : 2)
  }
}

if (isMainThread) await main()
else {
  const orders = new Int32Array(workerData.orders)
  const { thread } = workerData
  await emit(thread, declare(), () => Atomics.load(orders, thread))
  if (orders[thread] === THROW) throw new Error('thrown by a Worker')
  if (orders[thread] === EXIT) process.exit(0)
}

async function main() {
  const orders = new Int32Array(new SharedArrayBuffer(4 * (1 + WORKERS)))
  const workers = []
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  const next = async () => (await lines.next()).value
  console.log('loaded')
  await next()
  const event = declare()
  openSession('matrix', { relay, mode, ack, buffer: '4x16K' }).enable('matrix:*')
  for (let thread = 1; thread <= WORKERS; thread++) {
    const worker = new Worker(new URL(import.meta.url), { workerData: { thread, orders: orders.buffer } })
    worker.on('error', () => {})
    workers.push({ worker, exit: new Promise((done) => worker.on('exit', done)) })
  }
  const emitting = emit(0, event, () => orders[0])
  for (;;) {
    const order = await next()
    if (order === 'stop') break
    else await obey(order, orders, workers)
  }
  orders.fill(STOP)
  await Promise.all([emitting, ...workers.map(({ exit }) => exit)])
  while (!(await flush(1000)));
  const { lost } = status().sessions.find(({ name }) => name === 'matrix')
  console.log(JSON.stringify({ lost, bytes: process.resourceUsage().maxRSS * 1024 }))
  process.stdin.destroy()
}

async function obey(order, orders, workers) {
  if (order === 'exit') process.exit(0)
  if (order === 'abort') process.abort()
  if (order === 'throw') setImmediate(() => { throw new Error('thrown') }) // biome-ignore format: one line
  if (order === 'reject') Promise.reject(new Error('rejected'))
  if (order === 'setuid') process.setuid('nobody')
  if (order === 'descriptors') await withoutDescriptors()
  if (order === 'block') for (const end = performance.now() + 500; performance.now() < end; );
  if (order === 'worker terminate') await workers[0].worker.terminate()
  if (order === 'worker throw') orders[1] = THROW
  if (order === 'worker exit') orders[1] = EXIT
  if (order.startsWith('worker')) await workers[0].exit
  console.log(`done: ${order}`)
}

/** Takes all that are left, for a while. */
async function withoutDescriptors() {
  const taken = []
  for (let turn = 0; turn < 20; turn++) {
    try {
      for (;;) taken.push(openSync('/dev/null'))
    } catch {}
    await sleep(10)
  }
  taken.forEach(closeSync)
}
