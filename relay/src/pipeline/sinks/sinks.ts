// relay/src/pipeline/sinks/sinks.ts: the servers that get every span that is stored here, each with an outbox of its own.

import type { Span } from '../../spans/span.js'
import { Outbox, type OutboxStats, type Transport } from '../delivery/outbox.js'
import { OtlpTransport } from './otlp.js'
import { ScribeTransport } from './scribe.js'
import { WholeTraces } from './whole-traces.js'
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
  readonly #ways: (Outbox | WholeTraces)[] = []

  /** @throws TypeError naming what was given */
  constructor({ zipkin, scribe, otlp }: SinkOptions, log: (line: string) => void) {
    const boxed = (transport: Transport) => new Outbox(transport, log)
    if (zipkin !== undefined) this.#ways.push(boxed(new ZipkinTransport(zipkin)))
    if (scribe !== undefined) this.#ways.push(boxed(new ScribeTransport(scribe)))
    if (otlp !== undefined) this.#ways.push(new WholeTraces(boxed(new OtlpTransport(otlp))))
  }

  add(spans: readonly Span[]): void {
    for (const way of this.#ways) way.add(spans)
  }

  stats(): OutboxStats[] {
    return this.#ways.map((way) => way.stats())
  }

  async close(): Promise<void> {
    await Promise.all(this.#ways.map((way) => way.close()))
  }
}
