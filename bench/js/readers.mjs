// bench/js/readers.mjs: two tracepoints, hit so many times by the main thread and by a Worker: what bench/readers.mjs records.
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { provider, t } from 'blkin'

const ops = ['read', 'write', 'flush', 'trim']
const blk = provider('blockstore', {
  request: { fields: { op: t.enum(ops), offset: t.u64, length: t.u32, handle: t.u64, volume: t.string } },
  done: { fields: { handle: t.u64, us: t.f64, error: t.i32 } },
})
const pairs = isMainThread ? Number(process.argv[2]) / 4 : workerData
if (isMainThread) new Worker(new URL(import.meta.url), { workerData: pairs })
for (let i = 0; i < pairs; i++) {
  const length = 4096 * (1 + (i % 16))
  blk.request({ op: ops[i & 3], offset: (i * 4096) % 1e12, length, handle: i, volume: `volume-${i % 8}` })
  blk.done({ handle: i, us: i / 7, error: i % 1000 === 0 ? -5 : 0 })
}
