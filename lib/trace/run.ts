// lib/trace/run.ts: makes a span the current one while a function runs, and in all that it starts.
import { ownSpans } from '../context.js'
import { counts, refused } from './counts.js'
import { currentHandle, runIn } from './current.js'
import { Handle } from './handle.js'
import { Recorded } from './recorded.js'
import { Off, off } from './silent.js'
import type { Span } from './span.js'

// Ordinary events join the trace that they happen in: the contexts `trace` and `span`.
ownSpans(() => {
  const current = currentHandle()
  return current instanceof Recorded ? current : undefined
})

/**
 * Calls `work` with the span as the current one: across await, timers and callbacks, and in the Workers that start
 * meanwhile. In messages to Workers inject() and extract(), or pack() and unpack(), carry it.
 *
 * @returns what `work` returns; what it throws is thrown
 */
export function run<T>(span: Span, work: () => T): T {
  if (!isHandle(span)) counts[refused]!++
  else if (!(span instanceof Off) && span !== currentHandle()) return runIn(span, work)
  return work()
}

function isHandle(span: unknown): span is Handle {
  try {
    return span instanceof Handle
  } catch {
    return false // a proxy that throws
  }
}

/** The span that is current here; one that records nothing where none is. */
export function current(): Span {
  return currentHandle() ?? off
}
