// bench/js/spans.mjs: spans beside the OpenTelemetry SDK's, over the same handshake as bench/js/slices.mjs. Its own
// process, since handles that are recorded and others that are not must not share type feedback with the other rows.
// Spans go into a session in memory, in overwrite mode; the SDK's to an exporter that drops them, after the slice.
import { AlwaysOffSampler, BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { loopAround } from '../../dist/cli/overhead/slices.js'
import { openSession, spans, status, t, trace } from '../../dist/index.js'
import { setTraceSample } from '../../dist/trace/sampler.js'
import { serve } from '../lib/serve.mjs'

const session = openSession('bench', { relay: null, mode: 'overwrite' })
session.enable('blkin:*')

// The SDK's batch processor with an exporter that drops: what every service has that sends spans somewhere.
let exported = 0
const exporter = {
  export(spans, done) {
    exported += spans.length
    done({ code: 0 })
  },
  shutdown: async () => {},
}
const processor = new BatchSpanProcessor(exporter, { maxQueueSize: 100_000, scheduledDelayMillis: 3_600_000 })
const otel = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('bench')
const sampler = new AlwaysOffSampler()
const otelOff = new BasicTracerProvider({ sampler, spanProcessors: [processor] }).getTracer('bench')

// As somebody would who knows what the values are.
const { write } = spans('bench', {
  write: { kind: 'server', tags: { object: t.string, op: t.enum(['read', 'write']), bytes: t.u32 } },
})

const texts = ['volume-00/blk-0a', 'volume-01/blk-0b', 'volume-02/blk-0c', 'volume-03/blk-0d']
const scope = { trace, write, otel, otelOff, texts }

/** A loop around `body`, as in slices.mjs. */
const variant = (body, also = {}) => ({ run: loopAround(scope, body), ...also })

const span = `const span = trace.start('write', { kind: 'server' })
  span.tag('object', texts[x & 3]); span.tag('op', 'write'); span.tag('bytes', 4096)
  span.end()`
const started = `trace.start('write', { kind: 'server', tags: { object: texts[x & 3], op: 'write', bytes: 4096 } }).end()`
const declared = `write({ object: texts[x & 3], op: 'write', bytes: 4096 }).end()`
const theirs = (tracer) => `const span = ${tracer}.startSpan('write', { kind: 1 })
  span.setAttribute('object', texts[x & 3]); span.setAttribute('op', 'write'); span.setAttribute('bytes', 4096)
  span.end()`
const sampledOut = {
  before: () => setTraceSample({ share: 1e-9 }),
  after: () => setTraceSample({ share: 1 }),
}

// The carrier costs nothing before the first run(): every program that uses spans calls it.
trace.run(trace.start('warm'), () => {})

const slices = {
  loop: variant(''),
  off: variant(span, { before: () => session.disable('blkin:*'), after: () => session.enable('blkin:*') }),
  out: variant(span, sampledOut),
  empty: variant(`const span = trace.start('write'); span.end()`),
  span: variant(span),
  started: variant(started),
  declared: variant(declared),
  otel: variant(theirs('otel'), { after: () => processor.forceFlush() }),
  otelout: variant(theirs('otelOff')),
}

await serve(slices, { account })

/** What was recorded is what was asked for: five events a span, two where the beginning holds the tags, and none where it was off or sampled out. */
async function account() {
  const bytes = {}
  for (const name of ['off', 'out', 'span', 'started', 'declared']) {
    const before = written()
    const slice = slices[name]
    slice.before?.()
    slice.run(1000)
    await slice.after?.()
    bytes[name] = (written() - before) / 1000
  }
  return JSON.stringify({ bytes, lost: lostEvents(), exported })
}

function ring() {
  return status().sessions.find(({ name }) => name === 'bench')
}

function written() {
  return ring().buffers.rings.reduce((sum, { head }) => sum + head, 0)
}

function lostEvents() {
  const { overwritten: _, ...lost } = ring().lost
  return Object.values(lost).reduce((sum, n) => sum + n, 0)
}
