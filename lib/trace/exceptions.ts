// lib/trace/exceptions.ts: exceptions that nobody catches, told in the span that they end: of a handler that throws, and of
// an async one whose promise rejects. The monitor is Node's own: it changes nothing of what becomes of the process.
import { currentHandle, runIn } from './current.js'
import { tellFailure } from './failure.js'
import type { Handle } from './handle.js'

/** The span in which something is being thrown, until somebody catches it. */
let throwing: Handle | undefined

const forget = () => {
  throwing = undefined
}

/** As runIn. By `finally`: an exception that is caught and thrown again would be shown as thrown here. */
export function runNoting<T>(handle: Handle | undefined, work: () => T): T {
  let returned = false
  try {
    const result = runIn(handle, work)
    returned = true
    return result
  } finally {
    if (!returned) {
      throwing = handle
      queueMicrotask(forget)
    }
  }
}

function tell(error: unknown): void {
  const span = throwing ?? currentHandle()
  if (span?.enabled) tellFailure(span, error)
}

/** @returns what ends it */
export function monitorExceptions(): () => void {
  process.on('uncaughtExceptionMonitor', tell)
  return () => void process.off('uncaughtExceptionMonitor', tell)
}
