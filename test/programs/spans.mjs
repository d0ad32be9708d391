// test/programs/spans.mjs: spans of one request over await, timers, callbacks and a Worker, for trace-spans.test.ts.
// Prints the ids of the root and what status() counts.
import { execFile } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { setImmediate as immediately, setTimeout as later } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { flush, provider, status, t, trace } from 'blkin'

const { note } = provider('app', { note: { fields: { where: t.string } } })

async function request() {
  const root = trace.start('request', {
    kind: 'server',
    remote: { service: 'shop', address: '10.0.0.9', port: 4711 },
  })
  note({ where: 'outside' })
  await trace.run(root, async () => {
    note({ where: 'run' })
    root.annotate('queued')
    root.tag('object', 'volume-07/ünïcode')
    root.tag('bytes', 4096)
    root.tag('cached', false)
    root.tag('big', 2n ** 64n)
    await immediately()
    child('await')
    await later(1)
    child('timer')
    await new Promise((resolve) => {
      process.nextTick(() => {
        child('tick')
        resolve()
      })
    })
    await new Promise((resolve) => execFile('true', () => resolve(child('callback'))))
    const inner = trace.start('inner')
    await trace.run(inner, () =>
      Promise.all([1, 2].map(async (n) => later(n).then(() => child(`parallel${n}`)))),
    )
    inner.end()
    child('behind')
    const far = trace.start('far', { kind: 'client' })
    const header = Buffer.alloc(24)
    far.pack(header)
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { header, headers: far.inject({}, 'traceparent') },
    })
    await once(worker, 'exit')
    far.end()
  })
  // Another request at the same time sees nothing of it.
  child('root of its own')
  const emitter = new EventEmitter()
  trace.run(root, () => emitter.on('x', () => child('listener')))
  emitter.emit('x') // a listener runs where it is called
  root.end()
  root.end()
  root.annotate('late')
  root.tag('late', 1)
  console.log(
    JSON.stringify({
      traceId: root.traceId,
      spanId: root.spanId,
      spans: status().spans,
      stored: await flush(),
    }),
  )
}

function child(name) {
  note({ where: name })
  const span = trace.start(name)
  span.end()
}

if (isMainThread) await request()
else {
  trace.unpack(workerData.header).start('worker, packed', { kind: 'server' }).end()
  const span = trace.extract(workerData.headers, 'traceparent').start('worker, headers', { kind: 'server' })
  trace.run(span, () => child('in the worker'))
  span.end()
  parentPort.close()
}
