// relay/src/sinks/otlp.ts: spans to whatever takes OpenTelemetry's protocol over HTTP as protobuf: a collector, Jaeger, Tempo.

import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { modelOf } from './otlp-model.js'
import { type Batch, NotTaken, spansOf, type Transport } from './outbox.js'
import { httpTarget, post } from './post.js'

export class OtlpTransport implements Transport {
  readonly name: string
  readonly #url: URL

  /** @throws TypeError naming what was given */
  constructor(target: string) {
    this.#url = httpTarget(target, '/v1/traces')
    this.name = `otlp ${this.#url.origin}`
  }

  async send(batch: Batch, signal: AbortSignal): Promise<number> {
    const body = ProtobufTraceSerializer.serializeRequest(modelOf(spansOf(batch)))
    if (body === undefined) throw new NotTaken('these spans cannot be written as protobuf')
    const answer = await post(this.#url, { 'content-type': 'application/x-protobuf' }, body, signal)
    return rejected(answer)
  }
}

/** The answer is an afterthought: one that cannot be read does not make the spans untaken. */
function rejected(answer: Buffer): number {
  try {
    return Number(ProtobufTraceSerializer.deserializeResponse(answer).partialSuccess?.rejectedSpans ?? 0)
  } catch {
    return 0
  }
}
