// lib/trace/current.ts: which span this thread is in: carried by AsyncLocalStorage across await, timers and callbacks.
// Nothing is carried, and nothing of async_hooks runs, before the first run().
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Handle } from './handle.js'

const storage = new AsyncLocalStorage<Handle | undefined>()

export function currentHandle(): Handle | undefined {
  return storage.getStore()
}

export function runIn<T>(handle: Handle | undefined, work: () => T): T {
  return storage.run(handle, work)
}

/** From here to the end of this callback and in what it starts: for a Worker's beginning, which nothing wraps. */
export function enter(handle: Handle | undefined): void {
  storage.enterWith(handle)
}
