// test/programs/burst.mjs COUNT END [WORKERS]: emits COUNT events in each of WORKERS threads (0: here alone), then ends in
// the way END: natural, exit, throw, reject, kill, beforeExit, flush. Before the end, on `process.exit`, it prints how
// many were emitted and lost. What the threads emit they count in shared memory, one slot each.
import { writeSync } from 'node:fs'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { flush, provider, status, t } from 'blkin'

const { burst } = provider('burst', {
  burst: { fields: { thread: t.u8, n: t.u32, text: t.string, list: t.array(t.u16, 2) } },
})

function emit(thread, count, counts) {
  for (let n = 0; n < count; n++) {
    burst({ thread, n, text: `event ${n}`, list: [n, n + 1] })
    counts[thread]++
  }
}

if (!isMainThread) {
  emit(workerData.thread, workerData.count, new Uint32Array(workerData.shared))
} else {
  const [count, end, workers] = [Number(process.argv[2]), process.argv[3], Number(process.argv[4] ?? 0)]
  const shared = new SharedArrayBuffer(4 * (workers + 1))
  const counts = new Uint32Array(shared)
  const tell = () => {
    const emitted = counts.reduce((sum, one) => sum + one, 0)
    writeSync(1, `${JSON.stringify({ emitted, lost: status().lost, uuid: status().uuid })}\n`)
  }
  if (end !== 'kill') process.on('exit', tell)
  if (end === 'beforeExit') process.once('beforeExit', () => emit(0, count, counts))
  const threads = Array.from({ length: workers }, (_, i) => {
    const data = { thread: i + 1, count, shared }
    return new Promise((done) => new Worker(new URL(import.meta.url), { workerData: data }).on('exit', done))
  })
  if (workers === 0) emit(0, count, counts)
  else await Promise.all(threads)
  if (end === 'exit') process.exit(0)
  if (end === 'throw') throw new Error('uncaught')
  if (end === 'reject') Promise.reject(new Error('unhandled'))
  if (end === 'flush') await flush()
  if (end === 'kill') {
    tell()
    process.kill(process.pid, 'SIGKILL')
  }
}
