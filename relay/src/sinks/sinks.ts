// relay/src/sinks/sinks.ts: the servers that get every span that is stored here, each with an outbox of its own.

import type { Span } from '../spans/span.js'
import { OtlpTransport } from './otlp.js'
import { Outbox, type OutboxStats, type Transport } from './outbox.js'
import { ScribeTransport } from './scribe.js'
import { ZipkinTransport } from './zipkin.js'

export interface SinkOptions {
  /** A URL, or HOST:PORT: a server with Zipkin's HTTP API. */
  zipkin?: string
  /** HOST:PORT: a Zipkin server's Scribe collector, or a Scribe server on the way to one. */
  scribe?: string
  /** A URL, or HOST:PORT: a collector that takes OpenTelemetry's protocol over HTTP. */
  otlp?: string
}

export class Sinks {
  readonly #outboxes: Outbox[]

  /** @throws TypeError naming what was given */
  constructor({ zipkin, scribe, otlp }: SinkOptions, log: (line: string) => void) {
    const transports: Transport[] = []
    if (zipkin !== undefined) transports.push(new ZipkinTransport(zipkin))
    if (scribe !== undefined) transports.push(new ScribeTransport(scribe))
    if (otlp !== undefined) transports.push(new OtlpTransport(otlp))
    this.#outboxes = transports.map((transport) => new Outbox(transport, log))
  }

  add(spans: readonly Span[]): void {
    for (const outbox of this.#outboxes) outbox.add(spans)
  }

  stats(): OutboxStats[] {
    return this.#outboxes.map((outbox) => outbox.stats())
  }

  async close(): Promise<void> {
    await Promise.all(this.#outboxes.map((outbox) => outbox.close()))
  }
}
