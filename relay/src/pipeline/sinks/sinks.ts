// relay/src/pipeline/sinks/sinks.ts: the servers that get every span that is stored here, each with an outbox of its own.

import type { Span } from '../../spans/span.js'
import { Outbox, type OutboxStats } from '../delivery/outbox.js'
import { OtlpTransport } from './otlp.js'
import { ScribeTransport } from './scribe.js'
import type { ServerSink, SpanSink } from './sink.js'
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

interface SinkKind {
  /** What it is given, in words. */
  expected: string
  /** @throws TypeError naming what was given */
  open(target: string, log: (line: string) => void): ServerSink
}

const url = 'a URL, or HOST:PORT'

/** Every kind of server that spans can go on to: one more is a file beside, and a line here and in SinkOptions. */
export const SINKS: Record<keyof SinkOptions, SinkKind> = {
  zipkin: { expected: url, open: (target, log) => new Outbox(new ZipkinTransport(target), log) },
  scribe: { expected: 'HOST:PORT', open: (target, log) => new Outbox(new ScribeTransport(target), log) },
  otlp: { expected: url, open: (target, log) => new WholeTraces(new Outbox(new OtlpTransport(target), log)) },
}

export class Sinks implements SpanSink {
  readonly #servers: readonly ServerSink[]

  /** @throws TypeError naming what was given */
  constructor(options: SinkOptions, log: (line: string) => void) {
    const kinds = Object.entries(SINKS) as [keyof SinkOptions, SinkKind][]
    this.#servers = kinds.flatMap(([name, { open }]) => {
      const target = options[name]
      return target === undefined ? [] : [open(target, log)]
    })
  }

  add(spans: readonly Span[]): void {
    for (const server of this.#servers) server.add(spans)
  }

  stats(): OutboxStats[] {
    return this.#servers.map((server) => server.stats())
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()))
  }
}
