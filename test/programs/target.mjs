// test/programs/target.mjs PACKAGE: what every target's addon must do, for targets.test.ts: emits from the main thread and
// from Workers, is refused by native code, and prints how it was traced.
import { once } from 'node:events'
import { isMainThread, Worker, workerData } from 'node:worker_threads'

const home = isMainThread ? process.argv[2] : workerData.home
const { flush, isNative, loadError, openSession, provider, status, t } = await import(`${home}/dist/index.js`)
const EVENTS = 500 // of each thread

const { all } = provider('target', {
  all: {
    fields: {
      thread: t.u32,
      number: t.u32,
      wide: t.u64,
      signed: t.i64,
      real: t.f64,
      kind: t.enum(['read', 'write']),
      text: t.string,
      list: t.sequence(t.u16),
    },
  },
})

function emit(thread) {
  for (let number = 0; number < EVENTS; number++) {
    all({
      thread,
      number,
      wide: 2n ** 64n - 1n - BigInt(number),
      signed: -BigInt(number),
      real: number / 8,
      kind: number % 2 === 0 ? 'read' : 'write',
      text: `é${number}`,
      list: Uint16Array.of(number, 65535),
    })
  }
}

/** The exception that C++ throws through node-addon-api. */
function refused() {
  try {
    openSession('default')
  } catch (error) {
    return error.code
  }
}

if (isMainThread) {
  emit(0)
  const workers = [1, 2].map(
    (thread) => new Worker(new URL(import.meta.url), { workerData: { home, thread } }),
  )
  await Promise.all(workers.map((worker) => once(worker, 'exit')))
  const delivered = await flush(15_000)
  const { lost, buffers } = status()
  const answer = {
    arch: process.arch,
    isNative,
    why: loadError?.message,
    delivered,
    lost,
    buffers,
    code: refused(),
  }
  console.log(JSON.stringify(answer))
} else {
  emit(workerData.thread)
}
