// lib/trace/remote.ts: a context that came from another process, and the spans that begin below it. What was decided
// there about recording the trace is honoured.
import { placeIn, readBinary } from './binary.js'
import { contentShare } from './content.js'
import { counts, kept, refused, sampledOut } from './counts.js'
import type { Form } from './form.js'
import { freeForm } from './free-form.js'
import type { Handle } from './handle.js'
import { wordAt } from './hex.js'
import { randomWord } from './ids.js'
import { extractFrom, extractFromAny } from './propagation.js'
import { begin, TraceTraits } from './recorded.js'
import { wanted } from './records.js'
import { currentShare, keeps, shareKeeps } from './sampler.js'
import { Silent } from './silent.js'
import type { BeginOptions, Carrier, Format, Span, SpanOptions } from './span.js'
import { debugFlag, sharedFlag } from './span-fields.js'
import { root, rootOf, traitsOf } from './start.js'
import { type WireContext, zeros } from './wire.js'

/** What trace.extract() and trace.unpack() give. */
export interface Remote {
  /**
   * Starts a span below the one that was sent; the root of a new trace where none was. A server's span is the client's
   * own, as in Zipkin, where the format is B3.
   */
  start(name: string, options?: SpanOptions): Span
}

/** Records nothing, and hands on what came: while nobody records spans here, and in traces that are not recorded. */
class Passing extends Silent {
  readonly #context: WireContext

  constructor(context: WireContext, methods?: object) {
    super()
    this.#context = context
    Object.assign(this, methods)
  }

  override child<What>(form: Form<What>, what: What, options: BeginOptions | undefined): Handle {
    if (this.#context.decision === 'no' && form.methods === undefined) return this
    return below(this.#context, false, form, what, options)
  }

  override context(): WireContext {
    return this.#context
  }
}

/** What is current where a context came from elsewhere and nothing has begun below it. */
export const passing = (context: WireContext): Handle => new Passing(context)

export class Received implements Remote {
  readonly #context: WireContext | undefined
  #shared: boolean

  constructor(context: WireContext | undefined, shared: boolean) {
    this.#context = context
    this.#shared = shared
  }

  start(name: string, options?: SpanOptions): Handle {
    return this.startAs(freeForm, name, options)
  }

  startAs<What>(form: Form<What>, what: What, options: BeginOptions | undefined): Handle {
    try {
      if (this.#context === undefined) return wanted() ? root(form, what, options) : form.off
      const shared = this.#shared && form.isServer(options)
      if (shared) this.#shared = false // whatever else begins here is a span of its own
      return below(this.#context, shared, form, what, options)
    } catch {
      counts[refused]!++ // a getter of the options that throws
      return form.off
    }
  }
}

function below<What>(
  context: WireContext,
  shared: boolean,
  form: Form<What>,
  what: What,
  options: BeginOptions | undefined,
): Handle {
  const { traceId, decision } = context
  if (traceId === '') return decidedOnly(decision, form, what, options)
  if (decision === 'no' || !wanted()) return new Passing(context, form.methods)
  const lowest = wordAt(traceId, 24)
  let probability = 0
  if (decision === 'unsaid') {
    const share = contentShare(form, what, options)
    probability = share ?? currentShare()
    if (share === undefined ? !keeps(lowest) : !shareKeeps(share, lowest)) {
      counts[sampledOut]!++
      return new Passing({ ...context, decision: 'no' }, form.methods)
    }
    counts[kept]!++
  }
  const debug = decision === 'debug'
  const traits = new TraceTraits(wordAt(traceId, 0), wordAt(traceId, 8), probability, debug, context.state)
  const traceHigh = wordAt(traceId, 16)
  const [high, low] = [wordAt(context.spanId, 0), wordAt(context.spanId, 8)]
  if (!shared) return begin(traits, traceHigh, lowest, high, low, form, what, options)
  const parent = context.parentId === '' ? zeros : context.parentId
  const flagBits = debug ? sharedFlag | debugFlag : sharedFlag
  const [parentHigh, parentLow] = [wordAt(parent, 0), wordAt(parent, 8)]
  return form.begin(traits, traceHigh, lowest, high, low, parentHigh, parentLow, flagBits, what, options)
}

/** B3 lets a sender say only whether the trace that begins here is to be recorded. */
function decidedOnly<What>(
  decision: WireContext['decision'],
  form: Form<What>,
  what: What,
  options: BeginOptions | undefined,
): Handle {
  if (!wanted()) return form.off
  if (decision !== 'no') return rootOf(randomWord(), traitsOf(1, decision === 'debug'), form, what, options)
  counts[sampledOut]!++
  return form.unsampled
}

/** Whether it is what extract() or unpack() gave. May throw, of a proxy that does. */
export const isReceived = (value: unknown): value is Received => value instanceof Received

/** The context in the headers of a request. Headers that are not sound are as if they were not there. */
export function extract(headers: Carrier, format: Format): Remote {
  const { context, shared } = extractFrom(headers, format)
  return new Received(context, shared)
}

/** For headers that anybody may have sent. */
export function extractAny(headers: Carrier): Received {
  const { context, shared } = extractFromAny(headers)
  return new Received(context, shared)
}

/** The context in BlkKin's 24 bytes at `offset`. */
export function unpack(buffer: Uint8Array, offset = 0): Remote {
  const place = placeIn(buffer, offset)
  if (place === undefined) counts[refused]!++
  return new Received(place && readBinary(place), false)
}
