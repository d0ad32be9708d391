// relay/src/pipeline/sinks/otlp.ts: spans to whatever takes OpenTelemetry's protocol over HTTP as protobuf: a collector, Jaeger, Tempo.

import { type Batch, made, NotTaken, spansOf, type Transport } from '../delivery/outbox.js'
import { httpTarget, post, type Target } from '../delivery/post.js'

/** Loaded when the first batch goes: it takes longer to load than all else of the relay, and few ask for it. */
const encoder = async () => ({
  ...(await import('@opentelemetry/otlp-transformer')),
  ...(await import('../../spans/formats/to-otlp.js')),
})

export class OtlpTransport implements Transport {
  readonly name: string
  readonly #target: Target

  /** @throws TypeError naming what was given */
  constructor(target: string) {
    this.#target = httpTarget(target, '/v1/traces')
    this.name = `otlp ${this.#target.url.origin}`
  }

  async send(batch: Batch, signal: AbortSignal): Promise<number> {
    const { ProtobufTraceSerializer, modelOf } = await encoder()
    const body = made(() => ProtobufTraceSerializer.serializeRequest(modelOf(spansOf(batch))))
    if (body === undefined) throw new NotTaken('these spans cannot be written as protobuf')
    const answer = await post(this.#target, { 'content-type': 'application/x-protobuf' }, body, signal)
    try {
      return Number(ProtobufTraceSerializer.deserializeResponse(answer).partialSuccess?.rejectedSpans ?? 0)
    } catch {
      return 0 // the answer is an afterthought: one that cannot be read does not make the spans untaken
    }
  }
}
