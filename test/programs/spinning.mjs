// test/programs/spinning.mjs WORKERS: blocks its event loop, and those of so many Workers, for ever, and emits all the while
// some ten thousand events a second in each. Says "blocked" once all are. What each thread emits is numbered without a
// gap, also while it is off, and tells when it was emitted.
import { writeSync } from 'node:fs'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { provider, t } from 'blkin'

const { e } = provider('spinning', { e: { fields: { thread: t.u8, n: t.u32, ns: t.u64 } } })

if (isMainThread) {
  const workers = Number(process.argv[2] ?? 0)
  for (let thread = 1; thread <= workers; thread++) {
    const worker = new Worker(new URL(import.meta.url), { workerData: thread })
    await new Promise((resolve) => worker.on('message', resolve))
  }
  writeSync(1, 'blocked\n')
} else {
  parentPort.postMessage('ready')
}
for (let n = 0; ; n++) {
  e({ thread: workerData ?? 0, n, ns: Number(process.hrtime.bigint()) })
  const until = performance.now() + 0.1
  while (performance.now() < until);
}
