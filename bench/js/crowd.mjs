// bench/js/crowd.mjs THREADS: Workers that each emit a few events, and stay; with BLKIN_RING=thread each has a ring of its own, as each
// processor has otherwise. Says when all did; ends with its stdin.
import { writeSync } from 'node:fs'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { enable, provider, t } from '../../dist/index.js'

const { tick } = provider('crowd', { tick: { fields: { n: t.u32 } } })
if (isMainThread) {
  enable('crowd:*')
  for (let i = 0; i < Number(process.argv[2]); i++) {
    const worker = new Worker(new URL(import.meta.url), { workerData: i })
    await new Promise((resolve) => worker.once('message', resolve))
  }
  writeSync(1, 'ready\n')
  process.stdin.resume().on('end', () => process.exit())
} else {
  for (let n = 0; n < 10; n++) tick({ n: workerData + n })
  parentPort.postMessage('done')
  parentPort.on('message', () => {}) // so that it stays
}
