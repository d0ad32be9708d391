// test/programs/terminate.mjs COUNT: starts COUNT Workers, one after the other and two at a time, and terminates each in
// the middle of its burst, some while they flush. Prints how many events they counted, each after it was emitted.
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { flush, provider, status, t } from 'blkin'

const { e } = provider('terminated', { e: { fields: { thread: t.u16, n: t.u32, text: t.string } } })

if (isMainThread) {
  const count = Number(process.argv[2])
  const shared = new SharedArrayBuffer(4 * count)
  const counts = new Int32Array(shared)
  const one = async (thread) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { thread, shared } })
    while (Atomics.load(counts, thread) < 100 + thread * 10)
      await new Promise((resolve) => setTimeout(resolve, 1))
    await worker.terminate()
  }
  for (let i = 0; i < count; i += 2) await Promise.all([one(i), one(i + 1)])
  await flush()
  console.log(JSON.stringify({ emitted: counts.reduce((sum, n) => sum + n, 0), lost: status().lost }))
} else {
  const { thread, shared } = workerData
  const counts = new Int32Array(shared)
  for (let n = 0; ; n++) {
    e({ thread, n, text: 'some text' })
    Atomics.add(counts, thread, 1)
    if (n % 64 === 0 && thread % 3 === 0) void flush(200)
  }
}
