// relay/src/pipeline/sinks/sink.ts: what a sink is: it takes every span that is kept. The store is one, and every server that spans go on to.

import type { Span } from '../../spans/span.js'
import type { OutboxStats } from '../delivery/outbox.js'

export interface SpanSink {
  /** Never throws, and waits for nobody: what it cannot take it counts. */
  add(spans: readonly Span[]): void
  /** What it has is where it is to go, as far as that can be had in the time for it. */
  close(): Promise<void>
}

export interface ServerSink extends SpanSink {
  stats(): OutboxStats
}
