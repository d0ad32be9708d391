// relay/src/thread/worker.ts: the thread that assembles and stores spans and answers Zipkin's API: tracing.ts, beside the relay's own
// thread. tracing-thread.ts starts it and is the other end of its port.

import { type MessagePort, workerData } from 'node:worker_threads'
import { beNiceHere, NICEST, niceHere } from '../common/priority.js'
import type { Reject } from '../common/rejections.js'
import { Progress } from '../pipeline/progress.js'
import type { FromWorker, OwnCounts, ToWorker, WorkerData } from './messages.js'
import { Snapshot } from './snapshot.js'
import type { Tracing } from './tracing.js'
import type { Counted } from './tracing-thread.js'

const { output, options, tokens, version, snapshot, progress, port } = workerData as WorkerData & {
  port: MessagePort
}
const usual = niceHere()
/** Nobody waits for what is assembled, but who decides on it, and who asks. */
const nice = options.alerts === undefined && options.sample === undefined ? NICEST : usual
const counted = Snapshot.of<Counted>(snapshot)
const questions = new Map<number, (own: OwnCounts) => void>()
let asked = 0
/** Spans by Scribe, batch by batch. */
let scribed: Promise<void> = Promise.resolve()

const say = (what: FromWorker) => port.postMessage(what)

const rejections = {
  log: (line: string) => say({ kind: 'log', line }),
  reject: (...[what, reason, message, more = {}]: Parameters<Reject>) =>
    say({ kind: 'reject', what, reason, message, more }),
}

function ask(): Promise<OwnCounts> {
  const question = asked++
  const answered = new Promise<OwnCounts>((resolve) => questions.set(question, resolve))
  say({ kind: 'ask', question })
  return answered
}

const context = {
  ...{ tokens, version, rejections, ask, progress: new Progress(progress) },
  hurry: (isHurried: boolean) => void beNiceHere(isHurried ? usual : nice),
}

async function hear(tracing: Tracing, message: ToWorker): Promise<void> {
  const { pipeline } = tracing
  if (message.kind === 'notes') pipeline.recorded.note(message.notes)
  else if (message.kind === 'answer') {
    questions.get(message.question)?.(message.own)
    questions.delete(message.question)
  } else if (message.kind === 'scribed') {
    const { spans } = message
    scribed = scribed.then(async () => {
      while (!pipeline.takeScribed(spans)) await pipeline.store.writer.flush()
      context.progress.scribed += spans.length
      pipeline.changed()
    })
  } else {
    context.hurry(true)
    await scribed
    await tracing.close()
    pipeline.changed()
    say({ kind: 'closed' })
    port.close()
  }
}

try {
  beNiceHere(nice)
  const { Tracing } = await import('./tracing.js') // here, so that it is told where a package of its is missing
  const tracing = await Tracing.open(output, options, context)
  const { pipeline } = tracing
  pipeline.changed = () => counted.write({ stats: pipeline.stats(), waiting: pipeline.store.writer.held })
  pipeline.changed()
  port.on('message', (message: ToWorker) => void hear(tracing, message))
  say({ kind: 'ready', httpAddress: tracing.http?.address })
} catch (error) {
  const { name, message, code } = error as NodeJS.ErrnoException
  say({ kind: 'failed', name, message, code })
  port.close()
}
