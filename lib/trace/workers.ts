// lib/trace/workers.ts: a Worker begins in the span in which it was started. Node.js tells of new Workers through
// diagnostics_channel, and the addon keeps the context until the Worker asks: nothing of the program's is touched. What a
// Worker does for a message is in no span, since messages come from everywhere; they may bring a context of their own.
import { subscribe } from 'node:diagnostics_channel'
import { isMainThread, threadId, type Worker } from 'node:worker_threads'
import { elsewhere } from '../copies.js'
import { native } from '../native.js'
import { currentHandle, enter } from './current.js'
import { passing } from './remote.js'
import { WireContext } from './wire.js'

/** Of this thread, as the package is loaded: what the script that loads it starts from then on is in that span. */
export function beginInStarter(): void {
  if (native === undefined || elsewhere !== undefined) return
  subscribe('worker_threads', handOver)
  if (isMainThread) return
  const text = native.takeOver(threadId)
  if (text !== undefined) enter(passing(WireContext.of(JSON.parse(text))))
}

/** In the thread that starts it, before it runs. */
function handOver(message: unknown): void {
  const context = currentHandle()?.context()
  if (context === undefined) return
  native?.handOver((message as { worker: Worker }).worker.threadId, JSON.stringify(context))
}
