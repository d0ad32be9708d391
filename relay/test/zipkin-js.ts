// relay/test/zipkin-js.ts: what Zipkin's own tracer for JavaScript makes of a request that calls and sends, in each of its formats.

import zipkin from 'zipkin'

const { Annotation: of, BatchRecorder, ExplicitContext, InetAddress, jsonEncoder, Tracer } = zipkin

export type Format = keyof typeof jsonEncoder

/** As its HTTP transport posts them: all that were recorded, in a list. */
export function zipkinJsSpans(format: Format): string {
  const spans: string[] = []
  const logger = { logSpan: (span: object) => void spans.push(jsonEncoder[format].encode(span as never)) }
  const options = { localServiceName: 'Front', traceId128Bit: true, supportsJoin: true }
  const recorder = new BatchRecorder({ logger })
  const tracer = new Tracer({ ctxImpl: new ExplicitContext(), recorder, ...options })
  const child = (annotations: Parameters<typeof tracer.recordAnnotation>[0][]) =>
    tracer.letId(tracer.createChildId(), () => {
      tracer.recordServiceName('Front')
      for (const one of annotations) tracer.recordAnnotation(one)
    })
  const address = (last: number) => new InetAddress(`10.0.0.${last}`)
  tracer.setId(tracer.createRootId())
  tracer.recordServiceName('Front')
  tracer.recordRpc('GET')
  tracer.recordAnnotation(new of.ServerRecv())
  tracer.recordAnnotation(new of.LocalAddr({ host: address(1), port: 8080 }))
  for (const [key, value] of Object.entries({ 'http.path': '/x', count: 42, done: true })) {
    tracer.recordBinary(key, value)
  }
  const db = { serviceName: 'db', host: address(2), port: 5432 }
  child([new of.ClientSend(), new of.ServerAddr(db), new of.ClientRecv()])
  const queue = { serviceName: 'queue', host: address(3), port: 9092 }
  child([new of.ProducerStart(), new of.MessageAddr(queue), new of.ProducerStop()])
  tracer.recordMessage('answered')
  tracer.recordAnnotation(new of.ServerSend())
  return `[${spans.join()}]`
}
