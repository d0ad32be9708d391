// test/programs/workers.mjs: what is current in Workers, for trace-workers.test.ts. Each Worker posts the trace and span that
// its spans are below, by where they were started; the main thread prints all by the Worker's name.
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { openSession, trace } from 'blkin'

/** What a span that starts here would hang on. */
function below() {
  const headers = trace.start('x').inject({}, 'b3')
  const [traceId, , decision, parent = 'none'] = (headers.b3 ?? 'nothing').split('-')
  return decision === undefined ? traceId : `${traceId} ${parent}`
}

async function start(name) {
  const worker = new Worker(new URL(import.meta.url), { workerData: name })
  const told = once(worker, 'message')
  const [answer] = await told
  worker.postMessage('for the message')
  const [message] = await once(worker, 'message')
  return { ...answer, message }
}

async function work() {
  const answer = { top: below() }
  await null
  answer.await = below()
  await new Promise((resolve) => setTimeout(resolve, 1))
  answer.timer = below()
  if (workerData === 'nested') answer.inner = await trace.run(trace.start('own'), () => start('inner'))
  parentPort.postMessage(answer)
  parentPort.once('message', () => parentPort.postMessage(below()))
}

if (isMainThread) {
  openSession('workers', { relay: null, mode: 'overwrite' }).enable('blkin:*')
  const span = trace.start('request')
  const all = { span: `${span.traceId} ${span.spanId}`, outside: await start('outside') }
  all.inside = await trace.run(span, () => start('inside'))
  all.nested = await trace.run(span, () => start('nested'))
  const against = trace.extract({ b3: '0' }, 'b3').start('against')
  all.against = await trace.run(against, () => start('against'))
  console.log(JSON.stringify(all))
} else await work()
