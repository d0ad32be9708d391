// lib/trace/end-at-close.ts: ends a span when what it tells of closes.
import type { EventEmitter } from 'node:events'
import type { Span } from './span.js'

/** `tell` says how it went, of objects that the program may have changed: what it throws costs that, and not the program. */
export function endAtClose(emitter: EventEmitter, span: Span, tell: () => void): void {
  emitter.once('close', () => {
    try {
      tell()
    } catch {}
    span.end()
  })
}
